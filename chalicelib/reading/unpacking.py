"""Gzip and zstd content in bounded pieces; told where it is cut, damaged, or a bomb."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from chalicelib.reading.refusals import RefusedError

PIECE = 4 * 1024 * 1024
# A small file does no harm, whatever its ratio.
HARMLESS = 16 * 1024 * 1024


class Unpacker(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def some(self, data: bytes) -> Iterator[bytes]:
        """What the data unpacks to, in pieces of PIECE bytes at most."""
        ...


def unpacked(
    name: str, compression: str, pieces: Iterable[bytes], max_ratio: float
) -> Iterator[bytes]:
    """All members (gzip) or frames (zstd) of a file, one after the other."""
    if compression == "none":
        yield from pieces
        return
    make = _UNPACKERS[compression]
    taken = given = 0
    unpacker = None
    for piece in pieces:
        taken += len(piece)
        rest = piece
        while rest:
            if unpacker is None or unpacker.eof:
                unpacker = make()
            for part in _sound(name, compression, unpacker, rest):
                given += len(part)
                if given > HARMLESS and given > max_ratio * taken:
                    raise RefusedError(
                        "zip_bomb",
                        f"{name} unpacks to more than {max_ratio:g} times its size "
                        "(the dataset's max_ratio). If its rows are real, raise that or split it.",
                    )
                yield part
            rest = unpacker.unused_data if unpacker.eof else b""
    if unpacker is not None and not unpacker.eof:
        raise RefusedError(
            "truncated", f"{name} ends in the middle: it was not copied whole. Drop it again."
        )


def _sound(name: str, compression: str, unpacker: Unpacker, data: bytes) -> Iterator[bytes]:
    try:
        yield from unpacker.some(data)
    except (zlib.error, _zstd_error()) as error:
        raise RefusedError("corrupt", f"{name} is not sound {compression}: {error}.") from error


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def some(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield self._inner.decompress(data, PIECE)
            data = self._inner.unconsumed_tail


class _Zstd:
    def __init__(self) -> None:
        from backports import zstd

        self._inner: Any = zstd.ZstdDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def some(self, data: bytes) -> Iterator[bytes]:
        yield self._inner.decompress(data, PIECE)
        while not self._inner.eof and not self._inner.needs_input:
            yield self._inner.decompress(b"", PIECE)


def _zstd_error() -> type[Exception]:
    from backports import zstd

    error: type[Exception] = zstd.ZstdError
    return error


_UNPACKERS: dict[str, Callable[[], Unpacker]] = {"gzip": _Gzip, "zstd": _Zstd}
