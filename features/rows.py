"""Rows and messages between workers <-> MessagePack, and rows of older versions -> newest ones."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from msgspec import convert
from msgspec.msgpack import Decoder, Encoder

Fields: TypeAlias = list[Any]
"""A row as it lies in MessagePack, its version first."""
Upgrade: TypeAlias = Callable[[Fields], Fields]
"""The fields of a row of one version -> those of the next; the version itself is set for it."""


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


T = TypeVar("T", bound=_Versioned)


class BadRow(ValueError):
    """Bytes that are no row which this program can read."""


class Format(Generic[T]):
    """How one type of row is written. New fields go to its end, with defaults.

    Any change of the layout raises the version: an older program would write the row without what
    it does not know.

    Args:
        kind: An array-like struct, its version the first field.
        version: Of the rows that are written.
        name: What an error calls the row.
        upgrades: Version -> what turns rows of it into rows of the next.
    """

    def __init__(
        self, kind: type[T], version: int, name: str, upgrades: Mapping[int, Upgrade]
    ) -> None:
        self._kind: Final = kind
        self._decoder = Decoder(kind)
        self._encoder = Encoder()
        self._version: Final = version
        self._name: Final = name
        self._upgrades: Final = dict(upgrades)

    def encode(self, row: T) -> bytes:
        """Return the row as MessagePack."""
        return self._encoder.encode(row)

    def decode(self, data: bytes) -> T:
        """Return the row that `encode` wrote, now or in an older version.

        Raises:
            BadRow: it is none, or of a version that this program cannot read.
        """
        try:
            row = self._decoder.decode(data)
        except (ValueError, RecursionError):
            return self._upgraded(data)  # an older layout need not fit
        return row if row.version == self._version else self._upgraded(data)

    def _upgraded(self, data: bytes) -> T:
        try:
            fields = _FIELDS.decode(data)
            version = fields[0]
            while version != self._version:
                if version not in self._upgrades:
                    raise self._unreadable(version)
                fields, version = self._upgrades[version](fields), version + 1
            return convert([version, *fields[1:]], self._kind)
        except BadRow:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise BadRow(f"not {self._name}: {error}") from error

    def _unreadable(self, version: object) -> BadRow:
        return BadRow(
            f"{self._name} has version {version}, this program reads {self._reads()}: "
            "run a newer program, or rebuild the state from the events, under a new topic prefix"
        )

    def _reads(self) -> str:
        return " and ".join(map(str, sorted([*self._upgrades, self._version])))


_FIELDS: Final = Decoder(Fields)


def extended(fields: Fields) -> Fields:
    """Upgrade a row by nothing but new fields at its end, which take their defaults."""
    return fields
