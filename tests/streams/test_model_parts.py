"""Models in parts: whatever happens on the way, a whole one comes out, or none."""

from collections.abc import Sequence
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json, msgpack, structs

from streams.model_parts import (
    ABANDONED_MS,
    MANIFEST,
    UNFINISHED,
    Assembler,
    BadModel,
    Contents,
    Manifest,
    Message,
    Part,
    Whole,
    manifest_of,
    part_key,
    sealed,
    split,
)

NAMES = ("popular", "forward")
NOW = 1_700_000_000_000
PAYLOADS = st.binary(min_size=1, max_size=200)
SIZES = st.integers(1, 60)


def publication(
    payload: bytes, at: int = NOW, size: int = 7, names: Sequence[str] = NAMES
) -> tuple[Manifest, list[Message]]:
    manifest = manifest_of(payload, names, "attention-1", at, size)
    return manifest, list(split(payload, manifest, size))


def taken(assembler: Assembler, messages: Sequence[tuple[bytes, bytes | None]]) -> list[Whole]:
    return [whole for one in messages if (whole := assembler.take(*one)) is not None]


@given(first=PAYLOADS, second=PAYLOADS, size=SIZES, rng=st.randoms())
def test_two_models_come_whole_out_of_any_mixture(
    first: bytes, second: bytes, size: int, rng: Random
) -> None:
    """Parts in any order, some twice, those of two models (equal ones perhaps) interleaved."""
    one, of_one = publication(first, NOW, size)
    other, of_other = publication(second, NOW + 1, size)
    parts = of_one + of_other
    mixed = parts + [part for part in parts if rng.random() < 0.3]
    rng.shuffle(mixed)
    assembler = Assembler(NAMES)
    assert taken(assembler, mixed) == []
    (whole,) = taken(assembler, [sealed(one)])
    (next_one,) = taken(assembler, [sealed(other)])
    assert (whole.manifest, whole.payload()) == (one, first)
    assert (next_one.manifest, next_one.payload()) == (other, second)


@given(payload=PAYLOADS, size=SIZES, data=st.data())
def test_a_part_that_is_missing_or_was_deleted_makes_no_model(
    payload: bytes, size: int, data: st.DataObject
) -> None:
    manifest, parts = publication(payload, size=size)
    gone = data.draw(st.integers(0, len(parts) - 1))
    deleted = data.draw(st.booleans())
    assembler = Assembler(NAMES)
    if deleted:
        taken(assembler, [*parts, (part_key(manifest.model_id, gone), None)])
    else:
        taken(assembler, parts[:gone] + parts[gone + 1 :])
    with pytest.raises(BadModel, match=rf"{len(parts) - 1} of {len(parts)} parts") as refused:
        taken(assembler, [sealed(manifest)])
    assert refused.value.reason == "incomplete"


