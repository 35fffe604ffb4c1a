"""Which dropped files are taken and how their rows are written, and what the others are told."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import tracemalloc
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from chalicelib import settings
from chalicelib.reading import delimited, inspection, rows
from chalicelib.reading.refusals import CODES, RefusedError
from chalicelib.schema import Dataset

DATASET = settings.load().dataset
NAMES = [column.name for column in DATASET.columns]
HEADER = "\t".join(NAMES)
VALUES = ["US", "1", "R1", "B1", "1", "A dryer", "Beauty", "5", "0", "0", "N", "Y",
          "Fine", 'He said "good', "2015-08-31"]  # fmt: skip
ROW = "\t".join(VALUES)
TEXT = f"{HEADER}\n{ROW}\n".encode()
RECORD = dict(zip(NAMES, VALUES, strict=True)) | {"star_rating": 5, "helpful_votes": None}
JSON = json.dumps(RECORD).encode() + b"\n"
ONE_KIND = b"1\x01\x01" + ROW.encode().replace(b"\t", b"\x01")


def look(
    name: str, content: bytes, piece: int = 7, dataset: Dataset = DATASET, **options: Any
) -> tuple[inspection.Inspected, list[bytes]]:
    """What content that comes in small pieces is found to be, and the rows that were written."""
    pieces = [content[i : i + piece] for i in range(0, len(content), piece)]
    written = io.BytesIO()
    found = inspection.inspect(name, len(content), pieces, dataset, written, **options)
    lines = gzip.decompress(written.getvalue()).splitlines() if found.is_text else [b""]
    return found, lines[1:]


def quoted(**more: Any) -> Dataset:
    return DATASET.model_copy(update={"delimiter": ",", "quote": '"', **more})


def parquet(rows: dict[str, list[Any]], **options: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(rows), written, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", TEXT),
        ("a.tsv", TEXT.rstrip(b"\n")),
        ("a.TSV", b"\xef\xbb\xbf" + TEXT),
        ("a.tsv", TEXT.replace(b"\n", b"\r\n")),
        ("a.tsv", TEXT.rstrip(b"\n") + b"\r"),
        ("a.tsv", TEXT.replace(b"\n", b"\n\n")),
        ("a.csv", TEXT),
        ("a.tsv.gz", gzip.compress(TEXT)),
        ("a.tsv", gzip.compress(TEXT)),
        ("a.tsv.zst", zstd.compress(TEXT)),
        ("a.txt", zstd.compress(TEXT)),
    ],
)
def test_text_becomes_rows_of_one_kind(name: str, content: bytes) -> None:
    found, written = look(name, content)
    assert (found.rows, written) == (1, [ONE_KIND])
    assert found.warnings == ()


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_compressed_parts_follow_one_another(pack: Any) -> None:
    found, written = look("a.tsv.gz", pack(TEXT) + pack(ROW.encode() + b"\n"))
    assert found.rows == 2
    assert [row[:1] for row in written] == [b"1", b"2"]


def test_columns_are_read_by_name_in_any_order() -> None:
    turned = "\t".join(reversed(NAMES)) + "\n" + "\t".join(reversed(VALUES)) + "\n"
    found, written = look("a.tsv", turned.encode())
    assert written == [ONE_KIND]
    assert found.warnings == ("the columns come in another order: read by name",)


def test_an_extra_column_is_reported_and_comes_last() -> None:
    content = TEXT.replace(b"marketplace", b"lang\tmarketplace").replace(b"\nUS", b"\nen\tUS")
    found, written = look("a.tsv", content)
    assert written == [ONE_KIND + b"\x01en"]
    assert found.warnings[0] == "extra columns, not read: lang"
    assert found.columns[0] == "lang"


def test_an_optional_column_may_be_missing() -> None:
    content = TEXT.replace(b"\tvine\t", b"\t").replace(b"\tN\t", b"\t")
    found, written = look("a.tsv", content)
    assert written == [ONE_KIND.replace(b"\x01N\x01", b"\x01\x01")]
    assert found.warnings == ("optional columns that are not in the file: vine",)


def test_values_in_quotes_may_hold_anything() -> None:
    cells = {"product_title": 'A, "dryer"', "review_body": "two\r\nlines"}
    line = ",".join(
        '"' + cells.get(name, value).replace('"', '""') + '"'
        for name, value in zip(NAMES, VALUES, strict=True)
    )
    found, written = look("a.csv", f"{','.join(NAMES)}\n{line}\n".encode(), dataset=quoted())
    values = written[0].split(b"\x01")[2:]
    assert found.rows == 1
    assert values[NAMES.index("product_title")] == b'A, "dryer"'
    assert values[NAMES.index("review_body")] == b"two\x1elines"
    assert found.line_ends
    assert not look("a.tsv", TEXT)[0].line_ends


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d"])
@pytest.mark.parametrize("quoted_value", ["one{}two", '"one{}two"'])
def test_what_unicode_calls_a_lines_end_is_data(mark: str, quoted_value: str) -> None:
    cells = [quoted_value.format(mark) if n == "review_body" else v
             for n, v in zip(NAMES, VALUES, strict=True) if n != "review_headline"]  # fmt: skip
    names = [name for name in NAMES if name != "review_headline"]
    text = f"{','.join(names)}\n{','.join(cells)}\n"
    found, written = look("a.csv", text.encode(), 1000, dataset=quoted())
    values = written[0].split(b"\x01")[2:]
    assert (found.rows, len(values)) == (1, len(NAMES))
    assert values[NAMES.index("review_body")] == f"one{mark}two".encode()


def test_a_declared_encoding_becomes_utf8() -> None:
    for encoding in ("cp1252", "utf-16"):
        found, written = look(
            "a.tsv",
            TEXT.decode().replace("Fine", "Schön").encode(encoding),
            dataset=DATASET.model_copy(update={"encoding": encoding}),
        )
        assert found.rows == 1
        assert "Schön".encode() in written[0]


def test_json_lines_keep_values_as_written() -> None:
    _, written = look("a.jsonl", JSON + JSON.replace(b": 5,", b": 5.0,"))
    assert written[0] == ONE_KIND.replace(b"\x015\x010\x01", b"\x015\x01\x01")
    assert b"\x015.0\x01" in written[1]


def test_a_row_that_is_wrong_as_a_whole_says_so() -> None:
    content = TEXT + b"too\tshort\n" + ROW.replace("Fine", "Fi\x01ne").encode() + b"\n"
    _, written = look("a.tsv", content)
    faults = [row.split(b"\x01")[1] for row in written]
    assert faults == [
        b"",
        b"the row has 2 values, the header 15",
        b"the row holds the control character Ctrl-A",
    ]
    assert {row.count(b"\x01") for row in written} == {16}
    _, written = look("a.jsonl", JSON + b"[1]\n")
    assert written[1].split(b"\x01")[1] == b"the line is not a JSON object: [1]"


def test_parquet_tells_its_rows_and_types_by_its_footer() -> None:
    typed = {name: [value] for name, value in zip(NAMES, VALUES, strict=True)}
    typed |= {"star_rating": [5], "extra": [[1, 2]], "after": [1.5]}
    found, _ = look("a.parquet", parquet(typed))
    assert (found.rows, found.kind.format) == (1, "parquet")
    assert found.types["star_rating"] == "bigint"
    assert found.types["review_body"] == "string"
    assert (found.types["extra"], found.types["after"]) == ("nested", "double")
    assert found.warnings == ("extra columns, not read: extra, after",)


HEADLESS = b"1,2\n3,4\n"
BOMB = gzip.compress(TEXT + (ROW + "\n").encode() * 250_000)
COLUMNS = {name: [value] for name, value in zip(NAMES, VALUES, strict=True)}
PARQUET = parquet(COLUMNS)


REFUSED = [
    ("a.docx", TEXT, "unknown_type", "Taken: .tsv"),
    ("a.tsv", b"PAR1....", "unknown_type", "is a Parquet file"),
    ("a.tsv", b"PK\x03\x04....", "unknown_type", "a zip archive"),
    ("a.tsv.gz", gzip.compress(b"BZh91AY"), "unknown_type", "a bzip2 file"),
    ("a.parquet.gz", gzip.compress(PARQUET), "unknown_type", "Unpack it"),
    ("a.tsv", b"", "empty", "is empty"),
    ("a.tsv.gz", gzip.compress(b""), "empty", "holds nothing"),
    ("a.jsonl", b"\n\n", "empty", "holds nothing"),
    ("a.tsv", HEADER.encode() + b"\n", "no_rows", "a header and no rows"),
    ("a.parquet", parquet({n: pa.array([], "string") for n in NAMES}), "no_rows", "no rows"),
    ("a.tsv", TEXT.replace(b"\t", b","), "wrong_delimiter", "separated by ','"),
    ("a.tsv", HEADLESS, "wrong_header", "line 1 is not the header"),
    ("a.tsv", TEXT.replace(b"star_rating", b"stars"), "missing_column", "lacks star_rating"),
    ("a.jsonl", JSON.replace(b"star_rating", b"s"), "missing_column", "lacks star_rating"),
    ("a.parquet", parquet({"review_id": ["R1"]}), "missing_column", "lacks product_category"),
    ("a.tsv", TEXT.replace(b"vine", b"marketplace"), "repeated_column", "marketplace twice"),
    ("a.parquet", parquet(COLUMNS | {"star_rating": [5.0]}), "wrong_type", "star_rating is d"),
    ("a.parquet", parquet(COLUMNS | {"vine": [[1]]}), "wrong_type", "vine is nested"),
    ("a.tsv", TEXT.replace(b"Fine", b"\xff\xfe"), "wrong_encoding", "line 2 is not utf-8"),
    ("a.tsv", TEXT[:-4] + b"\xc3", "wrong_encoding", "line 2 is not utf-8"),
    ("a.tsv", TEXT + b"\0\n", "binary", "line 3 has a zero byte"),
    ("a.tsv", bytes(range(256)), "binary", "line 1 has a zero byte"),
    ("a.tsv.gz", gzip.compress(TEXT)[:-12], "truncated", "ends in the middle"),
    ("a.tsv.zst", zstd.compress(TEXT)[:-12], "truncated", "ends in the middle"),
    ("a.parquet", PARQUET[:-20], "truncated", "does not end as"),
    ("a.tsv.gz", gzip.compress(TEXT)[:-8] + b"xxxxxxxx", "corrupt", "not sound gzip"),
    ("a.tsv.zst", zstd.compress(TEXT)[:8] + b"\xff" * 90, "corrupt", "not sound zstd"),
    ("a.parquet", b"PAR1" + b"\xff" * 40 + b"\x28\0\0\0PAR1", "corrupt", "footer cannot"),
    ("a.parquet", TEXT, "corrupt", "does not begin as"),
    ("a.tsv.gz", BOMB, "zip_bomb", "more than 200 times"),
    ("b.tsv.gz", gzip.compress(gzip.compress(TEXT)), "unknown_type", "gzip inside another"),
    ("b.tsv", TEXT.decode().encode("utf-16"), "wrong_encoding", 'encoding = "utf-16"'),
    ("a.jsonl", TEXT, "broken_json", "line 1 is not a JSON object"),
    ("a.csv", TEXT.replace(b"\n", b"\r"), "wrong_header", "a carriage return alone"),
]


@pytest.mark.parametrize(
    ("name", "content", "code", "words"), REFUSED, ids=[f"{c[2]} {c[0]}" for c in REFUSED]
)
def test_what_is_refused_and_why(name: str, content: bytes, code: str, words: str) -> None:
    with pytest.raises(RefusedError) as refused:
        look(name, content, piece=100_000 if len(content) > 10_000 else 7)
    assert refused.value.code == code
    assert words in refused.value.message
    assert code in CODES


def test_quotes_that_do_not_end_are_refused() -> None:
    content = ",".join(NAMES) + "\n" + ",".join(VALUES[:-2]) + ',"open,2015-08-31\n'
    with pytest.raises(RefusedError, match="quoted by") as refused:
        look("a.csv", content.encode(), dataset=quoted())
    assert refused.value.code == "broken_quotes"


ENDLESS = [
    ("a.tsv", DATASET, TEXT, ROW.encode().replace(b"Fine", b"Fine, " * 10_000)),
    ("a.jsonl", DATASET, b"", b'[{"review_id": "R1"},' + b'{"review_id": "R1"},' * 4_000),
    ("a.csv", quoted(), ",".join(NAMES).encode() + b"\n", b'"two\nlines",' * 10_000),
]


@pytest.mark.parametrize(
    ("name", "dataset", "start", "more"), ENDLESS, ids=["unquoted", "json", "quoted"]
)
def test_a_row_that_does_not_end_is_refused_before_it_fills_the_memory(
    name: str, dataset: Dataset, start: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "ROW_LIMIT", 1024**2)
    size = 2 * 1024**3
    pieces = itertools.chain([start], itertools.repeat(more, size // len(more)))
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError, match=r"line [123] has more than 1 MB") as refused:
            inspection.inspect(name, size, pieces, dataset, io.BytesIO())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.code == "line_too_long"
    assert most < 16 * 1024**2


def test_a_file_over_the_limit_is_refused_unless_a_person_lets_it_through() -> None:
    size = DATASET.max_mb * 1024**2 + 1
    with pytest.raises(RefusedError, match="Split it") as refused:
        inspection.inspect("a.tsv", size, [TEXT], DATASET, io.BytesIO())
    assert refused.value.code == "too_large"
    found = inspection.inspect("a.tsv", size, [TEXT], DATASET, io.BytesIO(), waived=True)
    assert found.rows == 1
    assert look("a.tsv.gz", BOMB, 100_000, waived=True)[0].rows == 250_001


def test_more_text_than_a_function_has_time_for_is_refused_whoever_lets_it_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspection, "MOST_TEXT", 1024**2)
    with pytest.raises(RefusedError, match="more than 1 MB of text") as refused:
        look("a.tsv.gz", BOMB, 100_000, waived=True)
    assert refused.value.code == "too_large"
    assert look("a.tsv", TEXT)[0].rows == 1


def test_the_digest_is_of_the_bytes_whatever_the_pieces() -> None:
    assert look("a.tsv", TEXT, 3)[0].digest == look("b.tsv", TEXT, 1000)[0].digest


def test_many_rows_are_written_in_parts_with_a_header_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PART", 1000)
    written = io.BytesIO()
    content = TEXT + (ROW + "\n").encode() * 40
    pieces = [content[i : i + 500] for i in range(0, len(content), 500)]
    found = inspection.inspect("a.tsv", len(content), pieces, DATASET, written)
    assert len(found.parts) > 2
    assert sum(found.parts) == len(written.getvalue())
    written.seek(0)
    parts = [gzip.decompress(written.read(size)).splitlines() for size in found.parts]
    assert {lines[0][:10] for lines in parts} == {b"row_number"}
    numbers = [int(line.split(b"\x01")[0]) for lines in parts for line in lines[1:]]
    assert numbers == list(range(1, 42))
