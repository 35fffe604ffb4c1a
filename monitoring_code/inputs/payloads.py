"""Captured payloads (CSV, JSON, BASE64) as records in columns, many payloads at once.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv_reader
import pyarrow.json as json_reader

from inputs import jsonlines
from inputs.jsonlines import Rejects

# One member of a request or an answer that holds the records.
HOLDERS = ("records", "instances", "predictions")


@dataclass(frozen=True)
class Records:
    """Records in columns, and of each record the number of the payload that it came in."""

    columns: pa.Table
    parents: np.ndarray


def decode(
    data: pa.Array, encodings: pa.Array, types: pa.Array, names: Sequence[str], rejects: Rejects
) -> Records:
    """All payloads' records; `names` are those of CSV columns, used where their number fits."""
    numbers = np.arange(len(data))
    parts = []
    kinds = pc.unique(encodings).to_pylist()
    for encoding in kinds:
        if len(kinds) == 1 and not data.null_count:
            chosen, picked, parents = None, data, numbers
        else:
            chosen = pc.fill_null(pc.and_(pc.equal(encodings, encoding), pc.is_valid(data)), False)
            picked, parents = data.filter(chosen), numbers[chosen.to_numpy(zero_copy_only=False)]
        if encoding == "BASE64":
            said = types if chosen is None else types.filter(chosen)
            parts += _base64(picked, said, parents, names, rejects)
        elif encoding == "CSV":
            parts.append(_csv(picked, parents, names, rejects))
        elif encoding == "JSON":
            parts.append(_json(picked, parents, rejects))
        else:
            rejects.add(f"payloads of encoding {encoding}", len(picked))
    parts = [part for part in parts if len(part.parents)]
    if not parts:
        return Records(pa.table({}), np.empty(0, int))
    if len(parts) == 1:
        return parts[0]
    return Records(
        together([part.columns for part in parts]), np.concatenate([p.parents for p in parts])
    )


def places(parents: np.ndarray) -> np.ndarray:
    """Of each record, how many of the same payload came before it."""
    order = np.argsort(parents, kind="stable")
    ordered = parents[order]
    found = np.empty(len(parents), np.int64)
    found[order] = np.arange(len(parents)) - np.searchsorted(ordered, ordered, side="left")
    return found


def named(ids: pa.Array, parents: np.ndarray) -> pa.Array:
    """Each record's id: its payload's, with its place (`id/0`) where the payload held several."""
    own = ids.take(pa.array(parents))
    several = np.bincount(parents, minlength=len(ids))[parents] > 1
    if not several.any():
        return own
    placed = pc.binary_join_element_wise(own, pa.array(places(parents)).cast(pa.string()), "/")
    return pc.if_else(pa.array(several), placed, own)


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables below one another; where their types differ, a column becomes text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowTypeError:
        kinds = [Counter(field.name for field in each.schema) for each in tables]
        shared = sum(kinds, Counter())
        return pa.concat_tables(
            [_as_text(each, shared) for each in tables], promote_options="default"
        )


def _as_text(table: pa.Table, shared: Counter[str]) -> pa.Table:
    fields = [pa.field(f.name, pa.string()) if shared[f.name] > 1 else f for f in table.schema]
    return table.cast(pa.schema(fields))


