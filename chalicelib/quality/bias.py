"""Pre-training bias: does the data favour or neglect a group, before any model is trained.

SageMaker Clarify's metrics and names, from counts alone: how many rows there are for each facet,
label and group. https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.ingest.convert import literal, quoted

if TYPE_CHECKING:
    from chalicelib.quality.declared import Bias

METRICS = ("CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL")


@dataclass(frozen=True)
class Cell:
    """So many rows with this label; `sensitive`: of the facet that may be at a disadvantage (d),
    or else of the other one (a); `positive`: the label is the wished-for outcome.
    """

    sensitive: bool
    label: str
    positive: bool
    group: str | None
    count: int


def measure(cells: Sequence[Cell]) -> dict[str, float | None]:
    """Each metric; None where it is not defined, as for a facet without rows."""
    advantaged = Counter[str]()
    disadvantaged = Counter[str]()
    for cell in cells:
        (disadvantaged if cell.sensitive else advantaged)[cell.label] += cell.count
    n_a, n_d = advantaged.total(), disadvantaged.total()
    if not n_a or not n_d:
        return dict.fromkeys(METRICS)
    shares = _common(advantaged, disadvantaged)
    gaps = [abs(p_a - p_d) for p_a, p_d in shares]
    return {
        "CI": (n_a - n_d) / (n_a + n_d),
        "DPL": _positives(cells, False) / n_a - _positives(cells, True) / n_d,
        "KL": sum(p_a * math.log(p_a / p_d) for p_a, p_d in shares) if shares else None,
        "JS": _jensen_shannon(shares) if shares else None,
        "LP": math.sqrt(sum(gap**2 for gap in gaps)) if shares else None,
        "TVD": sum(gaps) / 2 if shares else None,
        "KS": max(gaps) if shares else None,
        "CDDL": _conditional_disparity(cells),
    }


def read(found: str | None) -> list[Cell]:
    """The cells of what `key` and count give: JSON, {key: rows}."""
    cells = []
    for key, count in json.loads(found or "{}").items():
        sensitive, label, positive, group = json.loads(key)
        cells.append(Cell(sensitive == "true", label, positive == "true", group, int(count)))
    return cells


def key(bias: Bias, label: str) -> str:
    """What rows are grouped by, as a JSON array: sensitive, label, positive, group."""
    sensitive = _chosen(bias.facet, bias.values, bias.above)
    positive = _chosen(label, bias.positive_values, bias.positive_above)
    group = f"CAST({quoted(bias.group)} AS varchar)" if bias.group else "CAST(NULL AS varchar)"
    parts = [
        f"CASE WHEN {sensitive} THEN 'true' ELSE 'false' END",
        f"CAST({quoted(label)} AS varchar)",
        f"CASE WHEN {positive} THEN 'true' ELSE 'false' END",
        group,
    ]
    return f"json_format(CAST(ARRAY[{', '.join(parts)}] AS JSON))"


def _chosen(column: str, values: Sequence[str | int | float], above: float | None) -> str:
    if above is not None:
        return f"{quoted(column)} > {above!r}"
    return f"{quoted(column)} IN ({', '.join(literal(each) for each in values)})"


def _positives(cells: Iterable[Cell], sensitive: bool) -> int:
    return sum(each.count for each in cells if each.positive and each.sensitive == sensitive)


def _common(advantaged: Counter[str], disadvantaged: Counter[str]) -> list[tuple[float, float]]:
    """Shares of the labels that both facets have, as Clarify compares distributions."""
    n_a, n_d = advantaged.total(), disadvantaged.total()
    both = sorted(advantaged.keys() & disadvantaged.keys())
    return [(advantaged[each] / n_a, disadvantaged[each] / n_d) for each in both]


def _jensen_shannon(shares: Iterable[tuple[float, float]]) -> float:
    total = 0.0
    for p_a, p_d in shares:
        middle = (p_a + p_d) / 2
        total += p_a * math.log(p_a / middle) + p_d * math.log(p_d / middle)
    return total / 2


def _conditional_disparity(cells: Sequence[Cell]) -> float | None:
    """Demographic disparity in each group, weighed by its rows.

    Disparity: the sensitive facet's share of the rejected less its share of the accepted.
    """
    grouped = [each for each in cells if each.group is not None]
    if len({each.positive for each in grouped}) < 2:
        return None
    weighed = rows = 0.0
    for group in {each.group for each in grouped}:
        members = [each for each in grouped if each.group == group]
        count = sum(each.count for each in members)
        gap = _sensitive_share(members, False) - _sensitive_share(members, True)
        weighed, rows = weighed + count * gap, rows + count
    return weighed / rows


def _sensitive_share(cells: Iterable[Cell], positive: bool) -> float:
    chosen = [each for each in cells if each.positive == positive]
    rows = sum(each.count for each in chosen)
    return sum(each.count for each in chosen if each.sensitive) / rows if rows else 0.0
