"""The items agent: catalogue and item signals in; item rows out, which are also the broadcast."""

import time
from collections.abc import Sequence

import faust

from features.events import Item
from features.item import ItemRow, catalogued, decode_item, encode_item, new_item
from features.rows import BadRow
from features.signals import Signals, decode_signals
from streams import codec, steps
from streams.agents.context import Context
from streams.agents.dead_letters import Letter, dead_letter
from streams.engine import Batch, BatchTable, agent
from streams.engine.batch import Record

UNREADABLE = "undecodable"


def attach(app: faust.App, items: BatchTable, context: Context) -> None:
    """Add the agent to the app; it owns the items table."""
    settings, meter = context.settings, context.meter

    @agent(app, settings.topics.item_signals, settings.topics.catalog, name="items")
    async def items_agent(batch: Batch) -> None:
        with meter.batch.labels("items").time():
            letters: list[Letter] = []
            if batch.topic == settings.topics.catalog:
                changed = _learn_catalog(items, batch, context, letters)
            else:
                changed = _learn_signals(items, batch, context, letters)
            await context.dead_letters.send(batch.partition, letters)
            stored = {item_id.encode(): encode_item(row) for item_id, row in changed.items()}
            items.stage(batch.partition, stored)
            await items.commit(batch.partition, stored)
        for _, _, headers in letters:
            meter.dead_letters.labels(dict(headers)["headrace.reason"].decode()).inc()


def _learn_catalog(
    items: BatchTable, batch: Batch, context: Context, letters: list[Letter]
) -> dict[str, ItemRow]:
    entries: list[tuple[str, Item | None, int]] = []
    for record in batch.records:
        try:
            item_id, entry = codec.decode_item(record.key, record.value)
        except codec.BadEvent as error:
            letters.append(dead_letter(record, error.reason, str(error), _now_ms()))
        else:
            entries.append((item_id, entry, record.offset))
    rows = _rows(items, batch.partition, [item_id for item_id, _, _ in entries])
    changed: dict[str, ItemRow] = {}
    for item_id, entry, offset in entries:
        row = changed.get(item_id) or rows[item_id] or new_item()
        changed[item_id] = catalogued(row, entry, offset)
    context.meter.catalog.inc(len(entries))
    return changed


def _learn_signals(
    items: BatchTable, batch: Batch, context: Context, letters: list[Letter]
) -> dict[str, ItemRow]:
    messages: list[tuple[str, Signals]] = []
    for record in batch.records:
        try:
            messages.append(_message(record))
        except BadRow as error:
            letters.append(dead_letter(record, UNREADABLE, str(error), _now_ms()))
    rows = _rows(items, batch.partition, [item_id for item_id, _ in messages])
    context.meter.signals.inc(sum(len(message.entries) for _, message in messages))
    settings = context.settings
    seed = (batch.partition, batch.first_offset)
    return steps.learn_items(rows, messages, settings.neighbours, settings.factors, seed)


def _message(record: Record) -> tuple[str, Signals]:
    try:
        return record.key.decode(), decode_signals(record.value)
    except (AttributeError, TypeError, UnicodeDecodeError) as error:
        raise BadRow(f"not a message of item signals: key {record.key!r}") from error


def _rows(items: BatchTable, partition: int, item_ids: Sequence[str]) -> dict[str, ItemRow | None]:
    names = list(dict.fromkeys(item_ids))
    stored = items.get_many(partition, [name.encode() for name in names])
    return {
        name: None if row is None else decode_item(row)
        for name, row in zip(names, stored, strict=True)
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
