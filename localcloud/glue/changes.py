"""What one crawl did to the catalog."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass
class Changes:
    """Counts of tables and partitions."""

    tables_created: int = 0
    tables_updated: int = 0
    tables_deleted: int = 0
    partitions_created: int = 0
    partitions_updated: int = 0
    partitions_deleted: int = 0

    def told(self) -> dict[str, int]:
        """As the event's detail names them: `tablesCreated`, ..."""
        pairs = (name.split("_") for name in asdict(self))
        counts = asdict(self).values()
        return {f"{a}{b.title()}": n for (a, b), n in zip(pairs, counts, strict=True)}
