"""Requests to forget a user: deletions in the users table, in its order with all that changes it.

The users agent hands over the batches of this topic. An agent of its own would read a row while a
batch of events is on its way to change it, and one of the two would undo what the other did.
"""

import asyncio

from features.privacy import marker_key
from features.profile import encode_profile
from streams import steps
from streams.agents.context import Context
from streams.agents.dead_letters import Letter, dead_letter
from streams.agents.expiry import Rows
from streams.agents.user_rows import read_users
from streams.clock import now_ms
from streams.codec import BadEvent, decode_forget
from streams.engine import Batch, BatchTable


async def forget_users(users: BatchTable, batch: Batch, source: int, context: Context) -> None:
    """Carry out a batch of requests: lists taken back, rows deleted, markers put in their place."""
    requests: list[tuple[str, int, int]] = []
    letters: list[Letter] = []
    for record in batch.records:
        try:
            user_id = decode_forget(record.key, record.value)
        except BadEvent as error:
            letters.append(dead_letter(record, error.reason, str(error), now_ms()))
            context.meter.dead_letters.labels(error.reason).inc()
        else:
            requests.append((user_id, record.timestamp, record.offset))
    rows = read_users(users, batch.partition, (user_id for user_id, _, _ in requests))
    markers = steps.forget_users(rows, requests, source)
    gone: Rows = {user_id.encode(): None for user_id in markers}
    context.outcomes.forget(markers)
    # All lists that earlier batches made of these rows are stored by now: a batch sends them before
    # it lets the next one start.
    await asyncio.gather(
        context.recommendations.send(batch.partition, gone.items()),
        context.dead_letters.send(batch.partition, letters),
    )
    stored = gone | {marker_key(user_id): encode_profile(row) for user_id, row in markers.items()}
    users.stage(batch.partition, stored)
    await users.commit(batch.partition, stored)
    if markers:
        users.flush(batch.partition)
    context.meter.forgotten.inc(len(markers))
