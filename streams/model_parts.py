"""A model as it travels through the `models` topic: parts, then a manifest that makes them valid.

A part's key names its publication, so no publication overwrites parts of another, and compaction
keeps all of a model until its parts are deleted one by one. The manifest has one key for ever: the
newest says which model holds. Pure: records in, models out; Kafka is elsewhere.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import MsgspecError, Struct, msgpack
from msgspec import json as as_json

from ranker.checkpoint import FORMAT

PART_BYTES = 512 * 1024
"""Of a model in one record: half of what a broker takes by default."""
MANIFEST = b"manifest"
"""Key of the record that says which model holds."""
UNFINISHED = 4
"""Publications whose parts are held at once; of more, the one that was silent longest goes."""
ABANDONED_MS = 3_600_000
"""After so long without a manifest, parts are taken for those of a publisher that died."""
MOST_PARTS = 4096
"""Of a model: 2 GiB."""

Reason = Literal["undecodable", "format", "features", "incomplete", "checksum", "checkpoint"]


class BadModel(ValueError):
    """What was published is no model for this program; `reason` names why, for a metric."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Manifest(Struct, frozen=True, kw_only=True, gc=False):
    """What was published; a JSON map on the wire.

    Attributes:
        model_id: Of this publication; no other has it.
        version: What lists say of the model as `model_version`.
        count: Parts.
        size_bytes: Of the whole.
        sha256: Of the whole, in hex.
        format: Of the checkpoint.
        features: Fingerprint of the features that its weights are of.
        published_at: Wall clock in ms.
    """

    model_id: str
    version: str
    count: int
    size_bytes: int
    sha256: str
    format: int
    features: str
    published_at: int


class Part(Struct, frozen=True, array_like=True, gc=False):
    """A piece of a model; MessagePack on the wire. Numbers count from 0, the rest is as above."""

    model_id: str
    number: int
    count: int
    sha256: str
    format: int
    features: str
    data: bytes


class Whole(Struct, frozen=True):
    """A manifest and all of its parts, in order; not yet compared with the checksum."""

    manifest: Manifest
    parts: tuple[bytes, ...]

    def payload(self) -> bytes:
        """Return the model's bytes.

        Raises:
            BadModel: they are not those that were published.
        """
        told, payload = self.manifest, b"".join(self.parts)
        found = hashlib.sha256(payload).hexdigest()
        if (len(payload), found) != (told.size_bytes, told.sha256):
            raise BadModel(
                "checksum",
                f"model {told.model_id} has {len(payload)} bytes with the checksum {found}, its "
                f"manifest says {told.size_bytes} and {told.sha256}: publish it again",
            )
        return payload


_PARTS: Final = msgpack.Decoder(Part)
_MANIFESTS: Final = as_json.Decoder(Manifest)
_UNREADABLE = (MsgspecError, ValueError, RecursionError)

Message = tuple[bytes, bytes]
"""Key and value."""


def fingerprint(names: Sequence[str]) -> str:
    """Return a short digest of features in their order."""
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()[:16]


