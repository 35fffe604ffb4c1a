"""Which dataset takes a drop, by its key; tricks in the key are refused."""

from __future__ import annotations

import pytest

from chalicelib import settings
from chalicelib.ingest import drops
from chalicelib.ingest.drops import Dropped
from chalicelib.reading.refusals import RefusedError

SETTINGS = settings.load()


def dropped(key: str) -> Dropped:
    return Dropped("data", key, 1, "v1")


@pytest.mark.parametrize("key", ["a.tsv", "2026/03/a.tsv", "a b & c.tsv", "ä.tsv", "...tsv"])
def test_a_key_below_the_datasets_folder_is_taken(key: str) -> None:
    assert drops.dataset_of(dropped(f"incoming/reviews/{key}"), SETTINGS) is SETTINGS.dataset


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("incoming/a.tsv", "unknown_dataset"),
        ("incoming/tickets/a.tsv", "unknown_dataset"),
        ("incoming/../reviews/a.tsv", "unsafe_key"),
        ("incoming/reviews/../../raw/a.tsv", "unsafe_key"),
        ("incoming/reviews/./a.tsv", "unsafe_key"),
        ("incoming/reviews//a.tsv", "unsafe_key"),
        ("incoming//reviews/a.tsv", "unsafe_key"),
        ("incoming/reviews/..\\a.tsv", "unsafe_key"),
        ("incoming/reviews/a\n.tsv", "unsafe_key"),
        ("incoming/reviews/a\x00.tsv", "unsafe_key"),
        ("incoming/reviews/" + "a" * 900 + ".tsv", "unsafe_key"),
    ],
)
def test_other_keys_are_refused(key: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        drops.dataset_of(dropped(key), SETTINGS)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("key", "folder", "name"),
    [
        ("incoming/reviews/a.tsv", "reviews", "a.tsv"),
        ("incoming/../etc/passwd", "unknown", "passwd"),
        ("incoming/tickets/a.tsv", "unknown", "a.tsv"),
        ("incoming/reviews/..", "reviews", "file"),
        ("incoming/reviews/<a\n>.tsv", "reviews", "a-.tsv"),
    ],
)
def test_a_refused_file_lies_under_names_that_are_safe(key: str, folder: str, name: str) -> None:
    assert (dropped(key).folder, dropped(key).safe_name) == (folder, name)


def test_a_drop_is_one_version_of_a_key() -> None:
    one = Dropped("data", "incoming/reviews/a.tsv", 1, "v1")
    assert one.id != Dropped("data", "incoming/reviews/a.tsv", 1, "v2").id
    assert one.id == Dropped("data", "incoming/reviews/a.tsv", 1, "v1").id
