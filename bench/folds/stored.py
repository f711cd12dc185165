"""Headrace as in `ours`, with rows as bytes: each user's is read and written once a batch."""

from collections.abc import Sequence

from bench.folds.ours import decode
from bench.folds.tape import run
from features.events import Event
from features.profile import decode_profile, encode_profile
from ranker.items import ItemIndex
from streams import steps

_rows: dict[str, bytes] = {}
_index = ItemIndex()


def learn(events: Sequence[Event], first: int) -> None:
    """Read the rows of the batch's users, learn the events, write the rows."""
    users = {event.user_id for event in events}
    rows = {user: decode_profile(_rows[user]) for user in users if user in _rows}
    offsets = range(first, first + len(events))
    changed = steps.learn_users(rows, events, 0, offsets, _index).rows
    _rows.update({user: encode_profile(row) for user, row in changed.items()})


if __name__ == "__main__":
    run(decode, learn)
