"""The demo from start to end: everything it starts, it stops."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path

from features.events import Event, Search
from streams import admin
from streams.broker import Kafka
from streams.broker.ports import free_ports
from streams.bulk import publish
from streams.clock import now_ms
from streams.data import ONLINE_RETAIL
from streams.demo import show
from streams.demo.live import Listener, percentile, send_paced, wait_for
from streams.demo.stay import stay
from streams.demo.story import Return, Story, moved, tell
from streams.demo.workers import READY_WITHIN_S, WorkerProcess
from streams.gateway.serve import listen
from streams.models import write_model
from streams.producer import EventProducer
from streams.settings import Settings
from streams.simulate import simulate
from streams.train import train

LIVE_S = 10.0
RETURNS_PER_S = 10.0
SIMULATED_PER_S = 40.0
GENTLE_PER_S = 3.0
SHOPPERS = 4_000
SEED = 1
ANSWERED_WITHIN_S = 30.0
REPLAYED_WITHIN_S = 600.0
HANDLED = ("headrace_events_total", "headrace_skipped_events_total", "headrace_dead_letters_total")


def run(stage: show.Stage, events: int, home: Path, port: int | None = None) -> None:
    """Play the demo.

    Args:
        stage: Where it is shown.
        events: Real events to replay before the live part.
        home: Keeps what is worth keeping between runs: the trained model.
        port: Then open the shop there, and stay until a signal; None: end.

    Raises:
        RuntimeError: a part failed; the message has its last words.
        OSError: the port is taken.
    """
    if port is not None:
        listen(Settings(gateway_port=port)).close()  # told now, not after the play
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_terminated_like_interrupted())
        scratch = Path(tempfile.mkdtemp(prefix="run-", dir=home))
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        with stage.step("reading two real shops"):
            story = tell(events)
        if port is not None:  # whoever comes into the shop comes now
            story = moved(story, now_ms())
        model = _first_weights(stage, home, story)
        with stage.step("starting Apache Kafka"):
            address = stack.enter_context(Kafka(scratch / "kafka"))
        settings = Settings(
            broker=address,
            partitions=4,
            data_dir=scratch / "state",
            model=model,
            metrics_port=free_ports(1)[0],
            gateway_dir=scratch / "gateway",
            repeat_ms=0,  # the shops' times are coarse: one minute holds an order, 1 ms a click
        )
        with stage.step("creating topics"):
            admin.create(settings)
        with stage.step(f"loading the catalogues: {len(story.items)} items"):
            publish(settings, story.items)
        worker = stack.enter_context(WorkerProcess(settings, home / "worker.log"))
        with stage.step("starting a worker"):
            worker.wait_until("headrace_catalog_entries_total", len(story.items), READY_WITHIN_S)
        _replay(stage, settings, worker, story)
        with EventProducer(settings) as producer, Listener(settings) as listener:
            _live(stage, producer, listener, story)
        if port is not None:
            stay(stage, settings, port, lambda: simulated(story, now_ms(), GENTLE_PER_S))


def _first_weights(stage: show.Stage, home: Path, story: Story) -> Path:
    """Train on some of what will be replayed, once; what comes after the cut stays unseen."""
    path = home / f"model-{len(story.taught)}-{SEED}.safetensors"
    if not path.exists():
        with stage.step(f"training first weights on {len(story.taught):,} events (once)"):
            write_model(path, train(story.items, story.taught, seed=SEED))
    return path


def _replay(stage: show.Stage, settings: Settings, worker: WorkerProcess, story: Story) -> None:
    """Send history at full speed and watch the worker take it in."""
    total = len(story.replayed)
    started = time.perf_counter()
    with stage.progress("replaying real events", total) as handled:
        publish(settings, story.replayed)
        deadline = time.monotonic() + REPLAYED_WITHIN_S
        while (done := _handled(worker)) < total and time.monotonic() < deadline:
            handled(done)
            time.sleep(0.2)
        handled(done)
    seconds = time.perf_counter() - started
    stage.say(f"{done:,} events learnt in {seconds:.1f} s: {done / seconds:,.0f} events/s")


def _handled(worker: WorkerProcess) -> int:
    counters = worker.counters()
    return int(sum(counters.get(name, 0) for name in HANDLED))


def _live(stage: show.Stage, producer: EventProducer, listener: Listener, story: Story) -> None:
    """Let real customers come back and simulated ones shop, at the pace of people."""
    returns = story.returns[: int(LIVE_S * RETURNS_PER_S)]
    timed = sorted([*_returning(returns), *_simulated(story)], key=lambda pair: pair[0])
    with stage.step(
        f"{LIVE_S:.0f} s live: {len(returns)} real customers come back, simulated ones search, "
        "click and buy"
    ):
        sent = send_paced(producer, timed)
        missing = wait_for(listener, [one.first.event_id for one in returns], ANSWERED_WITHIN_S)
    if missing:
        raise RuntimeError(f"{len(missing)} of {len(returns)} customers got no list")
    waits = sent.waits_ms(listener)
    stage.say(
        f"event to recommendation, {len(waits):,} lists at {len(timed) / LIVE_S:.0f} events/s: "
        f"p50 {percentile(waits, 0.5):.0f} ms, p99 {percentile(waits, 0.99):.0f} ms"
    )
    answered = [(one, listener.answer(one.first.event_id)) for one in returns]
    show.customers(stage, [(one, heard.found) for one, heard in answered if heard], story.items)
    searches = [
        heard.found
        for _, event in timed
        if isinstance(event, Search) and (heard := listener.answer(event.event_id))
    ]
    show.searches(stage, searches, story.items)


def _returning(returns: Sequence[Return]) -> Iterator[tuple[float, Event]]:
    for number, one in enumerate(returns):
        yield number / RETURNS_PER_S, one.first


def _simulated(story: Story) -> Iterator[tuple[float, Event]]:
    timed = simulated(story, story.cut_ts, SIMULATED_PER_S)
    return takewhile(lambda pair: pair[0] < LIVE_S, timed)


def simulated(story: Story, start_ts: int, events_per_s: float) -> Iterator[tuple[float, Event]]:
    """Yield events of simulated shoppers without end, each with the second that it is due in."""
    gifts = [item for item in story.items if item.item_id.startswith(ONLINE_RETAIL.prefix)]
    shoppers = simulate(
        gifts, SEED, shoppers=SHOPPERS, start_ts=start_ts, events_per_s=events_per_s
    )
    for event in shoppers:
        yield (event.ts - start_ts) / 1000, event


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that nothing that was started is left."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
