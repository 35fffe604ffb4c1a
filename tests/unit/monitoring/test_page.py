"""drift.html: whole in one file, the worst first, safe for any text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest


class Tags(HTMLParser):
    """The texts of headings, and every address that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.fetched: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.fetched += [str(v) for k, v in attributes if k in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        if self._open in ("h1", "h2", "h3"):
            self.headings.append(data.strip())
            self._open = ""


def rendered(
    live: dict[str, Any], history: list[Any] | None = None, known: dict[str, Any] | None = None
) -> str:
    from checks import constraints, violations
    from outputs import features, page
    from profiles import dataset

    random = np.random.default_rng(0)
    before = {"calm": random.normal(size=400), "moved": random.normal(size=400),
             "colour": random.choice(["red", "<b>blue"], 400), **(known or {})}  # fmt: skip
    sides = [
        dataset.gathered([pa.table(rows)], {}, baseline=False) for rows in (before, before | live)
    ]
    base, now = (each.statistics() for each in sides)
    limits = constraints.suggest(base, 0.1, "Significance")
    found, compared = violations.find(now, base, limits)
    run = page.Run(
        title="Drift of <reviews>", window="yesterday", records=400, baseline=400,
        subject="feature", violations=found, compared=compared, rule="A rule.",
        history=history or [],
    )  # fmt: skip
    data = features.Data(now, base, sides[1].sample, sides[0].sample)
    return page.render(run, features.body(run, data))


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_it_fetches_nothing_and_escapes_everything() -> None:
    page = rendered({"note": ["<script>alert(1)</script>"] * 400})
    assert parsed(page).fetched == []
    assert "url(" not in page
    assert "@import" not in page
    assert "<script" not in page
    assert "<b>" not in page
    assert "Drift of &lt;reviews&gt;" in page


def test_the_worst_feature_comes_first() -> None:
    random = np.random.default_rng(1)
    page = rendered({"moved": random.normal(4, size=400)})
    headings = parsed(page).headings
    assert headings[headings.index("Features, worst first") + 1] == "moved"
    assert "1 violation in 1 feature" in page
    assert page.count("<svg") == 3


def test_without_violations_it_says_so() -> None:
    page = rendered({})
    assert "No violation" in page
    assert "What broke" not in page


@pytest.mark.parametrize(
    "live",
    [{"moved": [None] * 400}, {"moved": ["a"] * 400}, {"moved": [5] * 400}, {"new": [1.5] * 400}],
    ids=["all missing", "another type", "one number", "a new column"],
)
def test_any_column_can_be_drawn(live: dict[str, Any]) -> None:
    page = rendered(live)
    assert not re.search(r"\bnan\b|\binf\b", page)


def test_what_was_not_compared_is_not_said_to_be_as_before() -> None:
    page = rendered({"code": [f"id {n}" for n in range(400)]})
    assert page.count('<span class="tag">as before</span>') == 3
    assert page.count('<span class="tag">column is new</span>') == 1
    both = {"code": [f"id {n}" for n in range(400)]}
    assert '<span class="tag">not compared</span>' in rendered(both, known=both)


def test_history_ends_with_this_run() -> None:
    comparison = {"distance": 0.05, "threshold": 0.1, "drifted": False}
    past = [{"comparisons": [comparison], "end": f"2026-03-0{n}T12:00:00Z"} for n in (1, 2)]
    page = rendered({}, past)
    assert "The last 3 runs" in page
    assert page.count("<circle") == 3


def test_words_that_came_and_went() -> None:
    from profiles.text import moved

    before, now = (pa.chunked_array([[f"the {word} is good"] * 9]) for word in ("dryer", "oven"))
    assert moved(before, now, 3) == (["oven"], ["dryer"])
