"""What a batch of events does, and what a list is made of: the business, without Kafka or clock.

The worker, the evaluation and the benchmarks call these functions and no others, so what is
measured is what runs. Rows go in and come out as values; the caller stores and sends them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from features import item as items
from features import privacy, vector
from features import profile as profiles
from features.affinity import band_code, shares
from features.domains import ONE_SHOP, Domains
from features.events import Event, Kind, Search, Touching
from features.guard import NO_RULES, Lateness, Rules, Verdict, lateness
from features.item import ItemRow
from features.privacy import Unstored
from features.profile import Profile
from features.signals import Signals, Touched, signal_of
from features.text import query_keys, reworded, terms
from ranker.items import ItemIndex
from ranker.rank import Model, Ranked
from ranker.rank import rank as rank_requests
from ranker.request import Request
from streams.factorise import step_items, step_users
from streams.filters import limits_of
from streams.item_states import vector_of

Before: TypeAlias = Callable[[Profile, int, int], None]
"""Told the row before a fresh event, its position, and the user's touches of the batch so far."""


@dataclass(slots=True)
class UserOutcome:
    """What one batch of one source changed: rows to store, signals to send, events that counted.

    Attributes:
        rows: User id -> row after the batch, for every user with an event that may be stored.
        signals: Item id -> what the batch says about it, in offset order.
        fresh: Positions in the batch of the events that counted and are stored.
        unstored: Position in the batch -> why the event is not stored with its user.
        again: Positions of searches that did not count because they had just been asked. Whoever
            asked waits for an answer, perhaps under other filters.
        touches: User id -> touches of this batch, which no item row holds yet.
        skipped: How many events did not count, and why.
        late: How many that counted were older than their user's newest.
    """

    rows: dict[str, Profile] = field(default_factory=dict)
    signals: dict[str, list[Touched]] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    unstored: dict[int, Unstored] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)
    touches: Counter[str] = field(default_factory=Counter)
    skipped: Counter[Verdict] = field(default_factory=Counter)
    late: Counter[Lateness] = field(default_factory=Counter)

    def skip(self, position: int, event: Event, why: Verdict) -> None:
        """Note that an event does not count."""
        self.skipped[why] += 1
        if why is Verdict.TWIN and isinstance(event, Search):
            self.again.append(position)

    def leave_unstored(self, position: int, event: Event, offset: int, why: Unstored) -> None:
        """Let an event count for its item as one of nobody."""
        self.unstored[position] = why
        if not isinstance(event, Search):
            anonymous = signal_of(profiles.new_profile(), event, offset)
            self.signals.setdefault(event.item_id, []).append(anonymous)


def learn_users(
    rows: Mapping[str, Profile | None],
    events: Sequence[Event],
    source: int,
    offsets: Sequence[int],
    index: ItemIndex,
    *,
    before: Before | None = None,
    ttl_ms: int = 0,
    arrived_ms: Sequence[int] = (),
    refuse: bool = False,
    rules: Rules = NO_RULES,
    late_ms: int = 0,
    domains: Domains = ONE_SHOP,
) -> UserOutcome:
    """Fold a batch of events into the rows of their users.

    An event that may not be stored with its user counts for its item all the same, as one of
    nobody: with no history, query or factors.

    Args:
        rows: User id -> row before the batch, or marker of a user who was forgotten; missing or
            None for a user never seen.
        events: The batch, in log order.
        source: The partition that the events came from (see `features.profile`).
        offsets: The events' offsets, ascending, one for each event.
        index: All items; read for their factors, domains, categories and brands only.
        before: Called before each fresh event is learnt, so that it can be predicted.
        ttl_ms: Who comes back after a longer pause starts anew, so that it makes no difference
            whether the old row was deleted meanwhile; 0 for never.
        arrived_ms: When each event was stored, by the broker's clock; left out, its own time.
        refuse: Whether who was forgotten is not stored again (see `features.privacy`).
        rules: What does not count beside replays and repeated ids.
        late_ms: An event that is older than its user's newest by more is late.
        domains: What events weigh, by the domain of their item.
    """
    outcome = UserOutcome()
    changed, signals, touches = outcome.rows, outcome.signals, outcome.touches
    acts: list[Touching] = []
    pulls: list[float] = []
    for position, (event, offset) in enumerate(zip(events, offsets, strict=True)):
        user_id = event.user_id
        row = changed.get(user_id) or rows.get(user_id) or profiles.new_profile()
        if event.consent is False or row.forgotten_at:
            arrived = arrived_ms[position] if arrived_ms else event.ts
            reason = privacy.unstored(row, event, arrived, refuse=refuse)
            if reason is not None:
                outcome.leave_unstored(position, event, offset, reason)
                continue
        judged = profiles.judge(row, event, source, offset, rules)
        leaf, brand, weights = "", "", domains.default.weights
        if judged[0] is not Verdict.COUNTS:
            outcome.skip(position, event, judged[0])
        else:
            if late := lateness(row.newest_ts, event.ts, late_ms):
                outcome.late[late] += 1
            if ttl_ms and profiles.idle(row, event.ts, ttl_ms):
                row = profiles.anew(row)
            if before is not None:
                before(row, position, touches[user_id])
            if not isinstance(event, Search):
                signals.setdefault(event.item_id, []).append(signal_of(row, event, offset))
                leaf, brand = index.leaf_and_brand(event.item_id)
                domain = domains.alone or domains.of(index.domain_of(event.item_id))
                weights = domain.weights
                acts.append(event)
                pulls.append(domain.pull(event.kind))
                touches[user_id] += 1
            outcome.fresh.append(position)
        changed[user_id] = profiles.take(
            row, event, source, offset, judged, leaf=leaf, brand=brand, weights=weights
        )
    if acts:
        step_users(changed, acts, pulls, index, (source, offsets[0]))
    return outcome


