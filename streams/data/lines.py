"""JSON Lines files, plain or xz: decoded a block at a time, complained about a line at a time."""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import msgspec

T = TypeVar("T")

LineKind = Literal["click", "search", "purchase", "item"]
BLOCK_BYTES = 1 << 20
_IDS = (b"event_id", b"user_id", b"item_id", b"session_id", b"search_id")


class BadData(ValueError):
    """A file that is missing, cut short, or has a line that is not what it should hold."""


def read_lines(path: Path, decoder: msgspec.json.Decoder[T], *, prefix: str = "") -> Iterator[T]:
    """Yield what every line of a file decodes to, in order; blank lines are skipped.

    Args:
        path: JSON Lines, UTF-8; a name that ends in `.xz` is unpacked on the way.
        decoder: a typed decoder, made once by the caller.
        prefix: put before every id, so that two shops can share one stream. It is done on the bytes
            of compact JSON (no space after the colon), which costs a tenth of rebuilding each
            value; a quote inside a text is escaped, so no text can look like an id.

    Raises:
        BadData: the file is missing or cut short, or a line is not valid; its number is told.
    """
    number = 0  # of the last line of the blocks before
    for block in _blocks(path):
        prefixed = _prefixed(block, prefix.encode()) if prefix else block
        try:
            values = decoder.decode_lines(prefixed)
        except (ValueError, RecursionError):
            yield from _one_by_one(path, decoder, prefixed, number)
        else:
            yield from values
        number += block.count(b"\n")


def raw_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file as they are.

    Raises:
        BadData: the file is missing or cut short.
    """
    for block in _blocks(path):
        yield from block.splitlines()


def typed(line: bytes, kind: LineKind | None) -> bytes:
    """Give a line its `type` where it has none; what is no map is left for the decoder."""
    if kind is None:
        return line
    try:
        fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError):
        return line
    return msgspec.json.encode({"type": kind, **fields})


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines."""
    rest = b""
    try:
        with _opened(path) as file:
            while read := file.read(BLOCK_BYTES):
                block = rest + read
                cut = block.rfind(b"\n") + 1
                rest = block[cut:]
                if cut:
                    yield block[:cut]
    except FileNotFoundError as error:
        raise BadData(f"{path}: no such file") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BadData(f"{path}: cannot be read to its end: {error}") from error
    if rest:
        yield rest


def _opened(path: Path) -> lzma.LZMAFile | BinaryIO:
    return lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb")


def _prefixed(block: bytes, prefix: bytes) -> bytes:
    for name in _IDS:
        field = b'"' + name + b'":"'
        block = block.replace(field, field + prefix)
    return block


def _one_by_one(
    path: Path, decoder: msgspec.json.Decoder[T], block: bytes, number: int
) -> Iterator[T]:
    """Decode a block in which some line is bad: what stands before that line still comes out."""
    for offset, line in enumerate(block.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = decoder.decode(line)
        except (ValueError, RecursionError) as error:
            raise BadData(f"{path}, line {number + offset}: {error}: {line[:120]!r}") from error
        yield value
