"""Data capture: what an endpoint was asked and answered, as columns, a bounded batch at a time.

Files lie at <endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl, one invocation a line.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs import columns, jsonlines, payloads
from inputs.jsonlines import Rejects
from inputs.window import ALWAYS, Window, moment

INPUT, OUTPUT = "endpointInput", "endpointOutput"
_PART = pa.struct(
    [("observedContentType", pa.string()), ("data", pa.string()), ("encoding", pa.string())]
)
_METADATA = pa.struct(
    [
        ("eventId", pa.string()),
        ("inferenceId", pa.string()),
        ("inferenceTime", pa.string()),
        ("customAttributes", pa.list_(pa.string())),
    ]
)
TRUTH = pa.field("groundTruthData", pa.struct([("data", pa.string()), ("encoding", pa.string())]))
Handler = Callable[[Any], Any]


def schema(sides: Sequence[str], *, merged: bool = False) -> pa.Schema:
    """What is read of a line: the rest is passed over."""
    found = pa.schema(
        [
            ("captureData", pa.struct([(side, _PART) for side in sides])),
            ("eventMetadata", _METADATA),
        ]
    )
    return found.append(TRUTH) if merged else found


@dataclass(frozen=True)
class Batch:
    """Records in columns, and the invocations that they came in."""

    columns: pa.Table
    events: pa.Table
    parents: np.ndarray

    @property
    def ids(self) -> pa.Array:
        """Of each record, the id that ground truth names it by."""
        return payloads.named(ids(self.events), self.parents)


@dataclass(frozen=True)
class Capture:
    """What to read of the captured traffic, and how."""

    folder: Path
    window: Window = ALWAYS
    indexes: tuple[str, ...] = (INPUT,)  # dataset_format's captureIndexNames
    variant: str = ""
    names: tuple[str, ...] = ()  # of CSV columns, as the baseline has them
    handler: Handler | None = None  # a user's preprocess_handler
    merged: bool = False  # with ground truth in each line

    def files(self) -> list[Path]:
        """The window's files, of the variant if one is asked for."""
        return [
            path
            for path in sorted(self.folder.rglob("*.jsonl"))
            if self.window.may_hold(path)
            and (not self.variant or self.variant in path.relative_to(self.folder).parts)
        ]

    def batches(self, rejects: Rejects) -> Iterator[Batch]:
        sides = (INPUT, OUTPUT) if self.handler else self.indexes
        for table in jsonlines.tables(self.files(), rejects, schema(sides, merged=self.merged)):
            events = within(table, self.window, rejects).combine_chunks()
            if events.num_rows:
                yield self._batch(events, rejects)

    def _batch(self, events: pa.Table, rejects: Rejects) -> Batch:
        if self.handler is not None:
            table, parents = handled(events, self.handler, rejects)
        else:
            table, parents = self._decoded(events, rejects)
        return Batch(columns.plain(table), events, parents)

    def _decoded(self, events: pa.Table, rejects: Rejects) -> tuple[pa.Table, np.ndarray]:
        """Both sides beside one another, the output's columns first as AWS has them."""
        sides = [side for side in (OUTPUT, INPUT) if side in self.indexes]
        names = self.names if len(sides) == 1 else ()
        found = [decoded(events, side, names, rejects) for side in sides]
        if len(found) == 1:
            return found[0].columns, found[0].parents
        table, parents = beside(*found)
        unnamed = all(name.startswith("_c") for name in table.column_names)
        if unnamed and len(self.names) == table.num_columns:
            table = table.rename_columns(list(self.names))
        return table, parents


def decoded(
    events: pa.Table, side: str, names: Sequence[str], rejects: Rejects
) -> payloads.Records:
    """The records of one side of the invocations."""
    part = pc.struct_field(events["captureData"].combine_chunks(), [side])
    data, encoding, kind = (
        pc.struct_field(part, [name]) for name in ("data", "encoding", "observedContentType")
    )
    return payloads.decode(data, encoding, kind, names, rejects)


