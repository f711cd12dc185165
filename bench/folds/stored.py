"""Headrace as in `ours`, with rows as bytes: each user's is read and written once a batch."""

from collections.abc import Sequence

from bench.folds import ours
from bench.folds.tape import run
from features.events import Event
from features.profile import decode_profile, encode_profile


def main() -> None:
    """Fold, rows in bytes."""
    stored: dict[str, bytes] = {}
    index = ours.new_index()

    def learn(events: Sequence[Event], first: int) -> None:
        users = {event.user_id for event in events}
        rows = {user: decode_profile(stored[user]) for user in users if user in stored}
        changed = ours.learn(rows, events, first, index)
        stored.update({user: encode_profile(row) for user, row in changed.items()})

    run(ours.decode, learn)


if __name__ == "__main__":
    main()
