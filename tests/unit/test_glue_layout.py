"""Folders as tables and partitions, exclusions and policies, as Glue's guide describes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.glue import definitions, layout
from localcloud.glue.catalog import Column
from localcloud.glue.classify import Classified
from localcloud.glue.delimited import Delimited
from localcloud.glue.exclusions import excluded
from localcloud.glue.objects import S3Object
from localcloud.glue.policy import InvalidPolicyError, Policy


def file(key: str, columns: str, **more: Any) -> layout.File:
    """A classified object; `columns` as `name:type name:type`."""
    named = tuple(Column(*word.split(":")) for word in columns.split())
    return S3Object("lake", key, 10), Classified(**{"kind": "json", "columns": named, **more})


def csv(key: str, delimiter: str) -> layout.File:
    columns = (Column("a", "int"), Column("b", "int"))
    told = Delimited(delimiter, True, False, columns)
    return S3Object("lake", key, 10), Classified("csv", columns=columns, text=told)


AB, CD = "a:int b:int", "c:int d:int"


def found(
    files: list[layout.File], combine: bool = False, level: int | None = None, prefix: str = "t/"
) -> dict[str, layout.Found]:
    tables = layout.tables(layout.tree("lake", prefix, files), combine, level)
    return {table.location.removeprefix("s3://lake/"): table for table in tables}


@pytest.mark.parametrize(
    ("files", "combine", "locations"),
    [
        pytest.param([file("t/x", AB), file("t/y", AB)], False, {"t/"}, id="alike"),
        pytest.param([], False, set(), id="nothing"),
        pytest.param([file("t/x", AB), file("t/y", CD)], False, {"t/x", "t/y"}, id="unlike files"),
        pytest.param(
            [file("t/p/x", AB), file("t/q/x", CD)], False, {"t/p/", "t/q/"}, id="unlike folders"
        ),
        pytest.param([file("t/p/x", AB), file("t/q/x", CD)], True, {"t/"}, id="combined"),
        pytest.param(
            [file("t/p/x", "a:int"), file("t/q/x", "a:struct<b:int>")],
            True,
            {"t/p/", "t/q/"},
            id="types that no column can have",
        ),
        pytest.param(
            [file("t/1/x", AB), file("t/2/x", AB), file("t/3/x", CD)],
            False,
            {"t/", "t/3/"},
            id="most are one table",
        ),
        pytest.param(
            [file("t/p/x", AB), file("t/q/x", AB, compression="gzip")],
            True,
            {"t/p/", "t/q/"},
            id="compression",
        ),
        pytest.param(
            [file("t/p/x", AB), file("t/q/x", AB, kind="parquet")],
            True,
            {"t/p/", "t/q/"},
            id="kind",
        ),
        pytest.param(
            [csv("t/p/x", ","), csv("t/q/x", "|")], True, {"t/p/", "t/q/"}, id="delimiter"
        ),
        pytest.param(
            [file("t/p/x", "a:int b:int c:int d:int"), file("t/q/x", "a:int b:int c:int z:int")],
            False,
            {"t/"},
            id="three of four columns in common",
        ),
        pytest.param(
            [file("t/p/x", "a:int b:int c:int"), file("t/q/x", "a:int b:int z:int")],
            False,
            {"t/p/", "t/q/"},
            id="two of three columns in common",
        ),
        pytest.param(
            [file("t/one/p/x", AB), file("t/one/q/x", AB), file("t/two/x", CD)],
            False,
            {"t/one/", "t/two/"},
            id="two tables, one of them with partitions",
        ),
    ],
)
def test_tables(files: list[layout.File], combine: bool, locations: set[str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    tables = found(files, combine)
    assert set(tables) == locations
    assert sum(len(table.files) for table in tables.values()) == len(files)


@pytest.mark.parametrize(
    ("keys", "names", "values"),
    [
        (["t/x"], [], []),
        (["t/Year=1/x", "t/Year=2/x"], ["year"], [("1",), ("2",)]),
        (["t/1/a/x", "t/1/b/x"], ["partition_0", "partition_1"], [("1", "a"), ("1", "b")]),
        (["t/y=1/a/x"], ["y", "partition_1"], [("1", "a")]),
        (["t/y=1/x", "t/z=2/x"], ["partition_0"], [("1",), ("2",)]),
        (["t/y=a%3Ab/x"], ["y"], [("a:b",)]),
        (["t/y=1/x", "t/y=1/z"], ["y"], [("1",)]),
        (["t/y=1/x", "t/y=2/x", "t/stray"], ["y"], [("1",), ("2",)]),
    ],
)
def test_partitions(keys: list[str], names: list[str], values: list[tuple[str, ...]]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    table = found([file(key, AB) for key in keys])["t/"]
    assert [key.name for key in table.keys] == names
    assert list(table.partitions) == values
    for part in table.partitions.values():
        assert all(item.uri.startswith(part.location) for item, _ in part.files)


@pytest.mark.parametrize(
    ("level", "locations"),
    [(None, {"t/"}), (2, {"t/"}), (3, {"t/p/", "t/q/"}), (4, {"t/p/1/"})],
)
def test_a_table_level(level: int | None, locations: set[str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html"""
    files = [file("t/p/1/x", AB), file("t/q/x", AB)]
    assert set(found(files, level=level)) == locations


