"""Dead letters as people see them: bounded, and what they were."""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from streams.agents.dead_letters import dead_letter
from streams.connecting import connected
from streams.dashboard.letters import MOST, SHOWN_BYTES, newest_letters, shown
from tests.conftest import Names


@given(value=st.one_of(st.binary(max_size=6_000), st.text(max_size=3_000).map(str.encode)))
def test_any_value_is_shown_in_bounds(value: bytes) -> None:
    text, form = shown(value)
    assert text is not None
    assert len(text) <= SHOWN_BYTES
    if form == "text":
        assert value.startswith(text.encode())
    elif form == "bytes":
        assert bytes.fromhex(text) == value[: len(text.split())]


@given(value=st.dictionaries(st.text(max_size=5), st.integers(0, 9), min_size=1, max_size=5))
def test_messagepack_is_shown_as_json(value: dict[str, int]) -> None:
    packed = msgspec.msgpack.encode(value)
    text, form = shown(packed)
    if form == "MessagePack":
        assert json.loads(text or "") == value
    else:
        assert text == packed.decode(), "it is text by chance"


def test_no_value_is_none() -> None:
    assert shown(None) == (None, "nothing")


def test_the_newest_are_read_with_what_the_workers_said_of_them(names: Names) -> None:
    settings = names.create_topics()
    assert newest_letters(settings).held == 0
    producer: Any = connected(KafkaProducer, settings)
    for n in range(MOST + 40):
        record: Any = SimpleNamespace(
            topic="events.click",
            partition=1,
            offset=n,
            timestamp=n,
            key=b"k",
            value=b"%d" % n,
            headers=(("trace", b"\xff<b>"),),
        )
        key, value, headers = dead_letter(record, "undecodable", "why", 5)
        producer.send(
            settings.topics.dead_letters, value, key=key, headers=list(headers), partition=n % 4
        )
    producer.close()
    found = newest_letters(settings)
    assert found.held == MOST + 40
    assert found.reasons == {"undecodable": MOST}
    assert len(found.letters) == MOST
    assert {letter.value for letter in found.letters} == {str(n) for n in range(40, MOST + 40)}
    newest = max(found.letters, key=lambda letter: int(letter.value or 0))
    assert newest.source == f"events.click[1]@{MOST + 39}"
    assert newest.headers == (("trace", "\\xff<b>"),)
    assert newest.explanation == "why"
