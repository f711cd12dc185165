"""A request to forget names its user twice, or by its key alone; anything else has a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import Forget
from streams.codec import REASONS, BadEvent, decode_forget, encode_event
from tests.streams.records import Writer, written_by

ids = st.text(min_size=1, max_size=30).filter(lambda text: not text.isspace())


@given(user_id=ids, wire=st.sampled_from(["json", "msgpack"]))
def test_what_is_written_is_read(user_id: str, wire: str) -> None:
    value = encode_event(Forget(user_id=user_id), wire)  # type: ignore[arg-type]  # drawn
    assert decode_forget(user_id.encode(), value) == user_id
    assert decode_forget(user_id.encode(), None) == user_id


@written_by
def test_type_may_be_left_out_and_the_unknown_is_ignored(write: Writer) -> None:
    assert decode_forget(b"ann", write({"user_id": "ann", "ticket": 7})) == "ann"


@written_by
@pytest.mark.parametrize(
    ("reason", "key", "value"),
    [
        ("key_mismatch", b"bob", {"user_id": "ann"}),
        ("key_mismatch", None, {"user_id": "ann"}),
        ("missing_field", b"ann", {}),
        ("mistyped_field", b"5", {"user_id": 5}),
        ("empty_id", b" ", {"user_id": " "}),
        ("wrong_type", b"ann", {"user_id": "ann", "type": "click"}),
        ("undecodable", b"ann", ["ann"]),
    ],
)
def test_a_broken_rule_is_named(
    write: Writer, reason: str, key: bytes | None, value: object
) -> None:
    with pytest.raises(BadEvent) as refused:
        decode_forget(key, write(value))
    assert refused.value.reason == reason


@given(key=st.none() | st.binary(max_size=200), value=st.none() | st.binary(max_size=60))
def test_any_bytes_are_a_user_or_have_a_reason(key: bytes | None, value: bytes | None) -> None:
    try:
        found = decode_forget(key, value)
    except BadEvent as error:
        reason = error.reason
    else:
        assert found.encode() == key
        return
    assert reason in REASONS
