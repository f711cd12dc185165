"""What a worker tells Prometheus. Every metric name is here, once."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.engine import Watch

TABLES = ("users", "items")
LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Meter:
    """The worker's counters. One registry each, so that two workers in a process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "headrace_events_total", "Events learnt.", ["kind"], registry=self.registry
        )
        self.skipped = Counter(
            "headrace_skipped_events_total",
            "Events that did not count.",
            ["reason"],
            registry=self.registry,
        )
        self.late = Counter(
            "headrace_late_events_total",
            "Events that counted, but were older than their user's newest.",
            ["reason"],
            registry=self.registry,
        )
        self.unstored = Counter(
            "headrace_unstored_events_total",
            "Events that count for items but are not stored with their user.",
            ["reason"],
            registry=self.registry,
        )
        self.forgotten = Counter(
            "headrace_forgotten_users_total",
            "Requests to forget a user that were carried out.",
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "headrace_dead_letters_total",
            "Records that were not ours.",
            ["reason"],
            registry=self.registry,
        )
        self._mends = Counter(
            "headrace_mended_fields_total",
            "Fields of events and catalogue entries that cleaning changed or left out.",
            ["field"],
            registry=self.registry,
        )
        self.lists = Counter(
            "headrace_recommendations_total",
            "Lists sent.",
            ["surface", "domain"],
            registry=self.registry,
        )
        self.catalog = Counter(
            "headrace_catalog_entries_total",
            "Catalogue entries and deletions applied to item rows.",
            registry=self.registry,
        )
        self.signals = Counter(
            "headrace_item_signals_total",
            "Entries of item signals applied to item rows.",
            registry=self.registry,
        )
        self.expired = Counter(
            "headrace_expired_rows_total",
            "Rows of idle users and dead items deleted.",
            ["table"],
            registry=self.registry,
        )
        self.batch = Histogram(
            "headrace_batch_seconds",
            "Time from taking a batch to its acknowledgement.",
            ["agent"],
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.age = Histogram(
            "headrace_list_age_seconds",
            "Age of the event (by its record's timestamp) when its list was sent.",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.outcomes = Counter(
            "headrace_outcomes_total",
            "Lists whose users showed what they took next.",
            ["surface"],
            registry=self.registry,
        )
        self.hits = Counter(
            "headrace_outcome_hits_total",
            "Those of which the user took an item; by headrace_outcomes_total, the hit rate.",
            ["surface"],
            registry=self.registry,
        )
        self.reciprocal_ranks = Counter(
            "headrace_outcome_reciprocal_ranks_total",
            "Sum of 1 / place of what was taken, 0 where it was not in the list; by "
            "headrace_outcomes_total, the mean reciprocal rank.",
            ["surface"],
            registry=self.registry,
        )
        self.learnt = Counter(
            "headrace_learnt_outcomes_total",
            "Outcomes that taught the ranker: what was taken was among the candidates.",
            registry=self.registry,
        )
        self.losses = Counter(
            "headrace_learnt_loss_nats_total",
            "Loss of each before it was learnt; by headrace_learnt_outcomes_total, the mean.",
            registry=self.registry,
        )
        self.prevails = Gauge(
            "headrace_learning_prevails",
            "1 while what was learnt from outcomes ranks, 0 while the weights as published do.",
            registry=self.registry,
        )
        self.waiting = Gauge(
            "headrace_waiting_lists",
            "Lists whose outcome may still come.",
            registry=self.registry,
        )
        self.model = Gauge(
            "headrace_model",
            "1 for the model that ranks, by what its lists say.",
            ["version"],
            registry=self.registry,
        )
        self.refused_models = Counter(
            "headrace_refused_models_total",
            "Published models that are not for this worker.",
            ["reason"],
            registry=self.registry,
        )
        self.index_items = Gauge(
            "headrace_index_items", "Items in the worker's index.", registry=self.registry
        )
        self.categories = Gauge(
            "headrace_index_categories",
            "Categories with statistics, all items being one; of more than 10,000 the last to come "
            "count in the wider ones alone.",
            registry=self.registry,
        )
        self.worker = Gauge(
            "headrace_worker",
            "1; by its label, which member of the workers' group this is, where it has a name.",
            ["worker_id"],
            registry=self.registry,
        )
        self._table_rows = Gauge(
            "headrace_table_rows",
            "Rows held, those of standbys too, by RocksDB's estimate: a row that was written again "
            "counts again until its versions are merged.",
            ["table"],
            registry=self.registry,
        )
        self._table_bytes = Gauge(
            "headrace_table_bytes",
            "Bytes that they take on disk and in memory.",
            ["table"],
            registry=self.registry,
        )
        self.recovering = Gauge(
            "headrace_recovering",
            "1 while tables are read back from their changelogs, else 0.",
            registry=self.registry,
        )
        self.recovered = Gauge(
            "headrace_recovered_rows",
            "Rows read back from changelogs since the start, those of standbys too.",
            registry=self.registry,
        )
        self.remaining = Gauge(
            "headrace_recovery_remaining_offsets",
            "Changelog offsets still to read before the tables are whole.",
            registry=self.registry,
        )
        self.stalled = Gauge(
            "headrace_stalled_partitions",
            "Partitions that have records but make no progress.",
            registry=self.registry,
        )

    def count_mends(self, mends: Mapping[str, int]) -> None:
        """Count mended fields, given by name."""
        for name, times in mends.items():
            self._mends.labels(name).inc(times)

    def observe(self, watch: Watch) -> None:
        """Let the gauges of recovery and stalls read from an app's watchdog."""
        progress = watch.progress
        self.recovering.set_function(lambda: int(progress.recovering))
        self.recovered.set_function(lambda: progress.rows)
        self.remaining.set_function(lambda: progress.remaining)
        self.stalled.set_function(lambda: len(watch.stalled))
        for table in TABLES:
            self._table_rows.labels(table).set_function(_size(watch, table, 0))
            self._table_bytes.labels(table).set_function(_size(watch, table, 1))


def _size(watch: Watch, table: str, part: int) -> Callable[[], int]:
    return lambda: watch.sizes.get(table, (0, 0))[part]
