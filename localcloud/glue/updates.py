"""Bring the catalog to what a crawl found, as far as the crawler's policy lets it.

https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from localcloud.glue import definitions, layout
from localcloud.glue.catalog import Catalog, Partition, Table
from localcloud.glue.changes import Changes
from localcloud.glue.layout import Found
from localcloud.glue.policy import DELETE, DEPRECATE, UPDATE, Policy


class Updates:
    """Writes tables and partitions of one crawl to one database, and counts what it did."""

    def __init__(
        self,
        catalog: Catalog,
        database: str,
        crawler: dict[str, Any],
        policy: Policy,
        say: Callable[[str], None],
    ) -> None:
        self._catalog, self._database, self._policy, self._say = catalog, database, policy, say
        self._crawler, self._prefix = crawler["Name"], crawler.get("TablePrefix") or ""
        self.changes = Changes()
        self.written: set[str] = set()

    def table(self, found: Found, exclusions: Sequence[str]) -> None:
        """Create or update a table, then its partitions."""
        name, known = self._place(found)
        self.written.add(name)
        wanted = definitions.table_input(found, name, self._crawler, exclusions)
        if known is None:
            self._catalog.glue.create_table(DatabaseName=self._database, TableInput=wanted)
            self.changes.tables_created += 1
            self._say(f"INFO : Created table {name} in database {self._database}")
        else:
            self._update(known, wanted)
        table = self._catalog.table(self._database, name)
        assert table is not None
        if len(table.partition_keys) != len(found.keys):
            self._say(f"WARN : The partition keys of {name} changed; its partitions are ignored")
        elif found.keys:
            self.partitions(table, found)
            seen = found.partitions.keys()
            gone = [p for p in self._catalog.partitions(table) if p.values not in seen]
            self._gone_partitions(table, gone)

    def partitions(self, table: Table, found: Found) -> None:
        """Add the partitions that are new; update the ones that changed."""
        known = {each.values: each for each in self._catalog.partitions(table)}
        new, changed = [], []
        for values, part in found.partitions.items():
            wanted = self._partition(table, values, part)
            if values not in known:
                new.append(wanted)
            elif definitions.schema(known[values].raw) != definitions.schema(wanted):
                changed.append(wanted)
        self._catalog.create_partitions(table, new)
        self.changes.partitions_created += len(new)
        if new:
            listed = ", ".join("[" + ", ".join(each["Values"]) + "]" for each in new)
            self._say(f"INFO : Created partitions with values [{listed}] for table {table.name}")
        if self._policy.inherit or self._policy.update == UPDATE:
            self._catalog.update_partitions(table, changed)
            self.changes.partitions_updated += len(changed)
        elif changed:
            self._say(f"INFO : {len(changed)} partitions of {table.name} changed; not updated")

    def gone(self, table: Table) -> None:
        """A table whose objects are no longer there."""
        where = f"table {table.name} in database {self._database}"
        if self._policy.delete == DELETE:
            self._catalog.glue.delete_table(DatabaseName=self._database, Name=table.name)
            self.changes.tables_deleted += 1
            self._say(f"INFO : Deleted {where}")
        elif self._policy.delete == DEPRECATE:
            if definitions.DEPRECATED not in table.parameters:
                self._put(definitions.deprecated(table.raw, _now()))
                self.changes.tables_updated += 1
                self._say(f"INFO : Deprecated {where}")
        else:
            self._say(f"INFO : Found no objects of {where}; not deleted")

    def _place(self, found: Found) -> tuple[str, Table | None]:
        """A table's name and what has it; where that lies elsewhere, a name with a hash."""
        name = layout.table_name(found.location, self._prefix)
        known = self._catalog.table(self._database, name)
        if known is None or known.location.rstrip("/") == found.location.rstrip("/"):
            return name, known
        digest = hashlib.md5(found.location.encode(), usedforsecurity=False).hexdigest()
        name = f"{name[: layout.LONGEST_NAME - 33]}_{digest}"
        return name, self._catalog.table(self._database, name)

    def _update(self, known: Table, wanted: dict[str, Any]) -> None:
        if self._policy.merge_new_columns:
            if words := definitions.incompatible(known.raw, wanted):
                self._say(f"WARN : {known.name} is deprecated: {'; '.join(words)}")
                wanted = definitions.deprecated(known.raw, _now())
            else:
                wanted = definitions.merged(known.raw, wanted)
        changed = definitions.schema(known.raw) != definitions.schema(wanted)
        if not (self._policy.merge_new_columns or self._policy.update == UPDATE):
            if changed:
                self._say(f"INFO : The schema of {known.name} changed; the table is not updated")
            return
        if {name: known.raw.get(name) for name in wanted} != wanted:
            self._put(wanted)
        if changed:
            self.changes.tables_updated += 1
            self._say(f"INFO : Updated table {known.name} in database {self._database}")

    def _put(self, wanted: dict[str, Any]) -> None:
        self._catalog.glue.update_table(DatabaseName=self._database, TableInput=wanted)

    def _partition(
        self, table: Table, values: tuple[str, ...], part: layout.Part
    ) -> dict[str, Any]:
        if self._policy.inherit:
            storage = {**table.storage, "Location": part.location}
            about = dict(table.storage.get("Parameters") or {})
        else:
            sample, columns = part.files[0][1], layout.merged(part.files)
            storage, about = definitions.storage(sample, columns, part.location), {}
        return {"Values": list(values), "StorageDescriptor": storage, "Parameters": about}

    def _gone_partitions(self, table: Table, gone: list[Partition]) -> None:
        if self._policy.delete == DELETE:
            self._catalog.delete_partitions(table, [each.values for each in gone])
            self.changes.partitions_deleted += len(gone)
        elif self._policy.delete == DEPRECATE:
            fresh = [p for p in gone if definitions.DEPRECATED not in p.raw.get("Parameters", {})]
            inputs = [definitions.deprecated_partition(each.raw, _now()) for each in fresh]
            self._catalog.update_partitions(table, inputs)
            self.changes.partitions_updated += len(fresh)
        if gone:
            self._say(f"INFO : Found no objects of {len(gone)} partitions of {table.name}")


def _now() -> int:
    return round(time.time() * 1000)