def forget_users(
    rows: Mapping[str, Profile | None], requests: Iterable[tuple[str, int, int]], source: int
) -> dict[str, Profile]:
    """Return the markers that requests leave; the rows of their users are to be deleted.

    Args:
        rows: As in `learn_users`.
        requests: User id, time stored and offset of each, in log order.
        source: The partition that they came from.

    Returns:
        User id -> marker. A request that was applied before changes nothing and is left out.
    """
    markers: dict[str, Profile] = {}
    for user_id, at, offset in requests:
        row = markers.get(user_id) or rows.get(user_id) or profiles.new_profile()
        marker = privacy.forget(row, at, source, offset)
        if marker is not None:
            markers[user_id] = marker
    return markers


def learn_items(
    rows: Mapping[str, ItemRow | None],
    messages: Iterable[tuple[str, Signals]],
    *,
    neighbours: int,
    factors: int,
    seed: Sequence[int],
    half_life_ms: int = 0,
    domains: Domains = ONE_SHOP,
) -> dict[str, ItemRow]:
    """Fold item signals into the rows of their items.

    Args:
        rows: Item id -> row before; missing or None for an item never seen.
        messages: Item id and what was said about it, in log order.
        neighbours: Neighbours kept per item.
        factors: Length of the factors.
        seed: Of the batch: its partition and first offset.
        half_life_ms: After so long, pairs and queries weigh half; 0: they never fade.
        domains: What events weigh and how popularity fades, by the domain of the item.

    Returns:
        Item id -> row after, for every item that was named.
    """
    changed: dict[str, ItemRow] = {}
    touched: defaultdict[str, list[Touched]] = defaultdict(list)
    for item_id, message in messages:
        row = changed.get(item_id) or rows.get(item_id) or items.new_item()
        touched[item_id] += items.fresh(row, message)
        half_lives_ms = domains.of(items.domain_of(row)).half_lives_ms
        changed[item_id] = items.learn(row, message, neighbours, half_life_ms, half_lives_ms)
    step_items(changed, touched, factors, seed, domains)
    return changed


def request(
    row: Profile,
    event: Event,
    index: ItemIndex,
    k: int,
    uncounted: int,
    *,
    hidden: Iterable[str] = (),
    diversity: float = 0.0,
) -> Request:
    """Ask for the list that an event calls for: what to show now, or what answers a search.

    It is of the domain that the event names, else of the item's, else of the default one.

    Args:
        row: The user's row; before the event to predict it, after it to answer it.
        event: What the list is for; its time is the list's "now".
        index: All items.
        k: Length of the list, unless the search says its own.
        uncounted: So many of the row's newest touches are not in the item rows yet.
        hidden: Items not to show, beside those that the event itself excludes.
        diversity: How much the items shall differ, unless they answer a search.
    """
    touches = row.recent
    leaves, brands = index.leanings(shares(row.categories), shares(row.brands))
    wanted = Request(
        now=event.ts,
        k=k,
        history=index.slots(touches.item_ids)[::-1],
        history_kinds=np.frombuffer(touches.kinds, np.int8)[::-1],
        history_times=np.frombuffer(touches.times, "<i8")[::-1],
        uncounted=uncounted,
        factors=vector_of(row.factors),
        bias=row.bias,
        leaves=leaves,
        brands=brands,
        price_bands={band_code(band): share for band, share in shares(row.price_bands).items()},
        exclude=index.slots(hidden),
        domain=_domain(event, index),
        diversity=diversity,
    )
    if isinstance(event, Search):
        wanted.diversity = 0.0
        wanted.query = event.query
        words = meant(event.query, index)
        wanted.query_keys = query_keys(words)
        wanted.terms = terms(words)
        wanted.k = event.k or k
        wanted.given = None if event.candidates is None else index.slots(event.candidates)
        if event.filters is not None:
            named = index.slots(event.filters.exclude or ())
            outside = index.outside(limits_of(event.filters))
            wanted.exclude = np.concatenate([wanted.exclude, named, outside])
    return wanted


def meant(query: str, index: ItemIndex) -> str:
    """Return a query without the misspellings that the index knows how to mend."""
    mended = index.mend(query_keys(query))
    return reworded(query, mended) if mended else query


def _domain(event: Event, index: ItemIndex) -> int:
    if event.domain is not None or isinstance(event, Search):
        return index.domain_named(event.domain or "")
    return index.domain_named(index.domain_of(event.item_id))


def bought(row: Profile) -> set[str]:
    """Return the items that the user bought, as far back as the row remembers."""
    return {item_id for item_id, kind, _ in row.recent if kind == Kind.PURCHASE}


def rank(requests: Sequence[Request], index: ItemIndex, model: Model, *, explained: bool) -> Ranked:
    """Make one list per request, with reasons if they are wanted (see `ranker.rank`)."""
    return rank_requests(requests, index, model, vector.compute, explained=explained)
