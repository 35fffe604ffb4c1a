"""Why a file is refused: a code for programs, words for people."""

from __future__ import annotations

# Every code, and what it says. The words of one refusal say what, where and how to mend it.
CODES = {
    "unsafe_key": "the key has parts that are no plain names",
    "unknown_dataset": "no dataset of pipeline.toml has the folder's name",
    "unknown_type": "this kind of file is not taken",
    "empty": "there is nothing in the file",
    "no_rows": "there is a header and nothing below it",
    "too_large": "the file is over the dataset's max_mb",
    "zip_bomb": "the file unpacks to more than the dataset's max_ratio allows",
    "truncated": "the compressed file ends in the middle",
    "corrupt": "the compressed file, or the Parquet file, is damaged",
    "binary": "the file is not text",
    "wrong_encoding": "the text is not in the dataset's encoding",
    "wrong_delimiter": "the header is separated by another character",
    "wrong_header": "the first line is not the header",
    "line_too_long": "a row is larger than intake holds in memory",
    "missing_column": "a required column is missing",
    "repeated_column": "the header has a column twice",
    "wrong_type": "a column of a Parquet file has a type that does not convert",
    "broken_quotes": "a quoted value does not end",
    "broken_json": "the first line is not a JSON object",
    "not_taken": "intake began many times and came to no end",
}


class RefusedError(Exception):
    """The file cannot be used."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
