"""quality.html: what a person sees of quality.json."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from chalicelib.quality import charts, page, verdict
from chalicelib.quality.declared import Quality
from chalicelib.quality.document import document
from chalicelib.quality.query import Wanted

QUALITY = Quality.model_validate(
    {
        "checks": [
            {"check": "complete", "column": "text", "hint": "Ask <the shop>."},
            {"check": "mean", "column": "stars", "at_most": 4, "level": "warning"},
            {"check": "size", "at_least": 2},
        ]
    }
)
OPEN = {"meta", "li", "p", "th", "td", "tr"}  # elements that need no end


class Reader(HTMLParser):
    """Checks that elements close in the order in which they open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in OPEN:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPEN:
            assert self.open.pop() == tag


def rendered(accepted: dict[str, str] | None = None, **measured: str) -> str:
    row = {"rows": "4", "rows_read": "5", "m0": "0.5", "m1": "4.4", "m2": "4"} | measured
    wanted = Wanted(QUALITY.checks, ["text"], ["stars"])
    row |= {"c0": "2", "h0": '{"5":3,"1":1}'}
    history = {"mean(stars)": [3.9, 4.1, 4.0]}
    report = verdict.judge(row, wanted, 0.5, ["new column: <x>"], history)
    offending: Any = {0: [{"id": "<b>", "text": None}]}
    return page.render(document("r1", "reviews", report, offending, history, accepted))


def test_what_broke_is_told_with_rows_and_what_to_do() -> None:
    html = rendered()
    for words in (
        "2 of 4 checks broke: 1 error and 1 warning",
        "complete(text) is 0.5; wanted at least 1. Ask &lt;the shop&gt;.",
        "driftloop run retry r1 --accept-quality",
        '<td class="empty read">NULL</td><td class="text ">&lt;b&gt;</td>',
        "new column: &lt;x&gt;",
        "4 rows, 1 more rejected",
    ):
        assert words in html, words


def test_what_holds_is_told_too() -> None:
    html = rendered(m0="1", m1="3")
    assert "All 4 checks hold" in html
    assert "What broke" not in html


def test_an_acceptance_is_told() -> None:
    html = rendered({"who": "ann", "why": "known", "at": "today"})
    assert "Accepted all the same</strong> by ann at today: known" in html
    assert "nothing was trained" not in html


def test_the_page_is_whole_in_itself() -> None:
    html = rendered()
    assert not re.search(r"(src|href)=|https?://|@import|url\(", html)
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    drawings = re.findall(r"<svg.*?</svg>", html)
    assert len(drawings) == 3
    for drawing in drawings:
        ElementTree.fromstring(drawing)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([1.0], None, None), ([0.0, 0.0], 0.0, 0.0), ([1.0, 2.0], -1e9, 1e9), ([5.0, 1.0], None, 3.0)],
)
def test_a_line_stays_in_its_frame(values: list[float], low: Any, high: Any) -> None:
    drawing = ElementTree.fromstring(charts.line(values, low, high, False))
    dot = drawing.find("circle")
    band = drawing.find("rect")
    assert dot is not None
    assert 0 <= float(dot.attrib["cy"]) <= charts.LINE_HEIGHT
    if band is not None:
        assert 0 <= float(band.attrib["y"]) <= charts.LINE_HEIGHT
        assert float(band.attrib["height"]) > 0


@pytest.mark.parametrize(
    ("share", "words"),
    [(1, "100%"), (0.5, "50%"), (0.999, "99.9%"), (0.99996, "99.9960%"), (0, "0%"),
     (0.00001, "0.0010%"), (1e-9, "<0.0001%")],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, words: str) -> None:
    assert page._percent(share) == words
