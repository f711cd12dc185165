"""The items agent: catalogue and item signals in; item rows out, which are also the broadcast."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import faust

from features.events import Item
from features.item import ItemRow, catalogued, dead, decode_item, encode_item, new_item
from features.rows import BadRow
from features.signals import Signals, decode_signals
from streams import codec, steps
from streams.agents.context import Context
from streams.agents.dead_letters import Letter, dead_letter
from streams.agents.expiry import DAY_MS, Expiry, Rows
from streams.batches import batched
from streams.clock import now_ms
from streams.engine import Batch, BatchTable, agent
from streams.engine.batch import Record
from streams.item_states import read_entries
from streams.topics import LETTER_REASON

ITEMS = 256
"""Rows decoded at a time: with all their predecessors they take some 20 KB each."""
UNREADABLE = "undecodable"


def attach(app: faust.App, items: BatchTable, context: Context) -> None:
    """Add the agent to the app; it owns the items table."""
    settings, meter = context.settings, context.meter
    ttl_ms = settings.item_ttl_days * DAY_MS
    expiry = Expiry(
        items,
        settings.item_ttl_days,
        lambda row, now: dead(decode_item(row), now, ttl_ms),
        meter,
    )

    @agent(app, settings.topics.item_signals, settings.topics.catalog, name="items")
    async def items_agent(batch: Batch) -> None:
        with meter.batch.labels("items").time():
            letters: list[Letter] = []
            learn = _learn_catalog if batch.topic == settings.topics.catalog else _learn_signals
            stored: Rows = {}
            newest_ts = 0
            for rows in learn(items, batch, context, letters):
                changed = rows | read_entries(rows, context.model)
                stored |= {item_id.encode(): encode_item(row) for item_id, row in changed.items()}
                newest_ts = max([newest_ts, *(row.last_seen for row in changed.values())])
                await asyncio.sleep(0)
            await context.dead_letters.send(batch.partition, letters)
            turn = expiry.add(stored, batch.partition, newest_ts, len(batch))
            items.stage(batch.partition, stored)
            await items.commit(batch.partition, stored)
            expiry.done(batch.partition, turn)
        for _, _, headers in letters:
            meter.dead_letters.labels(dict(headers)[LETTER_REASON].decode()).inc()


def _learn_catalog(
    items: BatchTable, batch: Batch, context: Context, letters: list[Letter]
) -> Iterator[dict[str, ItemRow]]:
    """Yield changed rows, some items at a time."""
    entries: defaultdict[str, list[tuple[Item | None, int]]] = defaultdict(list)
    mends: Counter[str] = Counter()
    for record in batch.records:
        try:
            item_id, entry = codec.decode_item(
                record.key, record.value, mends, domains=context.settings.domains
            )
        except codec.BadEvent as error:
            letters.append(dead_letter(record, error.reason, str(error), now_ms()))
        else:
            entries[item_id].append((entry, record.offset))
    context.meter.count_mends(mends)
    for names in batched(entries, ITEMS):
        changed = {name: row or new_item() for name, row in _rows(items, batch, names).items()}
        for name in names:
            for entry, offset in entries[name]:
                changed[name] = catalogued(changed[name], entry, offset)
            context.meter.catalog.inc(len(entries[name]))
        yield changed


def _learn_signals(
    items: BatchTable, batch: Batch, context: Context, letters: list[Letter]
) -> Iterator[dict[str, ItemRow]]:
    """Yield changed rows, some items at a time."""
    settings = context.settings
    messages: defaultdict[str, list[Signals]] = defaultdict(list)
    for record in batch.records:
        try:
            item_id, message = _message(record)
        except BadRow as error:
            letters.append(dead_letter(record, UNREADABLE, str(error), now_ms()))
        else:
            messages[item_id].append(message)
            context.meter.signals.inc(len(message.entries))
    for names in batched(messages, ITEMS):
        told = [(name, message) for name in names for message in messages[name]]
        seed = (batch.partition, batch.first_offset)
        rows = _rows(items, batch, names)
        yield steps.learn_items(
            rows,
            told,
            neighbours=settings.neighbours,
            factors=settings.factors,
            seed=seed,
            half_life_ms=settings.neighbour_half_life_days * DAY_MS,
            domains=context.domains,
        )


def _message(record: Record) -> tuple[str, Signals]:
    try:
        return record.key.decode(), decode_signals(record.value)
    except (AttributeError, TypeError, UnicodeDecodeError) as error:
        raise BadRow(f"not a message of item signals: key {record.key!r}") from error


def _rows(items: BatchTable, batch: Batch, names: Sequence[str]) -> dict[str, ItemRow | None]:
    stored = items.get_many(batch.partition, [name.encode() for name in names])
    return {
        name: None if row is None else decode_item(row)
        for name, row in zip(names, stored, strict=True)
    }
