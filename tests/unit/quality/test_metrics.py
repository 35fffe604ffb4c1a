"""Every metric against pandas and scipy, which know nothing of the SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from chalicelib.quality.declared import Check
from chalicelib.quality.kinds import KINDS
from tests.unit.quality.conftest import TODAY, Measure

Frame = pd.DataFrame
WORDS = pd.DataFrame({"word": ["red", "green", "green", "blue", None]})


def check(name: str, **keys: Any) -> Check:
    bounds = {} if {"at_least", "at_most"} & keys.keys() else {"at_least": 0.0}
    return Check.model_validate({"check": name, **bounds, **keys})


def share(condition: pd.Series) -> float:
    """Of all rows; where a condition is unknown it does not hold."""
    return float(condition.map(lambda holds: holds is not pd.NA and bool(holds)).mean())


def entropy(table: Frame, *columns: str) -> float:
    counts = table.groupby(list(columns)).size()
    return float(stats.entropy(counts[counts > 0]))


def mutual_information(table: Frame) -> float:
    """As Deequ does: marginals and total of all rows that have one of the two values."""
    joint = pd.crosstab(table.word, table.stars, dropna=False)
    joint = joint[joint.index.notna()]
    total = table[["word", "stars"]].dropna(how="all").shape[0]
    word, stars = table.word.value_counts(), table.stars.value_counts()
    return sum(
        n / total * np.log(n * total / (word[w] * stars[s]))
        for w, row in joint.iterrows()
        for s, n in row.items()
        if n
    )


def matches(column: pd.Series, pattern: str) -> pd.Series:
    return column.str.contains(pattern, regex=True)


CASES: list[tuple[Check, Callable[[Frame], float]]] = [
    (check("size"), len),
    (check("size", where="stars > 3"), lambda t: (t.stars > 3).sum()),
    (check("completeness", column="votes"), lambda t: t.votes.notna().mean()),
    (
        check("completeness", column="votes", where="word = 'red'"),
        lambda t: t[t.word == "red"].votes.notna().mean(),
    ),
    (check("complete", column="day"), lambda t: t.day.notna().mean()),
    (check("uniqueness", column="id"), lambda t: (~t.id.duplicated(keep=False)).mean()),
    (
        check("uniqueness", columns=["word", "votes"]),
        lambda t: (~t[["word", "votes"]].dropna(how="all").duplicated(keep=False)).mean(),
    ),
    (check("distinctness", column="mail"), lambda t: t.mail.nunique() / t.mail.count()),
    (
        check("distinctness", column="mail", where="stars = 5"),
        lambda t: (five := t[t.stars == 5].mail).nunique() / five.count(),
    ),
    (
        check("unique_value_ratio", column="price"),
        lambda t: ((n := t.price.value_counts()) == 1).sum() / len(n),
    ),
    (check("count_distinct", column="price"), lambda t: t.price.nunique()),
    (
        check("count_distinct", columns=["stars", "word"]),
        lambda t: len(t[["stars", "word"]].drop_duplicates()),
    ),
    (check("approx_count_distinct", column="mail"), lambda t: t.mail.nunique()),
    (
        check("compliance", predicate="price > 2 * stars OR word LIKE 'r%'"),
        lambda t: share((t.price > 2 * t.stars.astype(float)) | (t.word == "red")),
    ),
    (
        check("compliance", predicate="votes IN (1, 2)", where="stars < 3"),
        lambda t: share(t[t.stars < 3].votes.isin([1, 2])),
    ),
    (
        check("membership", column="word", values=["red", "été"]),
        lambda t: share(t.word.isna() | t.word.isin(["red", "été"])),
    ),
    (check("membership", column="stars", values=[4, 5]), lambda t: share(t.stars.isin([4, 5]))),
    (check("pattern", column="mail", pattern="email"), lambda t: share(t.mail.str.contains("@"))),
    (check("pattern", column="word", pattern="^[rg]"), lambda t: share(matches(t.word, "^[rg]"))),
    (check("min", column="price"), lambda t: t.price.min()),
    (check("max", column="votes", where="stars = 1"), lambda t: t[t.stars == 1].votes.max()),
    (check("mean", column="price"), lambda t: t.price.mean()),
    (check("mean", column="stars", where="votes > 2"), lambda t: t[t.votes > 2].stars.mean()),
    (check("sum", column="price"), lambda t: t.price.sum()),
    (check("stddev", column="price"), lambda t: t.price.std(ddof=0)),
    (check("min_length", column="word"), lambda t: t.word.str.len().min()),
    (check("max_length", column="mail"), lambda t: t.mail.str.len().max()),
    (
        check("data_type", column="word", type="integral"),
        lambda t: (t.word.dropna() == "12").mean(),
    ),
    (
        check("data_type", column="word", type="fractional"),
        lambda t: (t.word.dropna() == "-3.5").mean(),
    ),
    (
        check("data_type", column="word", type="numeric"),
        lambda t: t.word.dropna().isin(["12", "-3.5"]).mean(),
    ),
    (
        check("data_type", column="word", type="boolean"),
        lambda t: (t.word.dropna() == "true").mean(),
    ),
    (
        check("data_type", column="word", type="string"),
        lambda t: (~t.word.dropna().isin(["12", "-3.5", "true"])).mean(),
    ),
    (
        check("correlation", columns=["stars", "price"]),
        lambda t: stats.pearsonr(*t[["stars", "price"]].dropna().astype(float).T.to_numpy())[0],
    ),
    (check("entropy", column="word"), lambda t: entropy(t, "word")),
    (check("mutual_information", columns=["word", "stars"]), mutual_information),
    (check("histogram", column="word"), lambda t: t.word.nunique(dropna=False)),
    (check("histogram", column="word", value="red"), lambda t: (t.word == "red").mean()),
    (check("histogram", column="word", value="NullValue"), lambda t: t.word.isna().mean()),
    (check("histogram", column="stars", value=5), lambda t: (t.stars == 5).mean()),
    (check("non_negative", column="price"), lambda t: share(t.price.fillna(0) >= 0)),
    (check("positive", column="votes"), lambda t: share(t.votes.fillna(1) > 0)),
    (
        check("less_than", columns=["stars", "votes"]),
        lambda t: share(t.stars < t.votes),
    ),
    (
        check("less_than_or_equal", columns=["votes", "price"]),
        lambda t: share(t.votes.astype(float) <= t.price),
    ),
    (
        check("freshness", column="day"),
        lambda t: (pd.Timestamp(TODAY) - pd.to_datetime(t.day).max()).days,
    ),
    (
        check("foreign_key", column="word", references={"table": "words", "column": "word"}),
        lambda t: t.word.dropna().isin(WORDS.word.dropna()).mean(),
    ),
]


def test_every_metric_is_pandas_and_scipys(measure: Measure, frame: Frame) -> None:
    """One statement for all of them; exact but for the order of floating-point sums."""
    found = measure(frame, [each for each, _ in CASES], {"words": WORDS})
    wrong = {
        each.metric: (found[each.metric], float(expected(frame)))
        for each, expected in CASES
        if found[each.metric] != pytest.approx(float(expected(frame)), rel=1e-9)
    }
    assert not wrong


def test_a_quantile_is_near_the_true_one(measure: Measure, frame: Frame) -> None:
    """approx_percentile is a t-digest: near in rank, not in value."""
    checks = [check("quantile", column="price", quantile=q) for q in (0.01, 0.25, 0.5, 0.9)]
    found = measure(frame, checks)
    price = frame.price.dropna()
    for each in checks:
        rank = (price <= found[each.metric]).mean()
        assert rank == pytest.approx(each.quantile, abs=0.01)


def test_the_cases_leave_no_check_out() -> None:
    assert {each.check for each, _ in CASES} | {"quantile"} == KINDS.keys()


def test_what_comes_without_asking(measure: Measure, frame: Frame) -> None:
    found = measure(frame, [], columns=["votes", "id"], histograms=["stars"])
    assert (found["rows"], found["c0"], found["c1"]) == (2000, frame.votes.count(), 2000)
    counts = frame.stars.value_counts()
    assert json.loads(found["h0"]) == {str(star): n for star, n in counts.items()}


def test_metrics_of_no_rows_are_not_measurable(measure: Measure, frame: Frame) -> None:
    found = measure(frame.head(0), [each for each, _ in CASES], {"words": WORDS})
    counts = {"size", "count_distinct", "approx_count_distinct", "histogram"}
    for each, _ in CASES:
        if each.check not in counts:
            assert found[each.metric] is None, each.metric


def test_checks_of_one_metric_share_its_measurement(measure: Measure, frame: Frame) -> None:
    twice = [check("mean", column="stars", at_least=low) for low in (1, 2)]
    assert "m1" not in measure(frame, twice)


REVIEWS = Path(__file__).resolve().parents[4] / "shared" / "data" / "reviews"


@pytest.mark.parametrize("name", ["microwave.tsv", "hair_dryer.tsv.gz"])
def test_real_reviews(measure: Measure, name: str) -> None:
    if not (REVIEWS / name).is_file():
        pytest.skip("no real reviews beside the project")
    table = pd.read_csv(
        REVIEWS / name, sep="\t", quoting=3, keep_default_na=False, dtype={"customer_id": str}
    ).replace({"": None})
    headline, body = table.review_headline, table.review_body
    cases: list[tuple[Check, float]] = [
        (check("size"), len(table)),
        (check("completeness", column="review_headline"), headline.notna().mean()),
        (check("uniqueness", column="review_id"), (~table.review_id.duplicated(False)).mean()),
        (check("distinctness", column="review_body"), body.nunique() / body.count()),
        (check("mean", column="star_rating"), table.star_rating.mean()),
        (check("stddev", column="helpful_votes"), table.helpful_votes.std(ddof=0)),
        (check("max_length", column="review_body"), body.str.len().max()),
        (check("entropy", column="star_rating"), entropy(table, "star_rating")),
        (
            check("correlation", columns=["helpful_votes", "total_votes"]),
            np.corrcoef(table.helpful_votes, table.total_votes)[0, 1],
        ),
        (
            check("less_than_or_equal", columns=["helpful_votes", "total_votes"]),
            (table.helpful_votes <= table.total_votes).mean(),
        ),
        (
            check("pattern", column="review_headline", pattern="^Five Stars$"),
            share(headline.map(lambda t: bool(t and re.search("^Five Stars$", t)))),
        ),
        (check("histogram", column="star_rating", value=1), (table.star_rating == 1).mean()),
    ]
    found = measure(table, [each for each, _ in cases])
    assert {each.metric: found[each.metric] for each, _ in cases} == {
        each.metric: pytest.approx(value, rel=1e-9) for each, value in cases
    }
