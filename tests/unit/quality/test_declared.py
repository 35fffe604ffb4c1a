"""The `[quality]` section: every mistake is told by its key."""

from __future__ import annotations

import re

import pytest

from chalicelib import settings
from chalicelib.quality.patterns import PRESETS

GOOD = settings.FILE.read_text(encoding="utf-8")
FIRST = '{ check = "size", at_least = 100 }'


def declared(check: str) -> settings.Settings:
    assert FIRST in GOOD
    return settings.parse(GOOD.replace(FIRST, check, 1))


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ('{ check = "sise", at_least = 1 }', "quality.checks[0].check: there is no check 'sise'"),
        ('{ check = "size" }', "size needs at_least, at_most or anomaly"),
        ('{ check = "size", at_least = 5, at_most = 1 }', "at_least 5 is above at_most 1"),
        ('{ check = "size", column = "vine", at_least = 1 }', "size takes no column"),
        (
            '{ check = "size", anomaly = { strategy = "seasonal" } }',
            "quality.checks[0].anomaly: seasonal needs a period",
        ),
        (
            '{ check = "size", anomaly = { strategy = "relative_change" } }',
            "quality.checks[0].anomaly: relative_change needs at_least or at_most",
        ),
        (
            '{ check = "size", anomaly = { strategy = "batch_normal", at_most = 2 } }',
            "quality.checks[0].anomaly: batch_normal takes no at_least or at_most",
        ),
        ('{ check = "mean", at_least = 1 }', "mean needs column"),
        ('{ check = "entropy", column = "vine", levle = "error" }', "checks[0].levle: there is no"),
        ('{ check = "uniqueness", at_least = 1 }', "needs either column or columns"),
        (
            '{ check = "uniqueness", column = "vine", columns = ["vine"], at_least = 1 }',
            "needs either column or columns",
        ),
        ('{ check = "correlation", columns = ["vine"], at_least = 0 }', "needs two columns"),
        ('{ check = "membership", column = "vine" }', "membership needs values"),
        ('{ check = "compliance", predicate = "a >" }', "quality.checks[0].predicate: it ends"),
        ('{ check = "size", at_least = 1, where = "1" }', "quality.checks[0].where: this is a"),
        (
            '{ check = "pattern", column = "vine", pattern = "(" }',
            "quality.checks[0].pattern: '(' is not a regular expression",
        ),
        (
            '{ check = "quantile", column = "helpful_votes", quantile = 2, at_most = 1 }',
            "quality.checks[0].quantile: Input should be less than 1",
        ),
        (
            '{ check = "complete", column = "body" }',
            "quality.checks[0].column: body is not a column of the dataset",
        ),
        (
            '{ check = "compliance", predicate = "stars > 1" }',
            "quality.checks[0].predicate: stars is not a column",
        ),
        (
            '{ check = "mean", column = "vine", at_least = 1 }',
            "quality.checks[0].column: vine is string; mean needs integer or number",
        ),
        (
            '{ check = "less_than", columns = ["vine", "helpful_votes"] }',
            "vine (string) and helpful_votes (integer) cannot be compared",
        ),
        (
            '{ check = "membership", column = "star_rating", values = ["5"] }',
            "quality.checks[0].values: '5' does not fit star_rating, which is integer",
        ),
        (
            '{ check = "foreign_key", column = "vine", references = {table = "a b", column = "c"}}',
            "quality.checks[0].references.table: String should match",
        ),
    ],
)
def test_mistakes_are_named(check: str, words: str) -> None:
    with pytest.raises(settings.SettingsError) as error:
        declared(check)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("bias", "words"),
    [
        ('facet = "vine"', "quality.bias[0]: bias needs either values or above"),
        ('facet = "vine", values = ["Y"]', "needs either positive_values or positive_above"),
        ('facet = "vin", values = ["Y"], positive_above = 3', "bias[0].facet: vin is not a column"),
        (
            'facet = "vine", above = 1, positive_above = 3',
            "quality.bias[0].above: vine is string, not a number",
        ),
        (
            'facet = "vine", values = ["Y"], positive_values = ["5"]',
            "quality.bias[0].positive_values: '5' does not fit star_rating",
        ),
        (
            'facet = "vine", values = ["Y"], positive_above = 3, limits = { CDDL = 0.1 }',
            "quality.bias[0]: a limit of CDDL needs group",
        ),
        (
            'facet = "vine", values = ["Y"], positive_above = 3, limits = { DLP = 0.1 }',
            "quality.bias[0].limits.DLP",
        ),
    ],
)
def test_mistakes_in_bias_are_named(bias: str, words: str) -> None:
    changed, count = re.subn(r"(?s)\nbias = \[.*?\n\]", f"\nbias = [{{ {bias} }}]", GOOD)
    assert count == 1
    with pytest.raises(settings.SettingsError) as error:
        settings.parse(changed)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("check", "metric", "at_least"),
    [
        ('{ check = "complete", column = "vine" }', "complete(vine)", 1.0),
        ('{ check = "complete", column = "vine", at_most = 0.5 }', "complete(vine)", None),
        (
            '{ check = "compliance", predicate = "total_votes > 1", where = "vine = \'Y\'" }',
            "compliance(total_votes > 1) where vine = 'Y'",
            1.0,
        ),
        (
            '{ check = "correlation", columns = ["helpful_votes", "total_votes"], at_least = 0.5 }',
            "correlation(helpful_votes, total_votes)",
            0.5,
        ),
    ],
)
def test_a_metric_has_a_name_and_a_check_its_bound(
    check: str, metric: str, at_least: float | None
) -> None:
    first = declared(check).quality.checks[0]
    assert (first.metric, first.at_least) == (metric, at_least)


@pytest.mark.parametrize(
    ("preset", "good", "bad"),
    [
        ("email", "a.b+c@mail.example.org", "a@b, @example.org, a b@c.de, a@-b.de"),
        ("url", "https://example.org/a?b=c#d", "example.org, http://, https:// a.b"),
        ("ip", "192.168.0.255", "256.1.1.1, 1.2.3, 1.2.3.4.5, 01.2.3.4"),
    ],
)
def test_presets(preset: str, good: str, bad: str) -> None:
    assert re.search(PRESETS[preset], good)
    assert not [text for text in bad.split(", ") if re.search(PRESETS[preset], text)]
