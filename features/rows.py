"""Rows and messages between workers <-> MessagePack."""

from typing import Final, Generic, Protocol, TypeVar

from msgspec.msgpack import Decoder, Encoder


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


T = TypeVar("T", bound=_Versioned)


class BadRow(ValueError):
    """Bytes that are no row of this program's version."""


class Format(Generic[T]):
    """How one type of row is written. Fields are added at its end, with defaults.

    Args:
        kind: An array-like struct.
        version: Changes when older rows cannot be read any more.
        name: What an error calls the row.
    """

    def __init__(self, kind: type[T], version: int, name: str) -> None:
        self._decoder = Decoder(kind)
        self._encoder = Encoder()
        self._version: Final = version
        self._name: Final = name

    def encode(self, row: T) -> bytes:
        """Return the row as MessagePack."""
        return self._encoder.encode(row)

    def decode(self, data: bytes) -> T:
        """Return the row that `encode` wrote.

        Raises:
            BadRow: it is not one, or of another version.
        """
        try:
            row = self._decoder.decode(data)
        except (ValueError, RecursionError) as error:
            raise BadRow(f"not {self._name}: {error}") from error
        if row.version != self._version:
            raise BadRow(
                f"{self._name} has version {row.version}, this program reads {self._version}: "
                "rebuild the state from the events, under a new topic prefix"
            )
        return row
