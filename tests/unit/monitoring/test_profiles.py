"""statistics.json: sketches, types, counts, what texts measure. Golden against AWS's schema."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def described(*batches: list[Any]) -> dict[str, Any]:
    from profiles.column import Profile

    profile = Profile("c")
    for values in batches:
        profile.add(pa.chunked_array([pa.array(values)]))
    return profile.described()


def profiled(table: pa.Table, known: dict[str, list[str]] | None = None) -> dict[str, Any]:
    from profiles import dataset

    return dataset.gathered([table], known or {}, baseline=False).statistics()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_a_sketch_keeps_the_count_and_ranks_within_a_hundredth(sizes: list[int], seed: int) -> None:
    from profiles.sketch import Sketch, cumulative, weighted

    random = np.random.default_rng(seed)
    sketch, seen = Sketch(k=256), []
    for size in sizes:
        seen.append(random.gamma(1.5, size=size))
        sketch.add(seen[-1])
    values = np.sort(np.concatenate(seen))
    held = weighted([level.tolist() for level in sketch.levels])
    assert held[1].sum() == len(values)
    assert sum(map(len, sketch.levels)) <= max(256 * 3, min(sizes[0], 256))
    points = np.quantile(values, np.linspace(0.01, 0.99, 25))
    truth = np.searchsorted(values, points, side="right") / len(values)
    assert np.abs(cumulative(held, points) - truth).max() <= 0.02


def test_few_numbers_are_kept_as_they_are() -> None:
    from profiles.sketch import Sketch, weighted

    sketch = Sketch()
    sketch.add(np.array([3.0, 1.0, 1.0]))
    values, weights = weighted([level.tolist() for level in sketch.levels])
    assert values.tolist() == [1, 3]
    assert weights.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("batches", "kind", "present", "missing"),
    [
        ([[1, 2, None]], "Integral", 2, 1),
        ([[1.0, 2.5, None, float("nan")]], "Fractional", 2, 2),
        ([["a", "", None]], "String", 1, 2),
        ([["1", " 2", "3x"]], "Integral", 3, 0),
        ([["1", "2.5", "-1e3"]], "Fractional", 3, 0),
        ([[1, 2], ["x", "y", "z"]], "String", 5, 0),
        ([[None, None]], "Unknown", 0, 2),
    ],
)
def test_types_and_completeness(
    batches: list[list[Any]], kind: str, present: int, missing: int
) -> None:
    found = described(*batches)
    assert found["inferred_type"] == kind
    statistics = found.get("numerical_statistics") or found["string_statistics"]
    assert statistics["common"] == {"num_present": present, "num_missing": missing}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1), min_size=1, max_size=4))
def test_moments_do_not_depend_on_the_batches(batches: list[list[float]]) -> None:
    found = described(*batches)["numerical_statistics"]
    values = np.array([value for batch in batches for value in batch])
    assert found["min"] == values.min()
    assert found["max"] == values.max()
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-9, abs=1e-6)
    assert found["std_dev"] == pytest.approx(values.std(), rel=1e-6, abs=1e-3)
    assert sum(b["count"] for b in found["distribution"]["kll"]["buckets"]) == len(values)


def test_statistics_have_aws_members() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html"""
    found = profiled(pa.table({"n": [1, 2, 3, None], "s": ["x", "y", "x", None]}))
    number, string = found["features"]
    assert found["version"] == 0.0
    assert found["dataset"] == {"item_count": 4}
    numerical = number["numerical_statistics"]
    assert set(numerical) == {"common", "mean", "sum", "std_dev", "min", "max", "distribution"}
    kll = numerical["distribution"]["kll"]
    assert set(kll) == {"buckets", "sketch"}
    assert len(kll["buckets"]) == 10
    assert set(kll["buckets"][0]) == {"lower_bound", "upper_bound", "count"}
    assert kll["buckets"][0]["lower_bound"] == 1
    assert kll["buckets"][-1]["upper_bound"] == 3
    assert kll["sketch"] == {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1.0, 2.0, 3.0]]}
    assert string["string_statistics"] == {
        "common": {"num_present": 3, "num_missing": 1},
        "distinct_count": 2.0,
        "distribution": {"categorical": {"buckets": [{"value": "x", "count": 2},
                                                     {"value": "y", "count": 1}]}},
    }  # fmt: skip


def test_a_column_may_be_absent_from_a_batch() -> None:
    from profiles import dataset

    batches = [pa.table({"a": [1, 2]}), pa.table({"a": [3], "b": ["x"]})]
    found = dataset.gathered(batches, {}, baseline=False).statistics()["features"]
    assert found[0]["numerical_statistics"]["common"] == {"num_present": 3, "num_missing": 0}
    assert found[1]["string_statistics"]["common"] == {"num_present": 1, "num_missing": 2}


def test_many_distinct_texts_are_estimated_and_not_listed() -> None:
    found = described([f"id {n}" for n in range(60_000)])["string_statistics"]
    assert found["distinct_count"] == pytest.approx(60_000, rel=0.05)
    assert "distribution" not in found


def test_a_sample_takes_every_row_with_the_same_chance() -> None:
    from profiles.dataset import Sample

    taken = np.zeros(100)
    for seed in range(300):
        sample = Sample(20, seed)
        for begin in range(0, 100, 30):
            sample.add(pa.table({"row": range(begin, min(begin + 30, 100))}))
        assert sample.rows is not None
        taken[sample.rows["row"].to_numpy()] += 1
    assert taken.sum() == 300 * 20
    assert taken.min() > 30  # 60 are expected of each


TEXTS = {
    "en": "The dryer is not for you",
    "de": "Der Föhn ist nicht gut und laut",
    "es": "el secador es muy bueno para mi pero",
    "cyrillic": "Фен очень хороший",
    "han": "とても良い漢字",
    "other": "1234 !!",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items(), ids=TEXTS)
def test_language_and_script(language: str, text: str) -> None:
    from profiles.text import features

    found = features(pa.table({"t": [text]}), {"t": []}).to_pylist()[0]
    assert found["t_language"] == language
    assert found["t_length"] == len(text)
    assert found["t_non_ascii"] == pytest.approx(len(text.encode()) / len(text) - 1)


def test_what_texts_measure() -> None:
    from profiles.text import features

    table = pa.table({"t": ["Good good bad!", "", None, "42"]})
    found = features(table, {"t": ["good"]}).to_pydict()
    assert found["t_words"] == [3, None, None, 0]
    assert found["t_oov"] == [pytest.approx(1 / 3), None, None, None]
    assert found["t_length"] == [14, None, None, 2]


def test_the_baselines_rates_are_of_rows_that_the_vocabulary_has_not_seen() -> None:
    from profiles import dataset

    table = pa.table({"t": ["seen seen", "unseen unseen"] * 20})
    known = dataset.learn([table], ["t"])
    assert known == {"t": ["seen"]}
    found = dataset.gathered([table], known, baseline=True).statistics()["features"]
    rates = next(each for each in found if each["name"] == "t_oov")
    assert rates["derived_from"] == "t"
    assert rates["numerical_statistics"]["mean"] == 1.0


def test_columns_of_sentences_are_texts() -> None:
    from profiles.text import detect

    table = pa.table({"n": [1], "code": ["A 1"], "body": ["this dryer is much too loud"]})
    assert detect(table) == ["body"]
