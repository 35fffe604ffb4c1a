"""A file that was accepted and that Athena cannot read: put aside, so that the others go on.

Intake reads all of a text file, and of Parquet the footer alone. Damage in its pages shows when
Athena reads them: the query fails, and the error names the file.
https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html
https://github.com/trinodb/trino/tree/master/plugin/trino-hive/src/main/java/io/trino/plugin/hive/parquet
"""

from __future__ import annotations

import re

from chalicelib.environment import Environment
from chalicelib.ingest import arrivals, quarantine
from chalicelib.ingest.drops import Dropped
from chalicelib.reading.refusals import RefusedError

# What is wrong with the content; HIVE_FILESYSTEM_ERROR and the like are the reading's trouble.
CONTENT = re.compile(r"HIVE_(BAD_DATA|CURSOR_ERROR|CANNOT_OPEN_SPLIT)\b")
# S3 asking to slow down, or refusing, fails to open a split as well: no fault of the file.
OF_S3 = re.compile(r"Service: (Amazon )?S3\b|Slow Down|Access Denied", re.IGNORECASE)
FILE = re.compile(r"s3://[^/\s]+/raw/[^/\s]+/arrival=(\w+)/")


def named(reason: str) -> str | None:
    """The id of the arrival whose content an Athena error is about; None where it names none."""
    if not CONTENT.search(reason) or OF_S3.search(reason):
        return None
    found = FILE.search(reason)
    return found[1] if found else None


def put_aside(dataset: str, arrival_id: str, run_id: str, reason: str) -> None:
    """Into quarantine with it; it is no arrival any more. May be done again.

    Its content may come again: it is taken in then as if it were new.
    """
    arrival = arrivals.get(dataset, arrival_id)
    if arrival is None or (arrival["status"], arrival["run_id"]) != (arrivals.CLAIMED, run_id):
        return
    bucket = Environment.from_env().data_bucket
    version = {"VersionId": arrival["raw_version_id"]} if arrival["raw_version_id"] else {}
    dropped = Dropped(bucket, arrival["source_key"], arrival["size"], arrival["version_id"])
    refused = RefusedError(
        "corrupt",
        f"{dropped.safe_name} is damaged: run {run_id} failed on it. {reason} "
        "Write the file again and drop that.",
    )
    source = {"Bucket": bucket, "Key": arrival["key"], **version}
    quarantine.put(dropped, refused, source, arrival=arrival_id, run_id=run_id)
    arrivals.remove(dataset, arrival_id, run_id)
