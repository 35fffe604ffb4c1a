"""Curated rows, and labelled live records, into splits and the baseline's sample.

A SageMaker Processing job; by hand: `python prepare.py --base DIR --label star_rating ...` with
DIR/processing/input/curated/. Each option's default comes from the environment. The same rows and
seed give the same splits, in whatever order the rows come.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import balance
import failures
import leakage
import live
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import selection
import splits
from failures import DataError

BASELINE_ROWS = 20_000
HELD_OUT_ROWS = 2_000  # not learned from and mixed as they came, for the monitors' baselines


def main() -> None:
    options = parse(sys.argv[1:])
    try:
        run(options)
    except DataError as error:
        failures.tell(options.base, str(error))
        sys.exit(f"prepare: {error}")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml")))
    parser.add_argument("--label", default=env.get("LABEL"))
    for name in ("inputs", "text", "features", "keep"):
        parser.add_argument(f"--{name}", type=json.loads, default=env.get(name.upper(), "[]"))
    problems = ("multiclass", "binary", "regression")
    parser.add_argument("--problem", choices=problems, default=env.get("PROBLEM", "multiclass"))
    ways = ("undersample", "oversample", "weights", "none")
    parser.add_argument("--balance", choices=ways, default=env.get("BALANCE", "none"))
    default = env.get("BALANCE_EVALUATION", "false")
    parser.add_argument("--balance-evaluation", type=json.loads, default=default)
    sides = ("stratified", "grouped", "time")
    parser.add_argument("--split", choices=sides, default=env.get("SPLIT", "stratified"))
    parser.add_argument("--split-column", default=env.get("SPLIT_COLUMN", ""))
    parser.add_argument("--similarity", type=float, default=env.get("SIMILARITY", "0.8"))
    parser.add_argument("--most-features", type=int, default=env.get("MOST_FEATURES", "0"))
    parser.add_argument("--seed", type=int, default=env.get("SEED", "42"))
    for name in ("validation", "test"):
        share = env.get(f"{name.upper()}_SHARE", "0.05")
        parser.add_argument(f"--{name}-share", type=float, default=share)
    options = parser.parse_args(words)
    if not options.label or not options.inputs or not (options.text or options.features):
        parser.error("--label, --inputs and --text or --features are needed (or LABEL, ...)")
    return options


def run(options: argparse.Namespace) -> None:
    """Read, clean, split, balance and write; says what it counts and what it found."""
    inputs = options.base / "processing" / "input"
    output = options.base / "processing" / "output"
    curated = read_curated(inputs / "curated", options)
    labelled = read_live(inputs, options)
    rows = clean(pd.concat([curated, labelled], ignore_index=True), options)
    print(f"rows: {len(curated)} curated, {len(labelled)} live; {len(rows)} after cleaning")
    sample = rows.sample(min(len(rows), BASELINE_ROWS), random_state=options.seed)
    write(sample[options.inputs], output / "baseline" / "baseline.parquet")
    sides, found = divide(rows, options)
    found["rows_dropped"] = len(curated) + len(labelled) - len(rows)
    found |= examined(rows[sides == "train"], options)
    parts = {name: evened(rows[sides == name], name, options) for name in splits.NAMES}
    held_out = rows[np.isin(sides, ("validation", "test"))].head(HELD_OUT_ROWS)
    write(held_out[columns(options)], output / "held_out" / "held_out.parquet")
    unused = [*found["dropped_features"], "_text", "_digest"]
    for name, part in parts.items():
        write(part.drop(columns=unused), output / name / f"{name}.parquet")
        found["splits"][name] = told(part, options)
        print(f"{name}: {json.dumps(found['splits'][name])}")
    report = output / "report" / "prepare.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(found, indent=2))


def read_curated(folder: Path, options: argparse.Namespace) -> pd.DataFrame:
    """Only the columns that are needed; partition columns come from the folders' names."""
    if not any(folder.rglob("*")):
        raise DataError(f"there are no files under {folder}")
    dataset = ds.dataset(folder, format="parquet", partitioning="hive", exclude_invalid_files=True)
    wanted = columns(options)
    if missing := [name for name in wanted if name not in dataset.schema.names]:
        raise DataError(f"the curated rows lack {', '.join(missing)}")
    frame = dataset.to_table(columns=wanted).to_pandas()
    # A partition column is a category, which no other value can be joined to.
    partition = [name for name in wanted if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(partition, object))


def read_live(inputs: Path, options: argparse.Namespace) -> pd.DataFrame:
    """Labelled live records; one splits by time as of when the model was asked."""
    rows = live.read(inputs / "capture", inputs / "ground_truth", options.label, options.inputs)
    if options.split == "time" and options.split_column not in options.inputs:
        rows[options.split_column] = rows[live.TIME]
    return rows.drop(columns=live.TIME)


def columns(options: argparse.Namespace) -> list[str]:
    extra = [options.split_column] if options.split_column else []
    return list(dict.fromkeys([*options.inputs, options.label, *options.keep, *extra]))


