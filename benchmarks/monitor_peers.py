"""What Evidently and whylogs do with the same captured records; runs in their own environment.

python monitor_peers.py evidently|whylogs CAPTURE BASELINE
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pandas as pd


def captured(path: Path, names: list[str]) -> pd.DataFrame:
    """The payloads of captured requests, read the way their users do."""
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line)["captureData"]["endpointInput"]["data"] for line in file]
    return pd.read_csv(io.StringIO("\n".join(lines)), header=None, names=names)


def evidently(live: pd.DataFrame, baseline: pd.DataFrame) -> int:
    """https://docs.evidentlyai.com/metrics/preset_data_drift"""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    return len(Report([DataDriftPreset()]).run(live, baseline).json())


def whylogs(live: pd.DataFrame, baseline: pd.DataFrame) -> int:
    """https://whylogs.readthedocs.io/en/latest/examples/basic/Getting_Started.html"""
    import whylogs as why

    return len(why.log(live).profile().view().to_pandas())


if __name__ == "__main__":
    peer, capture, known = sys.argv[1:]
    before = pd.read_parquet(known)
    print(globals()[peer](captured(Path(capture), list(before)), before))
