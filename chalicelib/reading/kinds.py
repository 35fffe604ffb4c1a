"""What kind of file it is: by its name, held against its first bytes."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.reading.refusals import RefusedError

FORMATS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
MARKS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
PARQUET = b"PAR1"
# What the first bytes of a file tell, where its name lies.
STRANGERS = {
    PARQUET: "a Parquet file: name it .parquet",
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
}


@dataclass(frozen=True)
class Kind:
    """A file's format (tsv, csv, jsonl or parquet) and its compression (gzip, zstd or none)."""

    format: str
    compression: str


def of(name: str, first: bytes) -> Kind:
    """The format by the name, the compression by the first bytes."""
    plain = name.lower()
    for suffix in COMPRESSED:
        plain = plain.removesuffix(suffix)
    found = next((kind for suffix, kind in FORMATS.items() if plain.endswith(suffix)), None)
    if found is None:
        raise RefusedError(
            "unknown_type",
            f"{name}: this kind of file is not taken. Taken: {', '.join(FORMATS)}, "
            f"the texts also as {' and '.join(COMPRESSED)}.",
        )
    compression = next((each for mark, each in MARKS.items() if first.startswith(mark)), "none")
    if found == "parquet":
        if compression != "none":
            raise RefusedError(
                "unknown_type", f"{name} is {compression}: Parquet compresses by itself. Unpack it."
            )
        if not first.startswith(PARQUET):
            raise RefusedError("corrupt", f"{name} does not begin as a Parquet file does.")
        return Kind(found, compression)
    not_a_stranger(name, first)
    return Kind(found, compression)


def not_a_stranger(name: str, first: bytes) -> None:
    """Refuse content that is known to be no text."""
    for mark, words in STRANGERS.items():
        if first.startswith(mark):
            raise RefusedError(
                "unknown_type", f"{name} is {words}. Taken: {', '.join(FORMATS)}. Convert it."
            )


def not_packed_twice(name: str, unpacked: bytes) -> None:
    """Refuse unpacked content that is compressed still."""
    for mark, compression in MARKS.items():
        if unpacked.startswith(mark):
            raise RefusedError(
                "unknown_type", f"{name} is {compression} inside another compression. Unpack it."
            )
