"""Thirty checks of a million generated reviews: ours, a bare DuckDB aggregate, and two peers.

Ours is the statement that Athena gets, in the local cloud's translation for DuckDB, with the
verdict on its row. The bare aggregate measures the same by hand. The peers run in an environment
of their own, which `make bench-data` sets up; all read the same Parquet file.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import generated
from benchmarks.rows import Bar, Row, Skipped
from chalicelib.quality import query, verdict
from chalicelib.quality.declared import Quality
from cli import project, reviews
from localcloud.athena import translate
from localcloud.athena.macros import MACROS

HERE = Path(__file__).parent
CHECKS = HERE / "quality_checks.toml"
BARE = (HERE / "bare_quality.sql").read_text()
PEERS = {"Great Expectations": "gx.py", "pandera": "pandera_checks.py"}
MORE = 5
TIMES = 5
OVERHEAD, FASTER = 1.5, 5.0
COUNTS = ("star_rating", "helpful_votes", "total_votes")


def measure() -> Iterator[Row | Skipped]:
    path = prepared()
    ours, bare, kept = against_bare(str(path))
    bar = Bar("at most", OVERHEAD * bare, f"{OVERHEAD} times the bare aggregate")
    yield Row("30 checks, 1 million reviews", ours, "s", bar, "bare DuckDB aggregate", bare)
    more_ours, more_bare, _ = against_bare(str(path), MORE)
    bar = Bar("at most", OVERHEAD * more_bare, f"{OVERHEAD} times the bare aggregate")
    work = "30 checks, 5 million (those five times, ids changed)"
    yield Row(work, more_ours, "s", bar, "bare DuckDB aggregate", more_bare)
    yield from against_peers(path, ours, kept)


def prepared() -> Path:
    """The reviews as Parquet, made once."""
    text = generated.tsv()
    path = text.with_name(f"reviews-{generated.MILLION}.parquet")
    if path.exists():
        return path
    typed = ", ".join(f"CAST({name} AS bigint) AS {name}" for name in COUNTS)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in reviews.COLUMNS)
    made = path.with_suffix(".part")
    duckdb.execute(
        f"COPY (SELECT * REPLACE ({typed}, CAST(review_date AS date) AS review_date) FROM "
        f"read_csv('{text}', delim='\\t', quote='', escape='', header=true, auto_detect=false, "
        f"columns={{{columns}}})) TO '{made}' (FORMAT parquet, COMPRESSION zstd)"
    )
    made.rename(path)
    return path


def against_bare(path: str, copies: int = 1) -> tuple[float, float, list[bool]]:
    """Seconds of ours and of the bare aggregate, by turns, the middle of five; our verdicts."""
    checks = Quality.model_validate(tomllib.loads(CHECKS.read_text())).checks
    wanted = query.Wanted(checks)
    sql = query.statement(wanted, query.Rows("reviews", "r1", "main"), "0", dt.date.today())
    with duckdb.connect() as connection:
        connection.execute(MACROS + _view(path, copies))

        def ours() -> verdict.Report:
            found = connection.execute(translate.query(sql))
            names = [column[0] for column in found.description or []]
            (values,) = found.fetchall()
            texts = [None if value is None else str(value) for value in values]
            return verdict.judge(dict(zip(names, texts, strict=True)), wanted, 0.0)

        report = ours()
        times = [
            (_seconds(ours), _seconds(lambda: connection.execute(BARE).fetchall()))
            for _ in range(TIMES)
        ]
    kept = [result.passed for result in report.results if result.index is not None]
    mine, bare = (statistics.median(side) for side in zip(*times, strict=True))
    return mine, bare, kept


def _view(path: str, copies: int) -> str:
    """The file as a table of one run; copies have review ids of their own."""
    if copies == 1:
        return f"CREATE VIEW reviews AS SELECT *, 'r1' AS run FROM read_parquet('{path}')"
    return (
        "CREATE TABLE reviews AS SELECT * REPLACE (review_id || chr(65 + copy) AS review_id), "
        f"'r1' AS run FROM read_parquet('{path}'), (SELECT unnest(range({copies}))::int AS copy)"
    )


def against_peers(path: Path, ours: float, kept: list[bool]) -> Iterator[Row | Skipped]:
    """The peers' verdicts have to be ours; the faster of them sets the bar."""
    python = project.home() / "envs" / "bench-data" / "bin" / "python"
    if not python.exists():
        yield Skipped("30 checks in Great Expectations and pandera", "make bench-data sets them up")
        return
    found = {name: _peer(python, script, path) for name, script in PEERS.items()}
    for name, peer in found.items():
        work = f"30 checks in {name} {peer['version']}, the same verdicts"
        same = sum(a == b for a, b in zip(kept, peer["verdicts"], strict=True))
        yield Row(work, same, "of 30", Bar("at least", len(kept)))
    for name, peer in found.items():
        alone = peer["seconds"] - peer["read"]
        yield Row(
            f"{name} without reading the file",
            alone,
            "s",
            peer="s ours, reading it",
            peer_figure=ours,
        )
    fastest = min(found, key=lambda name: found[name]["seconds"])
    for name, peer in found.items():
        times = peer["seconds"] / ours
        bar = Bar("at least", FASTER) if name == fastest else None
        yield Row(f"ours against {name}", times, "times as fast", bar, f"s in {name}",
                  peer["seconds"])  # fmt: skip


def _peer(python: Path, script: str, path: Path) -> dict[str, Any]:
    command = [str(python), str(HERE / "peers" / script), str(path), str(CHECKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
