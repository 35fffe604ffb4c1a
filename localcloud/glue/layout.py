"""From classified objects to tables and partitions, as Glue groups folders.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from localcloud.glue import inference
from localcloud.glue.catalog import Column, unescape_value
from localcloud.glue.classify import Classified
from localcloud.glue.objects import S3Object

SIMILAR = 0.7  # the share of columns that two files must have in common


@dataclass
class Folder:
    """A folder of the target with what lies in it."""

    bucket: str
    prefix: str  # ends in "/"
    files: list[tuple[S3Object, Classified]] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def every(self) -> list[tuple[S3Object, Classified]]:
        found = list(self.files)
        for folder in self.folders.values():
            found += folder.every()
        return found


@dataclass(frozen=True)
class Found:
    """A table that the crawl found: its files share a schema."""

    location: str
    files: list[tuple[S3Object, Classified]]
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    partitions: dict[tuple[str, ...], str]

    @property
    def sample(self) -> Classified:
        return self.files[0][1]


def tree(bucket: str, prefix: str, files: list[tuple[S3Object, Classified]]) -> Folder:
    """The objects under a prefix as folders."""
    root = Folder(bucket, prefix)
    for item, classified in files:
        here = root
        for name in item.key[len(prefix) :].split("/")[:-1]:
            here = here.folders.setdefault(name, Folder(bucket, f"{here.prefix}{name}/"))
        here.files.append((item, classified))
    return root


def tables(folder: Folder, combine: bool) -> list[Found]:
    """One table for the folder where its files agree, else those of the folders in it."""
    every = folder.every()
    if not every:
        return []
    if _agree([classified for _, classified in every], combine):
        return [_table(folder, every)]
    found = [_file_table(folder, item, told) for item, told in folder.files]
    if folder.files and _agree([told for _, told in folder.files], combine):
        found = [_table(Folder(folder.bucket, folder.prefix, folder.files), folder.files)]
    for inner in folder.folders.values():
        found += tables(inner, combine)
    return found


def compatible(one: Classified, other: Classified, combine: bool) -> bool:
    """Whether two files can be one table."""
    if one.kind != other.kind:
        return False
    if one.text and other.text and one.text.delimiter != other.text.delimiter:
        return False
    left, right = ({c.name: c.type for c in each.columns} for each in (one, other))
    shared = left.keys() & right.keys()
    if combine:
        return bool(shared) and all(_combines(left[name], right[name]) for name in shared)
    return len(shared) >= SIMILAR * max(len(left), len(right))


def _combines(one: str, other: str) -> bool:
    """Types that one column can have; text takes every plain type."""
    nested = any("<" in kind for kind in (one, other))
    return one == other or not nested or inference.merge(one, other) != "string"


def _agree(every: list[Classified], combine: bool) -> bool:
    return all(compatible(every[0], other, combine) for other in every[1:])


def _table(folder: Folder, files: list[tuple[S3Object, Classified]]) -> Found:
    """Files at one depth in folders are partitions; else the folders tell nothing."""
    parts = [item.key[len(folder.prefix) :].split("/")[:-1] for item, _ in files]
    depth = Counter(map(len, parts)).most_common(1)[0][0]
    keys = _keys([names for names in parts if len(names) == depth])
    partitions = {}
    for names in parts:
        if depth and len(names) == depth:
            values = tuple(unescape_value(name.split("=", 1)[-1]) for name in names)
            partitions[values] = f"{folder.uri}{'/'.join(names)}/"
    columns = merged([classified for _, classified in files])
    return Found(folder.uri, files, columns, keys, partitions)


def _file_table(folder: Folder, item: S3Object, classified: Classified) -> Found:
    return Found(item.uri, [(item, classified)], classified.columns, (), {})


def _keys(parts: list[list[str]]) -> tuple[Column, ...]:
    """`key=value` folders name their key; others are partition_0, partition_1, ..."""
    keys = []
    for at, names in enumerate(zip(*parts, strict=True)):
        named = {name.split("=", 1)[0] for name in names if "=" in name}
        plain = any("=" not in name for name in names)
        keys.append(named.pop().lower() if len(named) == 1 and not plain else f"partition_{at}")
    return tuple(Column(name, "string") for name in keys)


def merged(every: list[Classified]) -> tuple[Column, ...]:
    """The columns of all files: the first file's order, later ones' new columns at the end."""
    kinds: dict[str, str] = {}
    for classified in every:
        for column in classified.columns:
            known = kinds.get(column.name)
            kinds[column.name] = inference.merge(known, column.type) if known else column.type
    return tuple(Column(name, kind) for name, kind in kinds.items())


def table_name(location: str, prefix: str) -> str:
    """The last folder's name (or the bucket's), in the characters a table may have."""
    name = location.removeprefix("s3://").rstrip("/").rsplit("/", 1)[-1]
    name = name.split("=", 1)[-1] if "=" in name else name
    return re.sub(r"[^0-9a-z_]", "_", (prefix + name).lower())
