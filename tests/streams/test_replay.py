"""Learning from files: nothing looks ahead, and the same log gives the same weights."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from features.events import Click, Event, Search
from features.fading import ONE
from features.profile import learn, new_profile
from ranker.history import History
from streams.cli import app
from streams.configuration import configuration
from streams.data import ONLINE_RETAIL, read_folder
from streams.evaluate import evaluate
from streams.learner import (
    BETWEEN_EPOCHS,
    FIRST_FIT,
    LAST_EPOCHS,
    REHEARSED,
    Learner,
    taught_by,
)
from streams.models import new_model
from streams.recommend import warm_up
from streams.replay import BATCH, Replay
from streams.train import train

NOW = 1_700_000_000_000
EVENTS = 1_600


def rankings(events: Sequence[Event]) -> list[tuple[int, tuple[str, ...]]]:
    """Return (number, ids) of the list that was made before each event."""
    replay = Replay(new_model(), k=10)
    found = []
    for answer in replay.learn(events, lambda number, _, __: number > 2 * BATCH):
        ids = tuple(replay.index.ids[slot] for slot in answer.ranking.slots.tolist())
        found.append((answer.number, ids))
    return found


def test_no_list_depends_on_what_comes_later() -> None:
    events = list(islice(ONLINE_RETAIL.events(), 6 * BATCH))
    future = [
        Click(event_id=event.event_id, user_id=events[0].user_id, item_id="x", ts=event.ts)
        for event in events[4 * BATCH :]
    ]
    told = rankings(events)
    other = rankings([*events[: 4 * BATCH], *future])
    before = [ranking for ranking in told if ranking[0] <= 4 * BATCH]
    assert len(before) == 2 * BATCH
    assert before == [ranking for ranking in other if ranking[0] <= 4 * BATCH]
    assert told != other


def test_no_list_depends_on_its_own_event() -> None:
    """The last event of a log is changed: the list before it stays."""
    events = list(islice(ONLINE_RETAIL.events(), 4 * BATCH))
    changed = [*events[:-1], msgspec.structs.replace(events[-1], item_id="never-seen")]
    assert rankings(events)[-1] == rankings(changed)[-1]


@pytest.mark.parametrize("hide_owned", [False, True])
def test_lists_may_leave_out_what_their_user_has(hide_owned: bool) -> None:
    events = list(islice(ONLINE_RETAIL.events(), 6 * BATCH))
    replay = Replay(new_model(), k=10, hide_owned=hide_owned)
    answers = list(replay.learn(events, lambda number, _, __: number > BATCH))
    had: dict[str, set[str]] = {}
    shown_again = 0
    position = {answer.number: answer for answer in answers}
    for number, event in enumerate(events, start=1):
        assert not isinstance(event, Search)
        if number in position:
            ids = {replay.index.ids[slot] for slot in position[number].ranking.slots.tolist()}
            shown_again += len(ids & had.get(event.user_id, set()))
        had.setdefault(event.user_id, set()).add(event.item_id)
    assert (shown_again == 0) == hide_owned


def test_a_rhythm_is_learnt(tmp_path: Path) -> None:
    """Everybody goes a, b, c, d, a, ...: after a while every list begins with what comes next."""
    figures = evaluate(read_folder(rhythm(tmp_path, items=40))).figures
    assert figures["predictions"] == EVENTS - EVENTS // 5
    assert figures["hr@1"] > 0.9
    assert figures["mrr@5"] >= figures["hr@1"] == figures["accuracy"]
    assert figures["events"] == EVENTS


def test_next_item_counts_its_predictions_and_refuses_a_wrong_promise(tmp_path: Path) -> None:
    folder = rhythm(tmp_path, items=20, kind="next-item", predictions=60)
    figures = evaluate(read_folder(folder)).figures
    assert figures["predictions"] == 60
    assert figures["hr@1"] > 0.9
    broken = rhythm(tmp_path, items=20, kind="next-item", predictions=61)
    with pytest.raises(ValueError, match=r"60 predictions were made, protocol\.json promises 61"):
        evaluate(read_folder(broken))


def test_the_command_prints_one_object_of_figures(tmp_path: Path) -> None:
    folder = rhythm(tmp_path, items=20)
    told = CliRunner().invoke(app, ["evaluate", str(folder), "--json"])
    assert told.exit_code == 0, told.output
    figures = msgspec.json.decode(told.stdout)
    names = ("hr", "mrr", "ndcg", "recall", "precision", "f1", "coverage", "novelty")
    wanted = {"predictions", "seconds", "events_per_s", "configuration"}
    assert wanted | {f"{name}@{k}" for name in names for k in (1, 5)} <= figures.keys()


def test_the_configuration_is_the_same_in_every_process() -> None:
    """Python orders sets of texts anew each time it starts."""
    told = {
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from streams import configuration as c; print(c.configuration())",
            ],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{configuration()}\n"}


def test_the_configuration_is_known_by_every_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    before = configuration()
    assert configuration() == before
    for name, other in (("ranker.network.HIDDEN", (8, 8)), ("ranker.linear.PRIOR", {"own": 1.0})):
        with monkeypatch.context() as patch:
            patch.setattr(name, other)
            assert configuration() != before
    assert configuration() == before != configuration(diversity=0.1)


def test_the_same_log_gives_the_same_weights() -> None:
    items = list(ONLINE_RETAIL.items())
    events = list(islice(ONLINE_RETAIL.events(), 2_000))
    first = train(items, events, seed=3)
    again = train(items, events, seed=3)
    assert first.version.startswith("attention-")
    assert first.save() == again.save()
    assert train(items, events, seed=4).save() != first.save()


def test_any_model_can_be_warmed_up_and_ranks_as_before() -> None:
    model = train(list(ONLINE_RETAIL.items()), list(islice(ONLINE_RETAIL.events(), 2_000)), seed=3)
    before = model.save()
    for one in (model, new_model()):
        warm_up(one)
    assert model.save() == before


def test_without_consent_items_learn_and_models_do_not() -> None:
    clicks = [
        Click(event_id=f"{n}", user_id=user, item_id="i", ts=NOW + n, consent=consent)
        for n, (user, consent) in enumerate([("ann", None), ("eve", False), ("ann", True)])
    ]
    learner = Learner(k=5, seed=1)
    asked = list(learner.learn(clicks, lambda *_: True))
    assert {answer.event.user_id for answer in asked} == {"ann"}
    assert learner.replay.users.keys() == {"ann"}
    (history,) = learner._touched.histories()
    assert history.item_ids == ["i", "i"]
    assert learner.replay.items["i"].reach == ONE * 3


def test_a_long_log_teaches_by_an_even_sample() -> None:
    wanted = taught_by(1_000_000)
    event = Click(event_id="e", user_id="u", item_id="i", ts=NOW)
    stranger, known = new_profile(), learn(new_profile(), event, 0, 0)
    asked = [number for number in range(1, 1_000_001) if wanted(number, event, known)]
    rehearsal = (1_000_000 - int(1_000_000 * REHEARSED)) // BATCH * BATCH
    before, within = range(1_008, rehearsal + 1, 9), range(rehearsal + 1, 1_000_001)
    assert asked == [*before, *within]
    assert not any(wanted(number, event, stranger) for number in asked)


@pytest.mark.parametrize("events", [0, 1, 100, 200, 3_500, 5_000])
def test_a_whole_log_ends_in_a_rehearsal(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last tenth is ranked by a model as good as the last one, which has not read it."""
    learner, fits = Learner(k=5, seed=1), list[tuple[int, int]]()

    def fit(histories: Iterable[History], *_: object, epochs: int, **__: object) -> None:
        told = sum(len(history.item_ids) for history in histories)
        learnt = sum(sum(row.touches) for row in learner.replay.items.values())
        assert told == learnt  # what waits to be ranked for is not among it
        fits.append((told, epochs))

    monkeypatch.setattr(learner.model, "fit", fit)
    clicks = [
        Click(event_id=f"{n}", user_id=f"u{n // 4}", item_id=f"i{n % 7}", ts=NOW + n)
        for n in range(events)
    ]
    for _ in learner.learn_whole(clicks, events):
        pass
    rehearsal = (events - int(events * REHEARSED)) // BATCH * BATCH
    due = -(-FIRST_FIT // BATCH) * BATCH
    expected = [(due, BETWEEN_EPOCHS)] if due * 1.3 < rehearsal else []
    expected += [(rehearsal, LAST_EPOCHS)] if rehearsal else []
    assert fits == [*expected, (events, LAST_EPOCHS)]


def rhythm(
    folder: Path, items: int, kind: str = "prequential", predictions: int | None = None
) -> Path:
    def line(number: int, user: str, item: int) -> bytes:
        event = Click(
            event_id=f"{user}-{number}", user_id=user, item_id=f"i{item}", ts=NOW + number
        )
        return msgspec.json.encode(event) + b"\n"

    log = [line(n, f"u{n % 4}", (n // 4) % items) for n in range(EVENTS)]
    protocol: dict[str, object] = {"name": "rhythm", "kind": kind, "k": [1, 5]}
    if kind == "prequential":
        (folder / "events.jsonl").write_bytes(b"".join(log))
        protocol |= {"events": "events.jsonl", "total": EVENTS}
    else:
        (folder / "train.jsonl").write_bytes(b"".join(log))
        test = [line(n, f"t{n % 4}", (n // 4 + 3) % items) for n in range(64)]
        (folder / "test.jsonl").write_bytes(b"".join(test))
        protocol |= {"train": "train.jsonl", "test": "test.jsonl", "predictions": predictions}
    (folder / "protocol.json").write_bytes(msgspec.json.encode(protocol))
    return folder
