"""From classified objects to tables and partitions, as Glue groups folders.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from localcloud.glue import inference
from localcloud.glue.catalog import Column, unescape_value
from localcloud.glue.classify import Classified
from localcloud.glue.objects import S3Object

File = tuple[S3Object, Classified]
SIMILAR = 0.7  # the share of columns that two files must have in common
LONGEST_NAME = 128


@dataclass
class Folder:
    """A folder of the target with what lies in it."""

    bucket: str
    prefix: str  # ends in "/"
    files: list[File] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def every(self) -> list[File]:
        found = list(self.files)
        for folder in self.folders.values():
            found += folder.every()
        return found


@dataclass(frozen=True)
class Part:
    """A partition that the crawl found."""

    location: str
    files: list[File]


@dataclass(frozen=True)
class Found:
    """A table that the crawl found: its files share a format and, more or less, their columns."""

    location: str
    files: list[File]
    columns: tuple[Column, ...]
    keys: tuple[Column, ...] = ()
    partitions: dict[tuple[str, ...], Part] = field(default_factory=dict)

    @property
    def sample(self) -> Classified:
        return self.files[0][1]


def tree(bucket: str, prefix: str, files: list[File]) -> Folder:
    """The objects under a prefix as folders."""
    root = Folder(bucket, prefix)
    for item, classified in files:
        here = root
        for name in item.key[len(prefix) :].split("/")[:-1]:
            here = here.folders.setdefault(name, Folder(bucket, f"{here.prefix}{name}/"))
        here.files.append((item, classified))
    return root


def tables(folder: Folder, combine: bool, level: int | None = None) -> list[Found]:
    """The tables in a folder, at a level (the bucket's is 1) or as high as they can lie.

    Where most of what lies in a folder is alike, that is one table; what is not like it is looked
    at by itself. https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html
    """
    if level and 1 + folder.prefix.count("/") < level:
        deeper = [tables(inner, combine, level) for inner in folder.folders.values()]
        return [found for each in deeper for found in each]
    alike = _most(folder, combine)
    found = [_table(folder, [file for unit in alike.values() for file in unit])] if alike else []
    found += [file_table(file) for file in folder.files if file[0].uri not in alike]
    for name, inner in folder.folders.items():
        found += [] if name in alike else tables(inner, combine)
    return found


def _most(folder: Folder, combine: bool) -> dict[str, list[File]]:
    """The files and folders in a folder that are alike, where they are more than half of all."""
    units = {file[0].uri: [file] for file in folder.files}
    units |= {name: inner.every() for name, inner in folder.folders.items()}
    groups: list[dict[str, list[File]]] = []
    for name, files in units.items():
        told = [classified for _, classified in files]
        if not all(compatible(told[0], other, combine) for other in told[1:]):
            continue
        for group in groups:
            if compatible(next(iter(group.values()))[0][1], told[0], combine):
                group[name] = files
                break
        else:
            groups.append({name: files})
    largest = max(groups, key=len, default={})
    return largest if 2 * len(largest) > len(units) else {}


def compatible(one: Classified, other: Classified, combine: bool) -> bool:
    """Whether two files can be one table: data compatibility, then similarity of columns.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html
    """
    if (one.kind, one.compression) != (other.kind, other.compression):
        return False
    if one.text and other.text and one.text.delimiter != other.text.delimiter:
        return False
    return similar(one.columns, other.columns, combine)


def similar(one: Sequence[Column], other: Sequence[Column], combine: bool) -> bool:
    """Whether columns are alike enough for one table; combined, they only must not clash."""
    left, right = ({c.name: c.type for c in columns} for columns in (one, other))
    shared = left.keys() & right.keys()
    if combine:
        return all(_combines(left[name], right[name]) for name in shared)
    return len(shared) >= SIMILAR * max(len(left), len(right))


def _combines(one: str, other: str) -> bool:
    """Types that one column can have; text takes every plain type."""
    nested = any("<" in kind for kind in (one, other))
    return one == other or not nested or inference.merge(one, other) != "string"


def _table(folder: Folder, files: list[File]) -> Found:
    """Files at one depth in folders are partitions; else the folders tell nothing."""
    parts = [item.key[len(folder.prefix) :].split("/")[:-1] for item, _ in files]
    depth = Counter(map(len, parts)).most_common(1)[0][0]
    keys = _keys([names for names in parts if len(names) == depth])
    partitions: dict[tuple[str, ...], Part] = {}
    for names, file in zip(parts, files, strict=True):
        if depth and len(names) == depth:
            values = tuple(unescape_value(name.split("=", 1)[-1]) for name in names)
            location = f"{folder.uri}{'/'.join(names)}/"
            partitions.setdefault(values, Part(location, [])).files.append(file)
    return Found(folder.uri, files, merged(files), keys, partitions)


def file_table(file: File) -> Found:
    """One object that is a table by itself."""
    return Found(file[0].uri, [file], file[1].columns)


def _keys(parts: list[list[str]]) -> tuple[Column, ...]:
    """`key=value` folders name their key; others are partition_0, partition_1, ..."""
    keys = []
    for at, names in enumerate(zip(*parts, strict=True)):
        named = {name.split("=", 1)[0] for name in names if "=" in name}
        plain = any("=" not in name for name in names)
        keys.append(named.pop().lower() if len(named) == 1 and not plain else f"partition_{at}")
    return tuple(Column(name, "string") for name in keys)


def merged(files: Sequence[File]) -> tuple[Column, ...]:
    """The columns of all files: the first file's order, later ones' new columns at the end."""
    kinds: dict[str, str] = {}
    for _, classified in files:
        for column in classified.columns:
            known = kinds.get(column.name)
            kinds[column.name] = inference.merge(known, column.type) if known else column.type
    return tuple(Column(name, kind) for name, kind in kinds.items())


def table_name(location: str, prefix: str) -> str:
    """The last folder's name (or the bucket's), in the characters and length a table may have.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
    """
    name = location.removeprefix("s3://").rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^0-9a-z_]", "_", (prefix + name).lower())[:LONGEST_NAME]
