"""Ground truth: labels by inference id, as people or later events deliver them.

Files lie at yyyy/mm/dd/hh/*.jsonl; the same id may come twice, the later line wins.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from inputs import columns, jsonlines, payloads
from inputs.capture import Batch
from inputs.jsonlines import Rejects

SCHEMA = pa.schema(
    [
        ("groundTruthData", pa.struct([("data", pa.string()), ("encoding", pa.string())])),
        (
            "eventMetadata",
            pa.struct([("eventId", pa.string()), ("inferenceId", pa.string())]),
        ),
    ]
)
ID, LABEL = "event_id", "ground_truth"


def read(folder: Path, rejects: Rejects, attribute: str = "") -> pa.Table:
    """Columns `event_id` and `ground_truth`, each id once.

    `attribute` names the label within JSON ground truth; without it the first member is taken.
    """
    files = sorted(folder.rglob("*.jsonl")) if folder.is_dir() else []
    found = [
        _labels(table, attribute, rejects) for table in jsonlines.tables(files, rejects, SCHEMA)
    ]
    empty = pa.table({ID: pa.array([], pa.string()), LABEL: pa.array([], pa.string())})
    labels = pa.concat_tables([empty, *found])
    numbered = labels.append_column("line", pa.array(range(labels.num_rows), pa.int64()))
    last = numbered.group_by(ID).aggregate([("line", "max")])
    return labels.take(last["line_max"]).select([ID, LABEL])


def merge(batch: Batch, labels: pa.Table) -> pa.Table:
    """The batch's records that have a label, and their labels in a column of that name."""
    where = pc.index_in(batch.ids, value_set=labels[ID].combine_chunks())
    merged = batch.columns.drop_columns([n for n in (LABEL,) if n in batch.columns.column_names])
    merged = merged.append_column(LABEL, labels[LABEL].take(where))
    return merged.filter(pc.is_valid(where))


def _labels(table: pa.Table, attribute: str, rejects: Rejects) -> pa.Table:
    data = table["groundTruthData"].combine_chunks()
    metadata = table["eventMetadata"].combine_chunks()
    text, encoding = (pc.struct_field(data, [name]) for name in ("data", "encoding"))
    none = pa.nulls(len(text), pa.string())
    records = payloads.decode(text, encoding, none, (), rejects)
    ids = pc.coalesce(*(pc.struct_field(metadata, [n]) for n in ("inferenceId", "eventId")))
    ids = payloads.named(ids, records.parents)
    names = records.columns.column_names
    names = columns.found(names, attribute) if attribute else names
    if not names:
        return pa.table({ID: pa.array([], pa.string()), LABEL: pa.array([], pa.string())})
    # Lines of several encodings name the label differently: each line has one of them.
    label = pc.coalesce(*(records.columns[name].cast(pa.string()) for name in names))
    found = pa.table({ID: ids, LABEL: label})
    return found.filter(pc.and_(pc.is_valid(found[ID]), pc.is_valid(found[LABEL])))
