"""The users agent: events and requests to forget; user rows, signals, lists and letters out."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import faust

from features.events import Event, Kind, Search
from features.privacy import Unstored, expired
from features.profile import decode_profile, encode_profile, new_profile
from features.signals import Signals, encode_signals, split
from streams import steps
from streams.agents.context import Context
from streams.agents.dead_letters import Letter, dead_letter
from streams.agents.expiry import DAY_MS, LATE, Expiry, Rows
from streams.agents.forgetting import forget_users
from streams.agents.teaching import teach
from streams.agents.user_rows import read_users
from streams.clock import now_ms
from streams.codec import BadEvent, decode_event, encode_recommendation
from streams.engine import Batch, BatchTable, agent
from streams.engine.batch import Record
from streams.recommend import Asked, ranked_for, recommendations

LISTS = 32
"""Lists made in one call: enough to vectorise, few enough to let the event loop turn."""
SIGNALS_BYTES = 500_000
"""Most that one message of signals holds; far below what a batch to Kafka may."""


@dataclass(slots=True)
class Decoded:
    """A batch, parsed: events with their offsets and times of arrival, and letters for the rest.

    `mends` counts the fields of events that cleaning changed or left out, by name.
    """

    events: list[Event] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    arrived_ms: list[int] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    mends: Counter[str] = field(default_factory=Counter)


def decode(
    kind: Kind, records: Sequence[Record], read_ms: int, domains: Collection[str]
) -> Decoded:
    """Parse records; one that is not ours becomes a dead letter. Never raises."""
    decoded = Decoded()
    for record in records:
        try:
            event = decode_event(
                kind, record.key, record.value, record.timestamp, decoded.mends, domains=domains
            )
        except BadEvent as error:
            decoded.letters.append(dead_letter(record, error.reason, str(error), read_ms))
            decoded.reasons.append(error.reason)
        else:
            decoded.events.append(event)
            decoded.offsets.append(record.offset)
            decoded.arrived_ms.append(record.timestamp)
    return decoded


def attach(app: faust.App, users: BatchTable, context: Context) -> None:
    """Add the agent to the app; it owns the users table."""
    settings, meter = context.settings, context.meter
    kinds = dict(zip(settings.topics.events, Kind, strict=True))
    ttl_ms, rules = settings.user_ttl_days * DAY_MS, settings.rules
    refuse = settings.forgotten == "refuse"
    expiry = Expiry(
        users,
        settings.user_ttl_days,
        lambda row, now: expired(decode_profile(row), now, ttl_ms + ttl_ms // LATE, refuse=refuse),
        meter,
    )

    @agent(app, *settings.topics.events, settings.topics.forget, name="users")
    async def users_agent(batch: Batch) -> None:
        if batch.topic == settings.topics.forget:
            source = len(Kind) * settings.partitions + batch.partition
            await forget_users(users, batch, source, context)
            return
        await context.ready.wait()
        with meter.batch.labels("users").time():
            kind = kinds[batch.topic]
            decoded = decode(kind, batch.records, now_ms(), settings.domains)
            names = (event.user_id for event in decoded.events)
            rows = read_users(users, batch.partition, names)
            source = kind * settings.partitions + batch.partition
            async with context.ranking:
                outcome = steps.learn_users(
                    rows,
                    decoded.events,
                    source,
                    decoded.offsets,
                    context.index,
                    ttl_ms=ttl_ms,
                    arrived_ms=decoded.arrived_ms,
                    refuse=refuse,
                    rules=rules,
                    late_ms=settings.late_s * 1000,
                    domains=context.domains,
                )
                teach(context, [decoded.events[position] for position in outcome.fresh])
                lists = await _lists(context, decoded, outcome)
            # Signals are on their way before the next batch may start (it starts when rows are
            # staged): an item's owner takes an offset below the last one for a replay.
            await asyncio.gather(
                context.item_signals.send_keyed(_messages(source, outcome)),
                context.recommendations.send(batch.partition, lists),
                context.dead_letters.send(batch.partition, decoded.letters),
            )
            stored: Rows = {
                user_id.encode(): encode_profile(row) for user_id, row in outcome.rows.items()
            }
            newest_ts = max((event.ts for event in decoded.events), default=0)
            turn = expiry.add(stored, batch.partition, newest_ts, len(batch))
            users.stage(batch.partition, stored)
            await users.commit(batch.partition, stored)
            expiry.done(batch.partition, turn)
        _count(context, kind, decoded, outcome)


def _messages(source: int, outcome: steps.UserOutcome) -> list[tuple[bytes, bytes]]:
    return [
        (item_id.encode(), encode_signals(part))
        for item_id, entries in outcome.signals.items()
        for part in split(Signals(source, tuple(entries)), SIGNALS_BYTES)
    ]


async def _lists(
    context: Context, decoded: Decoded, outcome: steps.UserOutcome
) -> list[tuple[bytes, bytes]]:
    """Make a list for each search and, of each user's other events in the batch, for the newest.

    Events that are not stored, or do not count, get none, but for a search that somebody waits
    for: without consent it is answered from its own words, and asked twice it is answered twice.
    So what a row says was shown last has been made: the answer to the user's newest event.
    """
    newest: dict[str, int] = {}
    searches = [
        position
        for position, reason in outcome.unstored.items()
        if reason != Unstored.FORGOTTEN and isinstance(decoded.events[position], Search)
    ] + outcome.again
    for position in outcome.fresh:
        event = decoded.events[position]
        if isinstance(event, Search):
            searches.append(position)
        elif event.ts >= decoded.events[newest.get(event.user_id, position)].ts:
            newest[event.user_id] = position
    settings, made = context.settings, []
    positions = sorted([*searches, *newest.values()])
    for begin in range(0, len(positions), LISTS):
        asked = []
        for position in positions[begin : begin + LISTS]:
            event = decoded.events[position]
            stored = position not in outcome.unstored
            row = outcome.rows[event.user_id] if stored else new_profile()
            uncounted = outcome.touches[event.user_id] if stored else 0
            hidden = steps.bought(row) if settings.hide_bought else ()
            request = steps.request(
                row,
                event,
                context.index,
                settings.k,
                uncounted,
                hidden=hidden,
                diversity=settings.diversity,
            )
            asked.append(Asked(event, request, stored))
        ranked = ranked_for(asked, context.index, context.model)
        answers = recommendations(asked, ranked, context.index, now_ms())
        for place, one in enumerate(asked):
            if one.stored:
                context.outcomes.show(one.event, one.request.domain, ranked, place)
        made += [
            (answer.user_id.encode(), encode_recommendation(answer, settings.output_format))
            for answer in answers
        ]
        for answer in answers:
            context.meter.lists.labels(answer.surface, answer.domain).inc()
        await asyncio.sleep(0)
    sent_ms = now_ms()
    for position in positions:
        context.meter.age.observe(max(0, sent_ms - decoded.arrived_ms[position]) / 1000)
    return made


def _count(context: Context, kind: Kind, decoded: Decoded, outcome: steps.UserOutcome) -> None:
    meter = context.meter
    meter.events.labels(kind.name.lower()).inc(len(outcome.fresh))
    for why in outcome.unstored.values():
        meter.unstored.labels(why.value).inc()
    for verdict, count in outcome.skipped.items():
        meter.skipped.labels(verdict.name.lower()).inc(count)
    for lateness, count in outcome.late.items():
        meter.late.labels(lateness.value).inc(count)
    for reason in decoded.reasons:
        meter.dead_letters.labels(reason).inc()
    meter.count_mends(decoded.mends)