def _base64(
    data: pa.Array, types: pa.Array, parents: np.ndarray, names: Sequence[str], rejects: Rejects
) -> list[Records]:
    """Decoded, then by content type, or by how the text begins."""
    texts: dict[str, list[tuple[int, str]]] = {"CSV": [], "JSON": []}
    kinds = types.to_pylist()
    for parent, coded, kind in zip(parents, data.to_pylist(), kinds, strict=True):
        try:
            text = base64.b64decode(coded or "", validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            rejects.add("payloads that are no text")
            continue
        texts[_kind(kind or "", text)].append((parent, text))
    found = []
    for kind, rows in texts.items():
        if rows:
            numbers = np.array([number for number, _ in rows])
            column = pa.array([text for _, text in rows], pa.string())
            found.append(
                _csv(column, numbers, names, rejects)
                if kind == "CSV"
                else _json(column, numbers, rejects)
            )
    return found


def _kind(content_type: str, text: str) -> str:
    if "csv" in content_type:
        return "CSV"
    return "JSON" if "json" in content_type or text.lstrip()[:1] in ("{", "[") else "CSV"


def _csv(data: pa.Array, parents: np.ndarray, names: Sequence[str], rejects: Rejects) -> Records:
    """One or more lines in a payload; read together, then counted apart."""
    rows = pc.utf8_rtrim(data, "\r\n")
    full = np.diff(_offsets(rows)) > 0
    if not full.all():
        rows, parents = rows.filter(pa.array(full)), parents[full]
    if not len(rows):
        return Records(pa.table({}), parents)
    text = _joined(rows).to_pybytes()
    counts = np.ones(len(rows), int)
    if text.count(b"\n") != len(rows):
        counts = pc.add(pc.count_substring(rows, "\n"), 1).to_numpy()
    try:
        table = _read_csv(text)
    except pa.ArrowInvalid:
        table = None
    if table is None or table.num_rows != counts.sum():
        table, counts = _csv_singly(rows.to_pylist(), rejects)
    if len(names) == table.num_columns:
        table = table.rename_columns(list(names))
    return Records(table, np.repeat(parents, counts))


def _csv_singly(payloads: list[str], rejects: Rejects) -> tuple[pa.Table, np.ndarray]:
    """Payloads with line breaks within quotes, or of several widths: the usual width is kept."""
    parsed = [[row for row in csv.reader(io.StringIO(text)) if row] for text in payloads]
    widths = Counter(len(row) for rows in parsed for row in rows)
    width = widths.most_common(1)[0][0]
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    counts = []
    for rows in parsed:
        kept = [row for row in rows if len(row) == width]
        rejects.add(f"CSV rows without {width} columns", len(rows) - len(kept))
        writer.writerows(kept)
        counts.append(len(kept))
    return _read_csv(written.getvalue().encode()), np.array(counts)


def _read_csv(text: bytes) -> pa.Table:
    names = [f"_c{i}" for i in range(len(next(csv.reader([_first_line(text)]))))]
    return csv_reader.read_csv(
        pa.BufferReader(text),
        read_options=csv_reader.ReadOptions(column_names=names),
        parse_options=csv_reader.ParseOptions(newlines_in_values=b'"' in text),
        convert_options=csv_reader.ConvertOptions(
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            true_values=[],
            false_values=[],
        ),
    )


def _first_line(text: bytes) -> str:
    return text[: text.find(b"\n")].decode("utf-8", "replace").rstrip("\r")


def _json(data: pa.Array, parents: np.ndarray, rejects: Rejects) -> Records:
    """An object a payload, or an object that holds a list of them."""
    try:
        table = json_reader.read_json(pa.BufferReader(_joined(data)))
    except pa.ArrowInvalid:
        table = None
    if table is None or table.num_rows != len(data):
        return _json_singly(data.to_pylist(), parents, rejects)
    holder = next((name for name in HOLDERS if _holds(table, name)), None)
    if holder is None:
        return Records(flat(table), parents)
    lists = table[holder].combine_chunks()
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    inner = pa.RecordBatch.from_struct_array(lists.flatten())
    return Records(flat(pa.Table.from_batches([inner])), np.repeat(parents, counts))


def _holds(table: pa.Table, name: str) -> bool:
    if name not in table.column_names:
        return False
    kind = table.schema.field(name).type
    return pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)


def _json_singly(payloads: list[str | None], parents: np.ndarray, rejects: Rejects) -> Records:
    """Payloads over several lines, lists, and members of several types."""
    rows: list[dict[str, Any]] = []
    owners: list[int] = []
    for parent, text in zip(parents, payloads, strict=True):
        found = _objects(text or "", rejects)
        rows += found
        owners += [parent] * len(found)
    return Records(flat(jsonlines.from_rows(rows)), np.array(owners, int))


def _objects(text: str, rejects: Rejects) -> list[dict[str, Any]]:
    try:
        body = json.loads(text)
    except ValueError:
        try:
            body = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            rejects.add("payloads that are no JSON")
            return []
    if isinstance(body, dict):
        held = next((body[name] for name in HOLDERS if isinstance(body.get(name), list)), None)
        body = [body] if held is None else held
    if not isinstance(body, list):
        body = [body]
    return [each if isinstance(each, dict) else _indexed(each) for each in body]


def _indexed(row: Any) -> dict[str, Any]:
    """A record without names: _c0, _c1 and so on, as CSV's."""
    return {f"_c{i}": value for i, value in enumerate(row if isinstance(row, list) else [row])}


def flat(table: pa.Table) -> pa.Table:
    """Members of members as `outer_inner`; lists of one length as `name_0`, `name_1`, ..."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    columns: dict[str, Any] = {}
    for name in table.column_names:
        if pa.types.is_list(table.schema.field(name).type):
            columns |= _spread(name, table[name].combine_chunks())
        else:
            columns[name] = table[name]
    return pa.table(columns)


def _spread(name: str, lists: pa.ListArray) -> dict[str, Any]:
    lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        texts = [None if each is None else json.dumps(each) for each in lists.to_pylist()]
        return {name: pa.array(texts, pa.string())}
    values, width = lists.flatten(), lengths[0]
    return {f"{name}_{i}": values.take(np.arange(i, len(values), width)) for i in range(width)}


def _joined(rows: pa.Array) -> pa.Buffer:
    """The texts, each on a line of its own."""
    ended = pc.binary_join_element_wise(rows, pa.scalar("", rows.type), "\n")
    offsets = _offsets(ended)
    return ended.buffers()[2][int(offsets[0]) : int(offsets[-1])]


def _offsets(texts: pa.Array) -> np.ndarray:
    """Where each text begins in the array's data, and where the last one ends."""
    found = np.frombuffer(texts.buffers()[1], np.int32)
    return found[texts.offset : texts.offset + len(texts) + 1]