def manifest_of(
    payload: bytes, names: Sequence[str], version: str, published_at: int, part_bytes: int
) -> Manifest:
    """Return the manifest of a model's bytes.

    Args:
        payload: The checkpoint.
        names: The features that its weights are of.
        version: As the model has it.
        published_at: Wall clock in ms.
        part_bytes: Of each part but the last.

    Raises:
        BadModel: it is empty, or too big to travel.
    """
    count = -(-len(payload) // part_bytes)
    if not 1 <= count <= MOST_PARTS:
        raise BadModel(
            "incomplete", f"{len(payload)} bytes are {count} parts: 1 to {MOST_PARTS} can travel"
        )
    digest = hashlib.sha256(payload).hexdigest()
    return Manifest(
        model_id=f"{digest[:12]}-{published_at}",
        version=version,
        count=count,
        size_bytes=len(payload),
        sha256=digest,
        format=FORMAT,
        features=fingerprint(names),
        published_at=published_at,
    )


def split(payload: bytes, manifest: Manifest, part_bytes: int) -> Iterator[Message]:
    """Yield the records of a model's parts, in order."""
    told = manifest
    for number in range(told.count):
        data = payload[number * part_bytes : (number + 1) * part_bytes]
        part = Part(
            told.model_id, number, told.count, told.sha256, told.format, told.features, data
        )
        yield part_key(told.model_id, number), msgpack.encode(part)


def sealed(manifest: Manifest) -> Message:
    """Return the record that makes the parts valid; it is sent when all of them are stored."""
    return MANIFEST, as_json.encode(manifest)


def part_key(model_id: str, number: int) -> bytes:
    """Return the key of a part."""
    return f"{model_id}/{number:04d}".encode()


class Assembler:
    """Puts models together out of the topic's records, in their order.

    Memory is bounded: by a model's size, and by `UNFINISHED`.

    Args:
        names: The features that this program computes, in their order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._features = fingerprint(names)
        self._parts: dict[str, dict[int, Part]] = {}  # the publication that spoke last is last

    def take(self, key: bytes | None, value: bytes | None) -> Whole | None:
        """Take a record; return the model that it completes.

        Raises:
            BadModel: it is none of ours, or a manifest of what is not there or not for us. Later
                records are taken as if it had not been.
        """
        if key != MANIFEST:
            self._collect(key, value)
            return None
        if value is None:
            return None
        try:
            manifest = _MANIFESTS.decode(value)
        except _UNREADABLE as error:
            raise BadModel("undecodable", f"no manifest of a model: {error}") from error
        return self._complete(manifest)

    def _collect(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:
            self._drop(key or b"")
            return
        try:
            part = _PARTS.decode(value)
        except _UNREADABLE as error:
            raise BadModel("undecodable", f"no part of a model: key {key!r}: {error}") from error
        if not 0 <= part.number < part.count <= MOST_PARTS:
            raise BadModel(
                "undecodable", f"part {part.number} of {part.count} of model {part.model_id}"
            )
        held = self._parts.pop(part.model_id, {})
        held[part.number] = part
        self._parts[part.model_id] = held
        if len(self._parts) > UNFINISHED:
            del self._parts[next(iter(self._parts))]

    def _drop(self, key: bytes) -> None:
        """Forget a part that was deleted."""
        model_id, _, number = key.decode(errors="replace").rpartition("/")
        held = self._parts.get(model_id)
        if held is not None and number.isdecimal():
            held.pop(int(number), None)
            if not held:
                del self._parts[model_id]

    def _complete(self, manifest: Manifest) -> Whole:
        held, told = self._parts.pop(manifest.model_id, {}), manifest
        if told.format != FORMAT:
            raise BadModel(
                "format",
                f"model {told.model_id} has format {told.format}, this program reads {FORMAT}: "
                "publish one of this program's version",
            )
        if told.features != self._features:
            raise BadModel(
                "features",
                f"model {told.model_id} is for the features {told.features}, this program computes "
                f"{self._features}: train with this version and publish that",
            )
        same = (told.count, told.sha256, told.format, told.features)
        parts = [
            part.data
            for _, part in sorted(held.items())
            if (part.count, part.sha256, part.format, part.features) == same
        ]
        if len(parts) != told.count:
            raise BadModel(
                "incomplete",
                f"model {told.model_id} has {len(parts)} of {told.count} parts: publish it again",
            )
        return Whole(manifest, tuple(parts))


class Contents:
    """What the topic holds: the manifest that is in force, and the parts of all models."""

    def __init__(self) -> None:
        self.manifest: Manifest | None = None
        self._parts: dict[bytes, int] = {}

    def take(self, key: bytes | None, value: bytes | None, at: int) -> None:
        """Take a record that was stored at wall clock `at`, ms."""
        if key == MANIFEST:
            try:
                self.manifest = None if value is None else _MANIFESTS.decode(value)
            except _UNREADABLE:
                self.manifest = None
        elif key is not None:
            self._parts.pop(key, None)
            if value is not None:
                self._parts[key] = at

    def stale(self, now_ms: int) -> list[bytes]:
        """Return the parts that may go once another model holds, `now_ms` being wall clock.

        Those of the model that held, and what was left over when a publisher died. Parts without a
        manifest that are not old may be somebody's who is publishing at this moment.
        """
        holds = b"" if self.manifest is None else f"{self.manifest.model_id}/".encode()
        return [
            key
            for key, at in self._parts.items()
            if (holds and key.startswith(holds)) or now_ms - at > ABANDONED_MS
        ]
