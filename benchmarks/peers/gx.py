"""quality_checks.toml in Great Expectations: `gx.py PARQUET CHECKS` prints seconds and verdicts."""

from __future__ import annotations

import json
import logging
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd


def expectation(check: dict[str, Any]) -> gxe.Expectation:
    """The expectation that means the same."""
    low, high, column = check.get("at_least"), check.get("at_most"), check.get("column")
    bounds = {"min_value": low, "max_value": high}
    share = {"column": column, "mostly": 1.0 if low is None else low}
    aggregates = {
        "count_distinct": gxe.ExpectColumnUniqueValueCountToBeBetween,
        "distinctness": gxe.ExpectColumnProportionOfUniqueValuesToBeBetween,
        "min": gxe.ExpectColumnMinToBeBetween,
        "max": gxe.ExpectColumnMaxToBeBetween,
        "mean": gxe.ExpectColumnMeanToBeBetween,
        "stddev": gxe.ExpectColumnStdevToBeBetween,
        "sum": gxe.ExpectColumnSumToBeBetween,
    }
    kind = check["check"]
    if kind in aggregates:
        return aggregates[kind](column=column, **bounds)
    if kind == "size":
        return gxe.ExpectTableRowCountToBeBetween(**bounds)
    if kind == "completeness":
        return gxe.ExpectColumnValuesToNotBeNull(**share)
    if kind == "uniqueness":
        return gxe.ExpectColumnValuesToBeUnique(**share)
    if kind == "membership":
        return gxe.ExpectColumnValuesToBeInSet(value_set=check["values"], **share)
    if kind == "pattern":
        return gxe.ExpectColumnValuesToMatchRegex(regex=check["pattern"], **share)
    if kind == "quantile":
        ranges = {"quantiles": [check["quantile"]], "value_ranges": [[low, high]]}
        return gxe.ExpectColumnQuantileValuesToBeBetween(column=column, quantile_ranges=ranges)
    if kind in ("min_length", "max_length"):
        return gxe.ExpectColumnValueLengthsToBeBetween(column=column, **bounds)
    if kind == "non_negative":
        return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0)
    if kind == "less_than_or_equal":
        one, two = check["columns"]
        return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=two, column_B=one, or_equal=True
        )
    raise ValueError(f"no expectation for {kind}")


def main(path: str, checks: str) -> None:
    logging.disable(logging.CRITICAL)
    declared = tomllib.loads(Path(checks).read_text())["checks"]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    began = time.perf_counter()
    frame = pd.read_parquet(path)
    read = time.perf_counter() - began
    asset = context.data_sources.add_pandas("reviews").add_dataframe_asset("reviews")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    wanted = [expectation(each) for each in declared]
    for index, each in enumerate(wanted):
        each.meta = {"index": index}  # results come in an order of their own
    suite = gx.ExpectationSuite("checks", expectations=wanted)
    result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    seconds = time.perf_counter() - began
    found = {each.expectation_config.meta["index"]: bool(each.success) for each in result.results}
    verdicts = [found[index] for index in range(len(declared))]
    answer = {"seconds": seconds, "read": read, "verdicts": verdicts, "version": gx.__version__}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