def test_a_merged_table_has_all_columns_and_the_wider_types() -> None:
    table = found([file("t/p/x", "a:int b:int"), file("t/q/x", "c:string b:double")], True)["t/"]
    assert [(c.name, c.type) for c in table.columns] == [
        ("a", "int"),
        ("b", "double"),
        ("c", "string"),
    ]


@pytest.mark.parametrize(
    ("location", "prefix", "name"),
    [
        ("s3://lake/raw/reviews/", "raw_", "raw_reviews"),
        ("s3://my-lake/", "", "my_lake"),
        ("s3://lake/t/year=2017/", "", "year_2017"),
        ("s3://lake/t/Data 1.csv", "", "data_1_csv"),
        ("s3://lake/" + "x" * 200, "p_", "p_" + "x" * 126),
    ],
)
def test_a_tables_name(location: str, prefix: str, name: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    assert layout.table_name(location, prefix) == name


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.csv", ["a.csv"], ["b/a.csv", "a.json"]),
        ("**.csv", ["a.csv", "b/a.csv"], ["a.json"]),
        ("*.*", ["a.b"], ["a"]),
        ("*.{csv,avro}", ["a.csv", "a.avro"], ["a.json", "a.csv,avro"]),
        ("foo.?", ["foo.a"], ["foo.ab", "foo./"]),
        ("myfolder/*", ["myfolder/a"], ["myfolder/a/b"]),
        ("myfolder/*/*", ["myfolder/a/b"], ["myfolder/a"]),
        ("myfolder/**", ["myfolder/a", "myfolder/a/b"], ["myfolder"]),
        ("myfolder**", ["myfolder", "myfolder/a.txt"], ["your/myfolder"]),
        ("2015/01/{[!0],0[8-9]}**", ["2015/01/12/a", "2015/01/08/a"], ["2015/01/07/a"]),
        ("2015/0[2-9]/**", ["2015/02/01/a"], ["2015/01/01/a", "2015/12/01/a"]),
        ("a[!b]c", ["axc"], ["abc", "a/c"]),
        (r"\{a\*", ["{a*"], ["{ab"]),
        ("a,b", ["a,b"], ["a"]),
        ("*", [".hidden"], ["a/b"]),
    ],
)
def test_exclude_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude"""
    assert all(excluded(path, [pattern]) for path in matching)
    assert not any(excluded(path, [pattern]) for path in others)


def test_a_policy_has_awss_defaults() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    assert Policy.of({}) == Policy("UPDATE_IN_DATABASE", "DEPRECATE_IN_DATABASE")


def test_a_policy_as_configured() -> None:
    configuration = {
        "Version": 1.0,
        "CrawlerOutput": {
            "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
            "Tables": {"AddOrUpdateBehavior": "MergeNewColumns", "TableThreshold": 5},
        },
        "Grouping": {
            "TableGroupingPolicy": "CombineCompatibleSchemas",
            "TableLevelConfiguration": 2,
        },
    }
    crawler = {
        "Configuration": json.dumps(configuration),
        "SchemaChangePolicy": {"UpdateBehavior": "LOG", "DeleteBehavior": "DELETE_FROM_DATABASE"},
    }
    assert Policy.of(crawler) == Policy(
        update="LOG",
        delete="DELETE_FROM_DATABASE",
        merge_new_columns=True,
        inherit=True,
        combine=True,
        table_level=2,
        table_threshold=5,
    )


def test_an_incremental_crawl_only_adds() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    policy = Policy.of({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}})
    assert (policy.update, policy.delete) == ("LOG", "LOG")
    with pytest.raises(InvalidPolicyError, match="CRAWL_EVENT_MODE"):
        Policy.of({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}})


def test_a_merge_adds_columns_and_changes_nothing_else() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html"""
    one = definitions.table_input(found([file("t/x", AB)])["t/"], "t", "crawler")
    two = definitions.table_input(
        found([file("t/x", "a:string b:int c:int")])["t/"], "t", "crawler"
    )
    one["StorageDescriptor"]["Columns"][0]["Comment"] = "mine"
    merged = definitions.merged(one, two)
    assert merged["StorageDescriptor"]["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "mine"},
        {"Name": "b", "Type": "int"},
        {"Name": "c", "Type": "int"},
    ]
    assert definitions.incompatible(one, two) == []
    gz = found([file("t/x", AB, compression="gzip")])["t/"]
    assert definitions.incompatible(one, definitions.table_input(gz, "t", "crawler")) == [
        "compressionType: none became gzip"
    ]