def clean(rows: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    """Rows with a label and something to learn from, each once, in an order by chance.

    `_text` is what makes a row itself. A text that comes again is one review sent twice; tabular
    rows may be alike and each be a fact of its own, so they are numbered. `_digest` is a number of
    it that looks drawn by chance.
    """
    rows = rows.assign(_text=_text(rows, options))
    rows = rows[(rows["_text"] != "") & rows[options.label].notna()]
    if options.text:
        rows = rows.drop_duplicates(["_text", options.label])
    else:
        again = rows.groupby(["_text", options.label]).cumcount().astype(str)
        rows["_text"] += "\x1f" + rows[options.label].astype(str) + "\x1f" + again
    rows[options.label] = _label(rows[options.label], options)
    for name in options.features:
        number = pd.to_numeric(rows[name], errors="coerce")
        if (number.notna() | rows[name].isna()).all():
            rows[name] = number
    if options.split == "time":
        # Days of the curated table beside moments of captured requests.
        when = rows[options.split_column].map(str, na_action="ignore")
        rows[options.split_column] = pd.to_datetime(when, utc=True, format="ISO8601")
    rows["_digest"] = splits.digests(rows["_text"].tolist(), options.seed)
    return rows.sort_values(["_digest", options.label]).reset_index(drop=True)


def divide(rows: pd.DataFrame, options: argparse.Namespace) -> tuple[np.ndarray, dict[str, Any]]:
    """Each row's side, "" for those left out, and what is worth telling of it."""
    stratum = splits.strata(rows[options.label], options.problem)
    keys = rows[options.split_column] if options.split == "grouped" else None
    similarity = options.similarity if options.text else 0
    group = splits.groups(rows["_text"].tolist(), similarity, keys)
    shares = {"validation": options.validation_share, "test": options.test_share}
    if options.split == "time":
        sides = splits.by_time(rows[options.split_column], group, **shares)
    else:
        sides = splits.by_share(stratum, group, rows["_digest"].to_numpy(), **shares)
    for name in splits.NAMES:
        if not (sides == name).any():
            raise DataError(f"the {name} split is empty: {len(rows)} rows are too few")
    learned = set(rows[options.label][sides == "train"])
    if options.problem != "regression" and (missing := set(rows[options.label]) - learned):
        raise DataError(f"the train split has no row of {options.label}={min(missing)}")
    digest = hashlib.blake2b(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return sides, {
        "rows": len(rows),
        "dataset_digest": digest.hexdigest()[:16],
        "seed": options.seed,
        "groups": len(np.unique(group)),
        "left_out_as_copies_of_earlier_rows": int((sides == "").sum()),
        "splits": {},
    }


def examined(train: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """What the training rows say of their features: which leak the label, which are useless."""
    kept, dropped = selection.select(
        train,
        options.features,
        options.label,
        most=options.most_features,
        problem=options.problem,
        seed=options.seed,
    )
    leaks = []
    if options.problem != "regression":
        leaks = leakage.find(train, options.inputs, options.label)
    for found in leaks:
        print(leakage.words(found))
    for name, why in dropped.items():
        print(f"dropped {name}: {why}")
    return {"leaks": leaks, "features": kept, "dropped_features": dropped}


def evened(part: pd.DataFrame, name: str, options: argparse.Namespace) -> pd.DataFrame:
    """The classes of a split in balance, as asked for training and for evaluation."""
    if name != "train":
        how = "undersample" if options.balance_evaluation else "none"
    else:
        how = options.balance  # `weights` is the trainer's: its rows stay as they are
    if how == "undersample":
        return balance.undersample(part, options.label)
    if how == "oversample":
        return balance.oversample(part, options.label, options.seed)
    return part


def told(part: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """How many rows, and of which labels."""
    label = part[options.label]
    if options.problem == "regression":
        return {"rows": len(part), "mean": float(label.mean()), "std": float(label.std())}
    counts = label.value_counts().sort_index()
    return {"rows": len(part), "labels": {str(k): int(v) for k, v in counts.items()}}


def write(rows: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(path, index=False)


def _text(rows: pd.DataFrame, options: argparse.Namespace) -> pd.Series:
    if options.text:
        texts = rows[options.text].fillna("").astype(str)
        return texts.agg("\n".join, axis=1).str.strip()
    known = rows[options.features].notna().any(axis=1)
    words = rows[options.features].astype(object).astype(str).agg("\x1f".join, axis=1)
    return words.where(known, "")


def _label(label: pd.Series, options: argparse.Namespace) -> pd.Series:
    """Whole numbers where all are; for a regression, numbers."""
    number = pd.to_numeric(label, errors="coerce")
    if options.problem == "regression":
        if number.isna().any():
            strange = label[number.isna()].iloc[0]
            raise DataError(f"{options.label} is {strange!r}; a regression needs numbers")
        return number.astype(float)
    if number.notna().all() and (number % 1 == 0).all():
        return number.astype("int64")
    return label.astype(str)


if __name__ == "__main__":
    main()
