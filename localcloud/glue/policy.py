"""What a crawler's definition asks of its runs: SchemaChangePolicy, RecrawlPolicy, Configuration.

https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UPDATE, LOG = "UPDATE_IN_DATABASE", "LOG"
DELETE, DEPRECATE = "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE"
EVERYTHING, NEW_FOLDERS = "CRAWL_EVERYTHING", "CRAWL_NEW_FOLDERS_ONLY"


class InvalidPolicyError(ValueError):
    """A definition that Glue refuses, or that asks for what is not served here."""


@dataclass(frozen=True)
class Policy:
    """The choices of one crawler, with AWS's defaults where the definition says nothing."""

    update: str = UPDATE
    delete: str = DEPRECATE
    recrawl: str = EVERYTHING
    merge_new_columns: bool = False  # of a known table: add columns, change nothing else
    inherit: bool = False  # partitions take their table's schema and format
    combine: bool = False  # files of one format are one table, however their columns differ
    table_level: int | None = None  # where tables lie; the bucket is level 1
    table_threshold: int | None = None  # a crawl that finds more tables fails

    @classmethod
    def of(cls, crawler: Mapping[str, Any]) -> Policy:
        """Read a definition (of CreateCrawler or GetCrawler); raises InvalidPolicyError."""
        changes = crawler.get("SchemaChangePolicy") or {}
        recrawl = (crawler.get("RecrawlPolicy") or {}).get("RecrawlBehavior") or EVERYTHING
        if recrawl not in (EVERYTHING, NEW_FOLDERS):
            raise InvalidPolicyError(f"the local crawler does not serve {recrawl}")
        # An incremental crawl adds; it neither updates nor deletes.
        # https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html
        adds = recrawl == NEW_FOLDERS
        if adds and set(changes.values()) - {LOG}:
            raise InvalidPolicyError(
                "The SchemaChangePolicy for Crawl new folders only Amazon S3 target can have only "
                "LOG DeleteBehavior value and LOG UpdateBehavior value."
            )
        if crawler.get("Schedule"):
            raise InvalidPolicyError("the local crawler runs when it is started; on no Schedule")
        asked = _configuration(crawler.get("Configuration") or "{}")
        output, grouping = asked.get("CrawlerOutput", {}), asked.get("Grouping", {})
        tables, partitions = output.get("Tables", {}), output.get("Partitions", {})
        return cls(
            update=LOG if adds else changes.get("UpdateBehavior") or UPDATE,
            delete=LOG if adds else changes.get("DeleteBehavior") or DEPRECATE,
            recrawl=recrawl,
            merge_new_columns=tables.get("AddOrUpdateBehavior") == "MergeNewColumns",
            inherit=partitions.get("AddOrUpdateBehavior") == "InheritFromTable",
            combine=grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
            table_level=grouping.get("TableLevelConfiguration"),
            table_threshold=tables.get("TableThreshold"),
        )


def _configuration(text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidPolicyError(f"Configuration is not JSON: {error}") from None
    if not isinstance(asked, dict) or (asked and asked.get("Version") != 1.0):
        raise InvalidPolicyError("Configuration must be a JSON object with Version 1.0")
    return asked
