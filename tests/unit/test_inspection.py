"""Which dropped files are taken, and what the others are told."""

from __future__ import annotations

import gzip

import pytest

from chalicelib import inspection, settings

DATASET = settings.load().dataset
HEADER = "\t".join(column.name for column in DATASET.columns)
ROW = "\t".join(["US", "1", "R1", "B1", "1", "A dryer", "Beauty", "5", "0", "0", "N", "Y",
                 "Fine", 'He said "good', "2015-08-31"])  # fmt: skip
TEXT = f"{HEADER}\n{ROW}\n".encode()


def look(name: str, content: bytes, piece: int = 7) -> inspection.Inspected:
    """Inspect content that comes in small pieces."""
    pieces = [content[i : i + piece] for i in range(0, len(content), piece)]
    return inspection.inspect(name, len(content), pieces, DATASET)


@pytest.mark.parametrize(
    ("name", "content", "rows", "suffix"),
    [
        ("a.tsv", TEXT, 1, ".tsv"),
        ("a.tsv", TEXT.rstrip(b"\n"), 1, ".tsv"),
        ("a.TSV", b"\xef\xbb\xbf" + TEXT, 1, ".tsv"),
        ("a.tsv", TEXT.replace(b"\n", b"\r\n"), 1, ".tsv"),
        ("a.csv", TEXT, 1, ".csv"),
        ("a.tsv.gz", gzip.compress(TEXT), 1, ".tsv.gz"),
        ("a.tsv", gzip.compress(TEXT), 1, ".tsv.gz"),
        ("a.tsv.gz", gzip.compress(TEXT) + gzip.compress(ROW.encode() + b"\n"), 2, ".tsv.gz"),
    ],
)
def test_what_is_taken(name: str, content: bytes, rows: int, suffix: str) -> None:
    found = look(name, content)
    assert (found.rows, found.suffix) == (rows, suffix)


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("a.docx", TEXT, "unknown_type", "Taken: .tsv"),
        ("a.tsv", b"PAR1....", "unknown_type", "is a Parquet file"),
        ("a.tsv", b"", "empty", "is empty"),
        ("a.tsv.gz", gzip.compress(b""), "empty", "holds nothing"),
        ("a.tsv", HEADER.encode() + b"\n", "no_rows", "a header and no rows"),
        ("a.tsv", TEXT.replace(b"star_rating", b"stars"), "wrong_header", "lacks star_rating"),
        ("a.tsv", b"a,b,c\n1,2,3\n", "wrong_header", "line 1 is not the header"),
        ("a.tsv", TEXT.replace(b"Fine", b"\xff\xfe"), "not_text", "line 2 is not utf-8"),
        ("a.tsv", TEXT + b"\0\n", "not_text", "line 3 is not utf-8"),
        ("a.tsv.gz", gzip.compress(TEXT)[:-12], "truncated_gzip", "ends in the middle"),
        ("a.tsv.gz", gzip.compress(TEXT)[:-8] + b"xxxxxxxx", "broken_gzip", "not sound"),
    ],
)
def test_what_is_refused_and_why(name: str, content: bytes, code: str, words: str) -> None:
    with pytest.raises(inspection.RefusedError) as refused:
        look(name, content)
    assert refused.value.code == code
    assert words in refused.value.message


def test_swapped_columns_are_named() -> None:
    swapped = TEXT.replace(b"helpful_votes\ttotal_votes", b"total_votes\thelpful_votes")
    with pytest.raises(inspection.RefusedError, match="column 9 is total_votes, where helpful"):
        look("a.tsv", swapped)


def test_a_new_column_at_the_end_is_reported() -> None:
    found = look("a.tsv", TEXT.replace(b"review_date\n", b"review_date\tlang\n"))
    assert found.warnings == ("new columns, not read: lang",)


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(inspection.RefusedError, match="Split it"):
        inspection.inspect("a.tsv", DATASET.max_mb * 1024**2 + 1, [], DATASET)


def test_the_digest_is_of_the_bytes_whatever_the_pieces() -> None:
    assert look("a.tsv", TEXT, 3).digest == look("b.tsv", TEXT, 1000).digest
