"""Curated rows, and labelled live records, into splits and the baseline's sample.

A SageMaker Processing job; by hand: `python prepare.py --base DIR --label star_rating ...` with
DIR/processing/input/curated/. Each option's default comes from the environment.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import live
import pandas as pd
import pyarrow.dataset as ds
import splits

BASELINE_ROWS = 20_000


def main() -> None:
    options = parse(sys.argv[1:])
    try:
        run(options)
    except splits.DataError as error:
        tell_failure(options.base, str(error))
        sys.exit(f"prepare: {error}")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml")))
    parser.add_argument("--label", default=env.get("LABEL"))
    parser.add_argument("--text", type=json.loads, default=env.get("TEXT", "[]"))
    parser.add_argument("--inputs", type=json.loads, default=env.get("INPUTS", "[]"))
    parser.add_argument("--balance", default=env.get("BALANCE", "none"))
    parser.add_argument("--seed", type=int, default=env.get("SEED", "42"))
    for name in ("validation", "test"):
        share = env.get(f"{name.upper()}_SHARE", "0.05")
        parser.add_argument(f"--{name}-share", type=float, default=share)
    options = parser.parse_args(words)
    if not options.label or not options.inputs or not options.text:
        parser.error("--label, --inputs and --text are needed (or LABEL, INPUTS, TEXT)")
    return options


def run(options: argparse.Namespace) -> None:
    """Read, clean, split and write; says what it counts."""
    inputs = options.base / "processing" / "input"
    output = options.base / "processing" / "output"
    curated = read_curated(inputs / "curated", options)
    labelled = live.read(inputs / "capture", inputs / "ground_truth", options.label, options.inputs)
    rows = clean(pd.concat([curated, labelled], ignore_index=True), options)
    print(f"rows: {len(curated)} curated, {len(labelled)} live; {len(rows)} after cleaning")
    sample = rows.sample(min(len(rows), BASELINE_ROWS), random_state=options.seed)
    write(sample[options.inputs], output / "baseline" / "baseline.parquet")
    if options.balance == "undersample":
        rows = splits.undersample(rows, options.label, options.seed)
    parts = splits.split(
        rows,
        label=options.label,
        group="_group",
        validation=options.validation_share,
        test=options.test_share,
        seed=options.seed,
    )
    for name, part in parts.items():
        write(part.drop(columns="_group"), output / name / f"{name}.parquet")
        counts = part[options.label].value_counts().sort_index().to_dict()
        print(f"{name}: {len(part)} rows, {counts}")


def read_curated(folder: Path, options: argparse.Namespace) -> pd.DataFrame:
    """Only the columns that the model needs; partition columns come from the folders' names."""
    if not any(folder.rglob("*")):
        raise splits.DataError(f"there are no files under {folder}")
    dataset = ds.dataset(folder, format="parquet", partitioning="hive", exclude_invalid_files=True)
    wanted = [*options.inputs, options.label]
    if missing := [name for name in wanted if name not in dataset.schema.names]:
        raise splits.DataError(f"the curated rows lack {', '.join(missing)}")
    frame = dataset.to_table(columns=wanted).to_pandas()
    return frame.astype(dict.fromkeys(options.inputs, object))


def clean(rows: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    """Rows with a label and text, each once; `_group` marks rows of the same text."""
    text = rows[options.text].fillna("").astype(str).agg("\n".join, axis=1).str.strip()
    rows = rows.assign(_group=text)
    rows = rows[(text != "") & rows[options.label].notna()]
    rows = rows.drop_duplicates(["_group", options.label]).reset_index(drop=True)
    label = pd.to_numeric(rows[options.label], errors="coerce")
    if label.notna().all() and (label % 1 == 0).all():
        rows[options.label] = label.astype("int64")
    else:
        rows[options.label] = rows[options.label].astype(str)
    return rows


def write(rows: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(path, index=False)


def tell_failure(base: Path, words: str) -> None:
    """SageMaker shows this as the reason."""
    folder = base / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failure").write_text(words)


if __name__ == "__main__":
    main()
