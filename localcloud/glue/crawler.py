"""One crawl: list the targets, classify what lies there, group it to tables, write the catalog.

https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.glue import classify, layout
from localcloud.glue.catalog import Catalog, Table
from localcloud.glue.changes import Changes
from localcloud.glue.classify import Classified
from localcloud.glue.exclusions import excluded
from localcloud.glue.objects import BadLocationError, Objects, S3Object, split_uri
from localcloud.glue.policy import NEW_FOLDERS, InvalidPolicyError, Policy
from localcloud.glue.updates import Updates


class CrawlError(Exception):
    """A crawl that failed, with the reason for GetCrawler's `LastCrawl.ErrorMessage`."""


class CrawlCancelledError(Exception):
    """A crawl that was stopped."""


def crawl(
    catalog: Catalog,
    objects: Objects,
    crawler: dict[str, Any],
    say: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Changes:
    """Run a crawler's definition once; raises CrawlError and CrawlCancelledError."""
    try:
        return _Crawl(catalog, objects, crawler, say, cancelled).run()
    except (ClientError, BadLocationError, InvalidPolicyError) as error:
        raise CrawlError(str(error)) from error


class _Crawl:
    def __init__(
        self,
        catalog: Catalog,
        objects: Objects,
        crawler: dict[str, Any],
        say: Callable[[str], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._catalog, self._objects, self._say, self._cancelled = catalog, objects, say, cancelled
        self._name, self._policy = crawler["Name"], Policy.of(crawler)
        self._database = crawler.get("DatabaseName") or "default"
        self._targets = _s3_targets(crawler)
        self._custom = [self._classifier(name) for name in crawler.get("Classifiers") or []]
        self._updates = Updates(catalog, self._database, crawler, self._policy, say)

    def run(self) -> Changes:
        known = self._known()
        if self._policy.recrawl == NEW_FOLDERS and known:
            self._add(known)
        else:
            self._everything(known)
        self._say("BENCHMARK : Finished writing to Catalog")
        return self._updates.changes

    def _everything(self, known: list[Table]) -> None:
        """Write every table that there is now; deal with the ones that are gone."""
        found = [(target, self._found(target)) for target in self._targets]
        self._say(f"BENCHMARK : Classification complete, writing results to {self._database}")
        self._within_threshold(sum(len(tables) for _, tables in found))
        if self._catalog.database(self._database) is None:
            self._catalog.glue.create_database(DatabaseInput={"Name": self._database})
        for target, tables in found:
            for table in tables:
                self._stop_if_asked()
                self._updates.table(table, target.get("Exclusions") or [])
        for gone in known:
            if gone.name not in self._updates.written:
                self._updates.gone(gone)

    def _add(self, known: list[Table]) -> None:
        """Add the new folders of known tables as partitions."""
        found = self._new_folders(known)
        self._say(f"BENCHMARK : Classification complete, writing results to {self._database}")
        for table, partitions in found:
            self._updates.partitions(table, partitions)

    def _known(self) -> list[Table]:
        """The tables that this crawler wrote before, of what lies in its targets."""
        if self._catalog.database(self._database) is None:
            return []
        return [
            table
            for table in self._catalog.tables(self._database)
            if table.parameters.get("UPDATED_BY_CRAWLER") == self._name
            and any(_within(table.location, target["Path"]) for target in self._targets)
        ]

    def _found(self, target: dict[str, Any]) -> list[layout.Found]:
        """The tables of a target."""
        bucket, prefix = split_uri(target["Path"])
        files = self._classified(self._listed(target))
        if [item.key for item, _ in files] == [prefix]:
            return [layout.file_table(files[0])]
        folder = layout.tree(bucket, _folder(prefix), files)
        return layout.tables(folder, self._policy.combine, self._policy.table_level)

    def _new_folders(self, known: list[Table]) -> list[tuple[Table, layout.Found]]:
        """What lies in folders of known tables that no partition has yet, where it fits."""
        listed = [item for target in self._targets for item in self._listed(target)]
        found = []
        for table in known:
            seen = {part.location.rstrip("/") for part in self._catalog.partitions(table)}
            items = [
                item
                for item in listed
                if _within(item.uri, table.location) and item.uri.rpartition("/")[0] not in seen
            ]
            bucket, prefix = split_uri(table.location)
            folder = layout.tree(bucket, _folder(prefix), self._classified(items))
            for each in layout.tables(folder, self._policy.combine):
                same = [key.name for key in each.keys] == [key.name for key in table.partition_keys]
                if same and layout.similar(table.columns, each.columns, self._policy.combine):
                    found.append((table, each))
                else:
                    self._say(f"WARN : {each.location} does not fit table {table.name}: ignored")
        return found

    def _listed(self, target: dict[str, Any]) -> list[S3Object]:
        """The objects of a target that are to be looked at."""
        path = target["Path"].rstrip("/")
        patterns = target.get("Exclusions") or []
        items = [
            item
            for item in self._objects.list(path)
            if item.size
            and _within(item.uri, path)
            and not excluded(item.uri[len(path) :].lstrip("/"), patterns)
        ]
        return _sampled(items, target["SampleSize"]) if target.get("SampleSize") else items

    def _classified(self, items: Iterable[S3Object]) -> list[layout.File]:
        files = []
        for item in items:
            self._stop_if_asked()
            told = self._classify(item)
            if told.kind == "unknown":
                self._say(f"WARN : {item.uri} has classification UNKNOWN")
            else:
                files.append((item, told))
        return files

    def _classify(self, item: S3Object) -> Classified:
        head = self._objects.head(item, classify.HEAD)
        if not head.startswith(classify.PARQUET_MAGIC):
            return classify.classify(head, item.size <= classify.HEAD, self._custom)
        with tempfile.TemporaryDirectory() as folder:
            return classify.parquet(self._objects.local(item, Path(folder)))

    def _classifier(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._catalog.glue.get_classifier(Name=name)["Classifier"]
        if "CsvClassifier" not in found:
            raise CrawlError(f"the local crawler reads CSV classifiers only; {name} is another")
        return found

    def _within_threshold(self, tables: int) -> None:
        """https://docs.aws.amazon.com/glue/latest/dg/crawler-maximum-number-of-tables.html"""
        most = self._policy.table_threshold
        if most and tables > most:
            raise CrawlError(
                f"The number of tables detected by crawler: {tables} is greater than the table "
                f"threshold value provided: {most}. "
                "Failing crawler without writing to Data Catalog."
            )

    def _stop_if_asked(self) -> None:
        if self._cancelled():
            raise CrawlCancelledError


def _s3_targets(crawler: dict[str, Any]) -> list[dict[str, Any]]:
    targets = crawler.get("Targets") or {}
    if others := sorted(kind for kind, held in targets.items() if held and kind != "S3Targets"):
        raise CrawlError(f"the local crawler reads S3 targets only, not {', '.join(others)}")
    return targets.get("S3Targets") or []


def _sampled(items: list[S3Object], size: int) -> list[S3Object]:
    """At most so many objects of each folder."""
    taken: Counter[str] = Counter()
    sample = []
    for item in items:
        folder = item.uri.rpartition("/")[0]
        taken[folder] += 1
        if taken[folder] <= size:
            sample.append(item)
    return sample


def _within(uri: str, path: str) -> bool:
    """Whether an object, or a folder, is a path or lies in it."""
    return f"{uri.rstrip('/')}/".startswith(f"{path.rstrip('/')}/")


def _folder(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
