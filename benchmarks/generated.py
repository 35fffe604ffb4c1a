"""Generated reviews as a file that people drop, made once and kept in `.driftloop/bench`."""

from __future__ import annotations

import gzip
from pathlib import Path

from cli import project, reviews

MILLION = 1_000_000
SEED = 42
ID_AT = reviews.COLUMNS.index("review_id")


def tsv(size: int = MILLION) -> Path:
    """So many million reviews; past the first they are those again, under ids of their own."""
    folder = project.home() / "bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"reviews-{size}.tsv.gz"
    if not path.exists():
        made = path.with_suffix(".part")
        if size == MILLION:
            reviews.write(made, size, SEED)
        else:
            _repeat(tsv(), made, size // MILLION)
        made.rename(path)
    return path


def _repeat(source: Path, target: Path, times: int) -> None:
    with gzip.open(target, "wb", compresslevel=5) as out:
        for copy in range(times):
            with gzip.open(source, "rb") as rows:
                header = next(rows)
                out.write(b"" if copy else header)
                for row in rows:
                    values = row.split(b"\t", ID_AT + 1)
                    values[ID_AT] += b"-%d" % copy
                    out.write(b"\t".join(values))
