"""Text of the dataset's encoding as UTF-8 without a mark of byte order."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from chalicelib.reading.refusals import RefusedError

MARK = codecs.BOM_UTF8
WIDE_MARKS = {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
LINE = b"\n"


def utf8(name: str, encoding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """UTF-8 passes as it is, once checked; another encoding is converted."""
    decoder = codecs.getincrementaldecoder(encoding)()
    same = encoding == "utf-8"
    wide = len("\0\0".encode(encoding)) - len("\0".encode(encoding)) > 1
    lines, begun = 1, False
    for piece in pieces:
        if not wide and not begun and piece[:2] in WIDE_MARKS:
            raise RefusedError(
                "wrong_encoding",
                f"{name} is UTF-16 (Excel's Unicode text); the dataset's encoding is {encoding}. "
                'Save it so, or declare encoding = "utf-16" in pipeline.toml.',
            )
        if not wide:  # a wider encoding has zero bytes of its own
            _no_zero(name, encoding, piece, lines)
        text = _decoded(name, encoding, decoder, piece, lines)
        given = piece if same else text.encode()
        if wide:
            _no_zero(name, encoding, given, lines)
        if not begun and given:
            begun, given = True, given.removeprefix(MARK)
        lines += given.count(b"\n")
        yield given
    last = _decoded(name, encoding, decoder, b"", lines, final=True)
    if last and not same:
        yield last.encode()


def _no_zero(name: str, encoding: str, content: bytes, lines: int) -> None:
    at = content.find(b"\0")
    if at >= 0:
        raise RefusedError(
            "binary",
            f"{name}: line {lines + content[:at].count(LINE)} has a zero byte: "
            f"this is not text of {encoding}.",
        )


def _decoded(
    name: str,
    encoding: str,
    decoder: codecs.IncrementalDecoder,
    piece: bytes,
    lines: int,
    final: bool = False,
) -> str:
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        at = lines + bytes(error.object[: error.start]).count(b"\n")
        raise RefusedError(
            "wrong_encoding",
            f"{name}: line {at} is not {encoding} text. Save it as {encoding} and drop it again, "
            "or declare its encoding in pipeline.toml.",
        ) from error
