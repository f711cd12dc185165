"""Reading user rows, also of those who have none because they were forgotten."""

from collections.abc import Iterable

from features.privacy import marker_key
from features.profile import Profile, decode_profile
from streams.engine import BatchTable


def read_users(
    users: BatchTable, partition: int, user_ids: Iterable[str]
) -> dict[str, Profile | None]:
    """Return each user's row as staged last; where there is none the marker; else None."""
    names = list(dict.fromkeys(user_ids))
    rows = _read(users, partition, {name: name.encode() for name in names})
    absent = {name: marker_key(name) for name, row in rows.items() if row is None}
    return rows | _read(users, partition, absent)


def _read(users: BatchTable, partition: int, keys: dict[str, bytes]) -> dict[str, Profile | None]:
    stored = users.get_many(partition, list(keys.values()))
    return {
        name: None if row is None else decode_profile(row)
        for name, row in zip(keys, stored, strict=True)
    }
