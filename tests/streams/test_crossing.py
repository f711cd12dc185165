"""What people do in one domain tells what they want in another, where they are new."""

import random

import pytest

from features.decay import HOUR_MS
from features.domains import ONE_SHOP, Domain, Domains
from features.events import Click, Event, Item, Search
from features.profile import Profile, new_profile
from streams import steps
from streams.models import new_model
from streams.replay import Replay

NOW = 1_700_000_000_000
TASTES = ("kitchen", "garden", "music", "games", "travel")
EACH = 20  # items of a taste and domain
K = 10
DOMAINS = Domains(ONE_SHOP.default, Domain("content"), Domain("social"))


def item_of(domain: str, taste: str, random_: random.Random) -> str:
    """Draw one of the taste's; the first are the most popular."""
    return f"{domain}-{taste}-{min(int(random_.expovariate(0.2)), EACH - 1)}"


def lives(random_: random.Random, users: int, domains: tuple[str, ...]) -> list[Event]:
    """Return what users of one taste each do, now here, now there; one act in five is not of it."""
    events: list[Event] = []
    for user in range(users):
        taste = TASTES[user % len(TASTES)]
        for act in range(12):
            domain = domains[act % len(domains)]
            shown = taste if random_.random() < 0.8 else random_.choice(TASTES)
            events.append(
                Click(
                    event_id=f"{'-'.join(domains)}-{user}-{act}",
                    user_id=f"{'-'.join(domains)}-{user}",
                    item_id=item_of(domain, shown, random_),
                    ts=NOW + user * HOUR_MS + act * 60_000,
                )
            )
    return events


@pytest.fixture(scope="module")
def world() -> Replay:
    """200 users who live in two domains each, and readers who have been in one only."""
    random_ = random.Random(7)
    replay = Replay(new_model(), k=K, domains=DOMAINS)
    replay.catalogue(
        Item(item_id=f"{domain}-{taste}-{number}", domain=domain)
        for domain in DOMAINS.names
        for taste in TASTES
        for number in range(EACH)
    )
    events = [
        *lives(random_, 100, ("shop", "content")),
        *lives(random_, 100, ("content", "social")),
        *lives(random_, 50, ("content",)),
    ]
    for _ in replay.learn(events, lambda *_: False):
        pass
    return replay


def shown(world: Replay, row: Profile, domain: str) -> list[str]:
    """Return the list that somebody with this row gets on entering a domain."""
    asked = Search(event_id="s", user_id="u", query="", ts=NOW + 400 * HOUR_MS, domain=domain)
    request = steps.request(row, asked, world.index, K, uncounted=0)
    (ranking,) = steps.rank([request], world.index, world.model, explained=False).rankings
    return [world.index.ids[slot] for slot in ranking.slots.tolist()]


@pytest.fixture(scope="module")
def strangers() -> Replay:
    """Readers and customers of whom nobody is both; items tell their taste as their category."""
    random_ = random.Random(7)
    replay = Replay(new_model(), k=K, domains=DOMAINS)
    replay.catalogue(
        Item(item_id=f"{domain}-{taste}-{number}", domain=domain, category=(domain, taste))
        for domain in DOMAINS.names
        for taste in TASTES
        for number in range(EACH)
    )
    events = [event for domain in DOMAINS.names for event in lives(random_, 80, (domain,))]
    for _ in replay.learn(events, lambda *_: False):
        pass
    return replay


def hits(world: Replay, domain: str) -> tuple[int, int]:
    """Return how often the next act of readers in a domain is in their list, and in the popular."""
    random_, popular = random.Random(11), shown(world, new_profile(), domain)
    found = found_popular = 0
    for user in range(50):
        made = shown(world, world.users[f"content-{user}"], domain)
        assert len(made) == K
        for _ in range(10):
            taken = item_of(domain, TASTES[user % len(TASTES)], random_)
            found += taken in made
            found_popular += taken in popular
    return found, found_popular


@pytest.mark.parametrize("domain", ["shop", "social"])
def test_readers_find_their_taste_where_they_have_never_been(world: Replay, domain: str) -> None:
    """Others live in both: what followed what, and the factors, lead from one to the other."""
    found, popular = hits(world, domain)
    assert found > 2 * popular


@pytest.mark.parametrize("domain", ["shop", "social"])
def test_a_leaning_leads_where_nobody_went_before(strangers: Replay, domain: str) -> None:
    """No pair of items joins the domains: a category of the same name does."""
    found, popular = hits(strangers, domain)
    assert found > 1.4 * popular
