"""Ground truth: labels by inference id, as people or later events deliver them.

Files lie at yyyy/mm/dd/hh/*.jsonl; the same id may come twice, the later line wins.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from inputs import columns, jsonlines, payloads
from inputs.capture import TRUTH, Batch
from inputs.jsonlines import Rejects

SCHEMA = pa.schema(
    [
        TRUTH,
        (
            "eventMetadata",
            pa.struct([("eventId", pa.string()), ("inferenceId", pa.string())]),
        ),
    ]
)
ID, LABEL = "event_id", "ground_truth"
HANDLED = "groundtruthdata_0"  # as AWS's container names the label's column


def read(folder: Path, rejects: Rejects, attribute: str = "") -> pa.Table:
    """Columns `event_id` and `ground_truth`, each id once.

    `attribute` names the label within JSON ground truth; without it the first member is taken.
    """
    files = sorted(folder.rglob("*.jsonl")) if folder.is_dir() else []
    found = [
        _labels(table[TRUTH.name], _ids(table), attribute, rejects)
        for table in jsonlines.tables(files, rejects, SCHEMA)
    ]
    empty = pa.table({ID: pa.array([], pa.string()), LABEL: pa.array([], pa.string())})
    labels = pa.concat_tables([empty, *found])
    numbered = labels.append_column("line", pa.array(range(labels.num_rows), pa.int64()))
    last = numbered.group_by(ID).aggregate([("line", "max")])
    return labels.take(last["line_max"]).select([ID, LABEL])


def merge(batch: Batch, labels: pa.Table) -> pa.Table:
    """The batch's records that have a label, and their labels in a column of that name."""
    return _beside(batch, batch.ids, labels)


def merged(batch: Batch, rejects: Rejects, attribute: str = "") -> pa.Table:
    """The same of lines that hold their ground truth: the n-th label is the n-th record's.

    What a preprocessing script says of the truth goes before the line's own.
    """
    told = columns.found(batch.columns.column_names, attribute or HANDLED)
    if told:
        table = batch.columns.drop_columns(told[:1])
        label = batch.columns[told[0]].cast(pa.string())
        return table.append_column(LABEL, label).filter(pc.is_valid(label))
    lines = pa.array([str(n) for n in range(batch.events.num_rows)])
    labels = _labels(batch.events[TRUTH.name], lines, attribute, rejects)
    return _beside(batch, payloads.named(lines, batch.parents), labels)


def _beside(batch: Batch, ids: pa.Array, labels: pa.Table) -> pa.Table:
    where = pc.index_in(ids, value_set=labels[ID].combine_chunks())
    table = batch.columns.drop_columns([n for n in (LABEL,) if n in batch.columns.column_names])
    table = table.append_column(LABEL, labels[LABEL].take(where))
    return table.filter(pc.is_valid(where))


def _labels(truth: pa.ChunkedArray, ids: pa.Array, attribute: str, rejects: Rejects) -> pa.Table:
    """Of each line the labels, by the line's id; those of several records by `<id>/<n>`."""
    data = truth.combine_chunks()
    text, encoding = (pc.struct_field(data, [name]) for name in ("data", "encoding"))
    none = pa.nulls(len(text), pa.string())
    records = payloads.decode(text, encoding, none, (), rejects)
    ids = payloads.named(ids, records.parents)
    names = records.columns.column_names
    names = columns.found(names, attribute) if attribute else names
    if not names:
        return pa.table({ID: pa.array([], pa.string()), LABEL: pa.array([], pa.string())})
    # Lines of several encodings name the label differently: each line has one of them.
    label = pc.coalesce(*(records.columns[name].cast(pa.string()) for name in names))
    found = pa.table({ID: ids, LABEL: label})
    return found.filter(pc.and_(pc.is_valid(found[ID]), pc.is_valid(found[LABEL])))


def _ids(table: pa.Table) -> pa.Array:
    metadata = table["eventMetadata"].combine_chunks()
    return pc.coalesce(*(pc.struct_field(metadata, [n]) for n in ("inferenceId", "eventId")))
