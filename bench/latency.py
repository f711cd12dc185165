"""Bench d: from an event's production to its output record in a consumer's hands."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench import work
from bench.contestant import Contestant, job_alone
from bench.contestants.job import Job
from bench.site import PARTITIONS, Site
from streams.engine import partition_of

START_S = 60.0
ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class Latency:
    """One contestant, one round."""

    p50_ms: float
    p99_ms: float
    unanswered: int  # after some patience; they count as having taken so long at least
    cpu_us_per_event: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent."""

    rate: int  # events per second, one at a time
    warm_s: float  # sent before anything is measured
    seconds: float
    users: int


class Driver:
    """Sends events one by one and notes when each one's output record is there."""

    def __init__(self, producer: AIOKafkaProducer, source: str, users: int) -> None:
        self._producer = producer
        self._source = source
        self._users = users
        self._random = random.Random(1)
        self._number = 0
        self.sent_s: dict[str, float] = {}
        self.seen_s: dict[str, float] = {}

    async def send(self) -> str:
        """Send one event; return its id."""
        event = work.click(self._number, self._random.randrange(self._users), self._random)
        self._number += 1
        key = event.user_id.encode()
        self.sent_s[event.event_id] = time.perf_counter()
        await self._producer.send(
            self._source, work.encode(event), key=key, partition=partition_of(key, PARTITIONS)
        )
        return event.event_id

    async def send_at(self, rate: int, seconds: float) -> list[str]:
        """Send evenly; return the ids."""
        sent = []
        begun = time.perf_counter()
        for number in range(int(rate * seconds)):
            ahead_s = begun + number / rate - time.perf_counter()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            sent.append(await self.send())
        return sent

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Note answers until cancelled; a repeated one counts when it was first seen."""
        while True:
            fetched = await consumer.getmany(timeout_ms=500)
            now = time.perf_counter()
            for records in fetched.values():
                for record in records:
                    self.seen_s.setdefault(work.event_of(record.value), now)

    async def missing(self, events: list[str], within_s: float) -> int:
        """Wait until all of these have their answer, or the time is up; return how many have none.

        A contestant that cannot keep up is a result, not an error.
        """
        deadline = time.perf_counter() + within_s
        missing = set(events)
        while missing and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
            missing -= self.seen_s.keys()
        return len(missing)

    def latencies_ms(self, events: list[str]) -> list[float]:
        """Return how long each event took, in ascending order; up to now where it still takes."""
        now = time.perf_counter()
        return sorted((self.seen_s.get(event, now) - self.sent_s[event]) * 1000 for event in events)


async def run(site: Site, name: str, load: Load) -> Latency:
    """Run one contestant under a light, steady load."""
    async with (
        job_alone(site, name, None, output=True, prompt=True) as job,
        _driver(job, load.users) as driver,
    ):
        with Contestant(name, job) as contestant:
            return await _measure(driver, contestant, load)


async def _measure(driver: Driver, contestant: Contestant, load: Load) -> Latency:
    deadline = time.perf_counter() + START_S
    while not driver.seen_s:
        contestant.cpu_s()  # raises where it has ended
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{contestant.name} answered nothing within {START_S:.0f} s")
        await driver.send()
        await asyncio.sleep(0.2)
    await driver.send_at(load.rate, load.warm_s)
    cpu_s = contestant.cpu_s()
    events = await driver.send_at(load.rate, load.seconds)
    cpu_s = contestant.cpu_s() - cpu_s
    unanswered = await driver.missing(events, ANSWER_S)
    took_ms = driver.latencies_ms(events)
    return Latency(
        p50_ms=took_ms[len(took_ms) // 2],
        p99_ms=took_ms[int(len(took_ms) * 0.99)],
        unanswered=unanswered,
        cpu_us_per_event=cpu_s / len(events) * 1e6,
        rss_mb=contestant.rss_mb,
    )


@asynccontextmanager
async def _driver(job: Job, users: int) -> AsyncIterator[Driver]:
    consumer = AIOKafkaConsumer(
        job.output, bootstrap_servers=job.broker, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=job.broker, acks="all")
    async with consumer, producer:
        driver = Driver(producer, job.source, users)
        listening = asyncio.create_task(driver.listen(consumer))
        try:
            yield driver
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