@given(payload=PAYLOADS, size=SIZES, data=st.data())
def test_a_part_that_was_changed_makes_no_model(
    payload: bytes, size: int, data: st.DataObject
) -> None:
    manifest, parts = publication(payload, size=size)
    number = data.draw(st.integers(0, len(parts) - 1))
    key, value = parts[number]
    damaged = bytearray(value)
    damaged[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    log = [*parts[:number], (key, bytes(damaged)), *parts[number + 1 :], sealed(manifest)]
    with pytest.raises(BadModel):
        [whole.payload() for whole in taken(Assembler(NAMES), log)]


@given(key=st.none() | st.binary(max_size=20), value=st.none() | st.binary(max_size=60))
def test_what_is_none_of_ours_is_refused_and_disturbs_nothing(
    key: bytes | None, value: bytes | None
) -> None:
    manifest, parts = publication(b"a model")
    assembler = Assembler(NAMES)
    taken(assembler, parts[:1])
    for strange in (key, MANIFEST):
        with suppress(BadModel):
            assert assembler.take(strange, value) is None
    (whole,) = taken(assembler, [*parts[1:], sealed(manifest)])
    assert whole.payload() == b"a model"


def test_other_features_and_formats_are_refused_by_name() -> None:
    manifest, parts = publication(b"a model", names=(*NAMES, "age"))
    other_format = structs.replace(publication(b"a model")[0], format=99)
    assembler = Assembler(NAMES)
    taken(assembler, parts)
    for told, reason in ((manifest, "features"), (other_format, "format")):
        with pytest.raises(BadModel) as refused:
            taken(assembler, [sealed(told)])
        assert refused.value.reason == reason


@pytest.mark.parametrize(("number", "count"), [(2, 2), (-1, 2), (0, 10**9)])
def test_numbers_that_make_no_sense_are_refused(number: int, count: int) -> None:
    part = Part("m", number, count, "", 1, "", b"x")
    with pytest.raises(BadModel, match=f"part {number} of {count}"):
        Assembler(NAMES).take(b"m/0", msgpack.encode(part))


def test_publishers_that_never_end_take_no_more_than_their_bound() -> None:
    assembler = Assembler(NAMES)
    started = [publication(b"a model", NOW + n) for n in range(UNFINISHED + 1)]
    for _, parts in started:
        taken(assembler, parts)
    with pytest.raises(BadModel, match="0 of 1 parts"):
        taken(assembler, [sealed(started[0][0])])
    for manifest, _ in started[1:]:
        assert len(taken(assembler, [sealed(manifest)])) == 1


@pytest.mark.parametrize("payload", [b"", b"x" * 5000])
def test_what_cannot_travel_is_refused_before_it_is_sent(payload: bytes) -> None:
    with pytest.raises(BadModel, match=f"{len(payload)} bytes"):
        manifest_of(payload, NAMES, "v", NOW, 1)


@given(
    payloads=st.lists(PAYLOADS, min_size=1, max_size=4),
    dies=st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=4, max_size=4),
    data=st.data(),
)
def test_compaction_at_any_time_keeps_the_last_model_whole(
    payloads: list[bytes], dies: list[tuple[bool, int]], data: st.DataObject
) -> None:
    """Publishers come one after another, some die anywhere; Kafka compacts whenever it likes."""
    log: list[tuple[bytes, bytes | None]] = []
    contents, last = Contents(), None
    for at, (payload, (mortal, steps)) in enumerate(zip(payloads, dies, strict=False)):
        now = NOW + at * 2 * ABANDONED_MS
        manifest, parts = publication(payload, now)
        deletions = [(key, None) for key in contents.stale(now)]
        deed = [*parts, sealed(manifest), *deletions][: steps if mortal else None]
        for key, value in deed:
            contents.take(key, value, now)
        log += deed
        if len(deed) > len(parts):
            last = (manifest, payload)
        newest = {key: place for place, (key, _) in enumerate(log)}
        whole_log = data.draw(st.booleans())
        log = [one for place, one in enumerate(log) if whole_log or newest[one[0]] == place]
        found = taken(Assembler(NAMES), log)
        if last is not None:
            assert (found[-1].manifest, found[-1].payload()) == last
    if not dies[len(payloads) - 1][0]:  # the last one lived: nothing but its model is left
        left = {key for key, value in dict(log).items() if value is not None}
        assert left == {MANIFEST, *(key for key, _ in parts)}


def test_parts_of_who_publishes_at_this_moment_are_left_alone() -> None:
    contents = Contents()
    manifest, parts = publication(b"a model")
    for key, value in parts:
        contents.take(key, value, NOW)
    assert contents.stale(NOW + ABANDONED_MS) == []
    assert contents.stale(NOW + ABANDONED_MS + 1) == [key for key, _ in parts]
    contents.take(*sealed(manifest), NOW)
    assert contents.stale(NOW) == [key for key, _ in parts]
    assert json.decode(sealed(manifest)[1])["version"] == "attention-1"
