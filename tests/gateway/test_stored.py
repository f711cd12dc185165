"""The copy holds each user's newest list, whatever comes and whenever it starts again."""

import asyncio
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.codec import encode_recommendation
from streams.gateway import stored
from streams.gateway.stored import StoredLists
from streams.settings import Settings
from tests.broker.records import recommendation

DAY_MS = 86_400_000
USERS = st.sampled_from(("ann", "bob", "\x00headrace\x00owner"))
STEPS = st.lists(
    st.tuples(st.sampled_from(("shop", "content", "search", "forget", "restart")), USERS),
    max_size=30,
)


class Copy:
    """A copy of one partition that records are handed to, as its follower does."""

    def __init__(self, directory: Path) -> None:
        domains: Any = {"shop": {}, "content": {}}
        self.settings = Settings(gateway_dir=directory, partitions=1, domains=domains)
        self.now = 10 * DAY_MS
        self.end = 0
        self.begun: int | None = None
        self.lists: StoredLists

    async def start(self) -> None:
        self.lists = StoredLists(self.settings, lambda: self.now)
        self.begun = self.lists._open({0: self.end}).get(0)
        self.lists._whole = True

    async def restart(self) -> None:
        await self.lists.stop()
        await self.start()

    async def take(self, user: str, value: bytes | None) -> None:
        record: Any = SimpleNamespace(
            key=user.encode(), value=value, offset=self.end, partition=0, timestamp=self.now
        )
        self.end += 1
        await self.lists._apply([record])


def a_list(user: str, number: int, domain: str | None = None, surface: Any = "for_you") -> bytes:
    made = replace(recommendation(user, number), domain=domain, surface=surface)
    return encode_recommendation(made)


@settings(max_examples=25)
@given(steps=STEPS)
def test_the_newest_list_of_each_user_and_domain(steps: list[tuple[str, str]]) -> None:
    async def run(directory: Path) -> None:
        copy, model = Copy(directory), dict[tuple[str, str], str]()
        await copy.start()
        for number, (what, user) in enumerate(steps):
            if what == "restart":
                await copy.restart()
                assert copy.begun == (copy.end or None)
            elif what == "forget":
                await copy.take(user, None)
                model = {key: rec for key, rec in model.items() if key[0] != user}
            elif what == "search":
                await copy.take(user, a_list(user, number, surface="search"))
            else:
                await copy.take(user, a_list(user, number, what))
                model[user, what] = f"rec-{user}-{number}"
            for (who, domain), rec_id in model.items():
                found = copy.lists.newest(who, domain)
                assert found is not None
                assert found.rec_id == rec_id
            if (user, "shop") not in model:
                assert copy.lists.newest(user) is None
        await copy.lists.stop()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory)))


def test_a_copy_that_may_have_missed_deletions_is_made_anew(tmp_path: Path) -> None:
    async def run() -> None:
        copy = Copy(tmp_path)
        await copy.start()
        await copy.take("ann", a_list("ann", 1))
        await copy.restart()
        assert (copy.begun, copy.lists.newest("ann") is None) == (1, False)
        await copy.lists.stop()
        copy.now += DAY_MS + 1
        await copy.start()
        assert (copy.begun, copy.lists.newest("ann")) == (None, None)
        await copy.take("ann", a_list("ann", 2))
        copy.end = 1  # another topic of that name, with less in it
        await copy.restart()
        assert (copy.begun, copy.lists.newest("ann")) == (None, None)
        await copy.lists.stop()

    asyncio.run(run())


def test_lists_that_kafka_has_deleted_go(tmp_path: Path) -> None:
    async def run() -> None:
        copy = Copy(tmp_path)
        await copy.start()
        users = [f"u{n}" for n in range(3 * stored.SWEPT)]
        for user in users:
            await copy.take(user, a_list(user, 1))
        copy.now += 7 * DAY_MS
        await copy.take("ann", a_list("ann", 1))
        assert copy.lists.newest("u0") is not None
        copy.now += 1
        assert copy.lists.newest("u0") is None
        for _ in range(5):
            copy.lists._expire(copy.now)
        left = copy.lists._parts[0].scan(None, len(users))
        assert [key for key, _ in left] == [b"uann"]
        await copy.lists.stop()

    asyncio.run(run())