def beside(one: payloads.Records, other: payloads.Records) -> tuple[pa.Table, np.ndarray]:
    """The sides' n-th records of an invocation in one row; those without a partner are left out."""
    left, right = _numbered(one.parents), _numbered(other.parents)
    _, at, to = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    first, second = one.columns.take(pa.array(at)), other.columns.take(pa.array(to))
    taken = set(first.column_names)
    if all(name.startswith("_c") for name in (*first.column_names, *second.column_names)):
        width = first.num_columns
        second = second.rename_columns([f"_c{width + i}" for i in range(second.num_columns)])
        taken = set()
    for name in second.column_names:
        first = first.append_column(f"input_{name}" if name in taken else name, second[name])
    return first, one.parents[at]


def within(table: pa.Table, window: Window, rejects: Rejects) -> pa.Table:
    """The invocations of the window; a line without a readable time is refused."""
    words = pc.struct_field(table["eventMetadata"].combine_chunks(), ["inferenceTime"])
    try:
        moments = pc.strptime(words, format="%Y-%m-%dT%H:%M:%SZ", unit="s")
        seconds = moments.cast(pa.int64())
    except pa.ArrowInvalid:
        seconds = pa.array([_seconds(each, rejects) for each in words.to_pylist()], pa.int64())
    kept = pc.is_valid(seconds)
    if window.start is not None:
        first = math.ceil(window.start.timestamp())
        kept = pc.and_kleene(kept, pc.greater_equal(seconds, first))
    if window.end is not None:
        kept = pc.and_kleene(kept, pc.less(seconds, math.ceil(window.end.timestamp())))
    return table if pc.all(kept).as_py() else table.filter(kept)


def ids(events: pa.Table) -> pa.Array:
    """inferenceId where the caller gave one, else eventId."""
    metadata = events["eventMetadata"].combine_chunks()
    given, own = (pc.struct_field(metadata, [name]) for name in ("inferenceId", "eventId"))
    return pc.coalesce(given, own)


@dataclass(frozen=True)
class Side:
    """What a preprocess_handler finds at inference_record.endpoint_input and the like."""

    data: str
    encoding: str
    observed_content_type: str


@dataclass(frozen=True)
class InferenceRecord:
    """The argument of preprocess_handler; ground truth is there where the lines hold it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
    """

    endpoint_input: Side
    endpoint_output: Side
    event_metadata: dict[str, Any]
    ground_truth: Side | None = None


def handled(events: pa.Table, handler: Handler, rejects: Rejects) -> tuple[pa.Table, np.ndarray]:
    """Records that a user's script makes of invocations; an empty answer skips one."""
    rows: list[dict[str, Any]] = []
    parents: list[int] = []
    for number, event in enumerate(events.to_pylist()):
        answer = handler(_record(event))
        found = answer if isinstance(answer, list) else [answer]
        found = [{str(key): value for key, value in row.items()} for row in found if row]
        rejects.add("records that the preprocessing script skipped", not found)
        rows += found
        parents += [number] * len(found)
    return payloads.flat(jsonlines.from_rows(rows)), np.array(parents, int)


def _record(event: dict[str, Any]) -> InferenceRecord:
    data, metadata = event["captureData"] or {}, event["eventMetadata"]
    names = {
        "event_id": metadata["eventId"],
        "inference_id": metadata["inferenceId"],
        "inference_time": metadata["inferenceTime"],
        "custom_attributes": metadata["customAttributes"],
    }
    truth = event.get(TRUTH.name)
    return InferenceRecord(
        _side(data.get(INPUT)), _side(data.get(OUTPUT)), names, _side(truth) if truth else None
    )


def _side(given: dict[str, Any] | None) -> Side:
    members = ("data", "encoding", "observedContentType")
    return Side(*((given or {}).get(name) or "" for name in members))


def _numbered(parents: np.ndarray) -> np.ndarray:
    """One number for each (parent, place)."""
    return parents.astype(np.int64) * 2**32 + payloads.places(parents)


def _seconds(words: str | None, rejects: Rejects) -> int | None:
    try:
        found = moment(words or "")
    except ValueError:
        found = None
    rejects.add("lines without a time", found is None)
    return None if found is None else int(found.timestamp())
