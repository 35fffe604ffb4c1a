"""DataProcessing of a batch transform: what the model sees of a record, what stays by its answer.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.errors import validation

JSON_TYPES = ("application/json", "application/jsonlines")
CSV = "text/csv"
ROOT = "$"
INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
STEP = re.compile(
    r"\.?\[\s*(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\s*\]"
    r"|\.?\[(?P<places>[-\d:,\s]*|\*)\]"
    r"|\.(?P<name>[\w-]+|\*)"
)
Step = Callable[[Any], Any]


class DataProcessingError(Exception):
    """A record, or the answer to it, is not what the job says; the words are a FailureReason."""


@dataclass(frozen=True)
class DataProcessing:
    """The filters and the join of one job."""

    content_type: str
    sees: tuple[Step, ...]
    keeps: tuple[Step, ...]
    joins: bool

    def sent(self, record: bytes) -> bytes:
        """What of a record goes to the model."""
        return self._written(_follow(self.sees, self._read(record))) if self.sees else record

    def kept(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """The answer to some records, a line each, as it goes into the output file."""
        if not self.joins and not self.keeps:
            return answer
        answers = answer.splitlines() if len(records) > 1 else [answer.strip()]
        if len(answers) != len(records):
            raise DataProcessingError(
                f"Fail to join data: mismatched line count between the input ({len(records)}) "
                f"and the output ({len(answers)})"
            )
        return b"\n".join(map(self._beside, records, answers))

    def _beside(self, record: bytes, answer: bytes) -> bytes:
        found = self._read(answer)
        if self.joins:
            found = _joined(self._read(record), found, self.content_type)
        return self._written(_follow(self.keeps, found))

    def _read(self, line: bytes) -> Any:
        try:
            if self.content_type == CSV:
                return next(csv.reader([line.decode()]), [])
            return json.loads(line)
        except ValueError as error:
            raise DataProcessingError(f"Unable to decode {line[:80]!r}: {error}") from error

    def _written(self, value: Any) -> bytes:
        if self.content_type != CSV:
            return json.dumps(value, ensure_ascii=False).encode()
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return text.getvalue().encode()


def of(request: dict[str, Any]) -> DataProcessing:
    """A transform job's; ValidationException where it does not fit the rest of the request."""
    wanted = request.get("DataProcessing", {})
    given = request["TransformInput"]
    content_type = given.get("ContentType", "").split(";")[0].strip().lower()
    accept = request["TransformOutput"].get("Accept", "").split(";")[0].strip().lower()
    found = DataProcessing(
        content_type,
        _path(wanted.get("InputFilter", ROOT)),
        _path(wanted.get("OutputFilter", ROOT)),
        wanted.get("JoinSource", "None") == "Input",
    )
    if not (found.sees or found.keeps or found.joins):
        return found
    if content_type not in (*JSON_TYPES, CSV):
        raise validation("DataProcessing takes input of JSON, JSON lines or CSV only.")
    if (found.joins or found.keeps) and (
        (accept == CSV) != (content_type == CSV) or accept not in (*JSON_TYPES, CSV)
    ):
        raise validation("DataProcessing joins an output of the input's format only: see Accept.")
    if given.get("SplitType", "None") != request["TransformOutput"].get("AssembleWith", "None"):
        raise validation("DataProcessing needs an AssembleWith that is the SplitType.")
    return found


def _joined(record: Any, answer: Any, content_type: str) -> Any:
    if content_type == CSV:
        return [*record, *answer]
    if isinstance(record, dict):
        return {**record, OUTPUT: answer}
    return {INPUT: record, OUTPUT: answer}


def _path(expression: str) -> tuple[Step, ...]:
    """The steps of a JSONPath, of the operators that batch transform supports; () for all."""
    rest, steps = expression.removeprefix(ROOT), list[Step]()
    if rest == expression:
        raise validation(f"{expression} is not a JSONPath that DataProcessing supports.")
    while rest:
        found = STEP.match(rest)
        if found is None:
            raise validation(f"{expression} is not a JSONPath that DataProcessing supports.")
        rest = rest[found.end() :]
        steps.append(_step(found))
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if names := found["names"]:
        chosen = re.findall(r"'([^']*)'", names)
        if len(chosen) == 1:
            return lambda value: value[chosen[0]]
        return lambda value: {name: value[name] for name in chosen}
    name, places = found["name"], (found["places"] or "").replace(" ", "")
    if name and name != "*":
        return lambda value: value[name]
    if name or places in ("", "*"):
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    return lambda value: _chosen(value, places)


def _chosen(value: list[Any], places: str) -> Any:
    """`[0]` is one of a list; `[0,5:]` some of it."""
    parts = places.split(",")
    if len(parts) == 1 and ":" not in places:
        return value[int(places)]
    found: list[Any] = []
    for part in parts:
        first, colon, last = part.partition(":")
        if colon:
            found += value[int(first) if first else None : int(last) if last else None]
        else:
            found.append(value[int(part)])
    return found


def _follow(steps: Sequence[Step], value: Any) -> Any:
    try:
        for step in steps:
            value = step(value)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise DataProcessingError(f"a filter of DataProcessing finds nothing: {error!r}") from error
    return value
