"""The monitors: speed and memory beside Evidently and whylogs, false alarms and power.

Every time is a whole process, from its start to its verdict, on the same captured records.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv_writer
import pyarrow.parquet as pq

from benchmarks import noise, noise_of_predictions
from benchmarks.rows import Bar, Row, Skipped
from cli import project

FRACTIONS, INTEGERS, CATEGORIES = 12, 4, 4  # 20 features
COLOURS = ("red", "green", "blue", "grey")
BASELINE = 100_000
MILLION = 1_000_000
BLOCK = 100_000  # records made at a time
RUNS, SIZES, POWER_ROWS = 500, (200, 2_000, 20_000), 2_000  # of the rings
ROUNDS = 2  # of us and the peers by turns; the best of each counts
PEERS = {"evidently": ("Evidently's DataDriftPreset", 10.0), "whylogs": ("whylogs' profile", 3.0)}


def measure() -> Iterator[Row | Skipped]:
    with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
        yield from speed(Path(folder))
    yield from rings()


def rings(runs: int = RUNS) -> Iterator[Row]:
    """How often each monitor rings, without drift and with a planted one."""
    for kind in (noise, noise_of_predictions):
        yield from kind.false_alarms(SIZES, runs)
        yield from kind.power(POWER_ROWS, runs)


def speed(folder: Path) -> Iterator[Row | Skipped]:
    known = folder / "baseline.parquet"
    pq.write_table(rows(BASELINE, seed=0), known)
    monitor(folder, "baseline", known)
    captures = {n: capture(folder / f"{n}", n) for n in (10_000, 100_000, MILLION, 3 * MILLION)}
    ran = {n: monitor(folder, "analyze", path) for n, path in captures.items()}
    yield Row("10 k records, start to verdict", ran[10_000][0], "s", Bar("at most", 3))
    yield Row("100 k records of 20 features", ran[100_000][0], "s")
    yield Row("1 M records", ran[MILLION][0], "s", Bar("at most", 25))
    yield Row("1 M records, memory", ran[MILLION][1], "GB", Bar("at most", 1.5))
    yield Row("3 M records", ran[3 * MILLION][0], "s")
    yield Row("3 M records, memory", ran[3 * MILLION][1], "GB", Bar("at most", 1.5))
    growth = ran[3 * MILLION][0] / ran[MILLION][0]
    yield Row("3 M over 1 M", growth, "times", Bar("at most", 3.3))
    yield from peers(folder, captures[MILLION], known)


def peers(folder: Path, captured: Path, known: Path) -> Iterator[Row | Skipped]:
    """How many times longer they take; `make bench-monitor` sets their environment up."""
    python = project.home() / "envs" / "bench-monitor" / "bin" / "python"
    script = project.root() / "benchmarks" / "monitor_peers.py"
    if not python.is_file():
        yield Skipped("1 M records, peers", "they are not set up: make bench-monitor")
        return
    rounds = []
    for _ in range(ROUNDS):
        seconds = {"ours": monitor(folder, "analyze", captured)[0]}
        for name in PEERS:
            command = (str(python), str(script), name, str(captured / "a.jsonl"), str(known))
            seconds[name] = timed(*command)[0]
        rounds.append(seconds)
    best = {name: min(each[name] for each in rounds) for name in rounds[0]}
    for name, (title, least) in PEERS.items():
        yield Row(f"1 M records: times faster than {title}", best[name] / best["ours"], "times",
                  Bar("at least", least), f"{title}, s", best[name])  # fmt: skip


def monitor(folder: Path, mode: str, source: Path) -> tuple[float, float]:
    """Seconds and gigabytes of the job as its container runs it."""
    job = project.root() / "monitoring_code" / "data_quality.py"
    output = folder / ("known" if mode == "baseline" else f"report-{source.name}")
    return timed(
        str(project.home() / "envs" / "jobs" / "bin" / "python"), str(job),
        "--base", str(folder), "--mode", mode, "--source", str(source),
        "--baseline", str(folder / "known"), "--output", str(output),
    )  # fmt: skip


def timed(*command: str) -> tuple[float, float]:
    """Wall seconds of a process and its peak of resident memory in GB; its failure is ours."""
    with tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=told, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        assert process.returncode == 0, told.read().decode(errors="replace")[-2000:]
    return seconds, used.ru_maxrss / 1e6


def rows(count: int, seed: int) -> pa.Table:
    """Records of twenty features, from a seed."""
    random = np.random.default_rng(seed)
    return pa.table(
        {f"x{i}": random.normal(size=count).round(5) for i in range(FRACTIONS)}
        | {f"n{i}": random.integers(0, 100, count) for i in range(INTEGERS)}
        | {f"c{i}": random.choice(COLOURS, count) for i in range(CATEGORIES)}
    )


def capture(folder: Path, count: int) -> Path:
    """Records as an endpoint captures them, one CSV row an invocation; gives the folder."""
    folder.mkdir()
    part = {"observedContentType": "text/csv", "mode": "INPUT", "encoding": "CSV", "data": "%s"}
    answer = {**part, "mode": "OUTPUT", "data": "0.5"}
    event = {
        "captureData": {"endpointInput": part, "endpointOutput": answer},
        "eventMetadata": {"eventId": "%d", "inferenceTime": "2026-03-01T12:30:00Z"},
        "eventVersion": "0",
    }
    line = json.dumps(event) + "\n"
    options = csv_writer.WriteOptions(include_header=False, quoting_style="none")
    with (folder / "a.jsonl").open("w", encoding="utf-8") as file:
        for begin in range(0, count, BLOCK):
            written = pa.BufferOutputStream()
            csv_writer.write_csv(rows(min(BLOCK, count - begin), begin + 1), written, options)
            texts = written.getvalue().to_pybytes().decode().splitlines()
            file.writelines(line % (text, begin + i) for i, text in enumerate(texts))
    return folder
