"""People's lookups take turns, and what goes wrong with one is a problem to answer with."""

import asyncio
from threading import Event

import pytest

from streams.explain import Unknown
from streams.gateway.lookups import Lookups
from streams.gateway.problems import Problem

WITHIN_S = 20


@pytest.mark.parametrize(
    ("error", "status"), [(Unknown("no such user"), 404), (ConnectionError("no broker"), 503)]
)
def test_what_goes_wrong_is_said(error: Exception, status: int) -> None:
    def fail() -> None:
        raise error

    async def run() -> None:
        with pytest.raises(Problem, match=str(error)) as caught:
            await Lookups().run(fail)
        assert caught.value.status == status

    asyncio.run(run())


def test_who_comes_while_another_looks_is_told_when_to_come_back() -> None:
    begun, end = Event(), Event()

    def slow(answer: str) -> str:
        begun.set()
        assert end.wait(WITHIN_S)
        return answer

    async def run() -> None:
        lookups = Lookups()
        first = asyncio.create_task(lookups.run(slow, "first"))
        assert await asyncio.to_thread(begun.wait, WITHIN_S)
        with pytest.raises(Problem) as caught:
            await lookups.run(slow, "second")
        assert caught.value.status == 503
        assert int((caught.value.headers or {})["Retry-After"]) > 0
        end.set()
        assert await first == "first"
        assert await lookups.run(slow, "third") == "third"

    asyncio.run(run())
