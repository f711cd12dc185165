"""What the gateway tells Prometheus. Every metric name of it is here, once."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class GatewayMeter:
    """The gateway's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "headrace_gateway_requests_total",
            "Requests answered; of paths that there are not, the route is none.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "headrace_gateway_request_seconds",
            "Time from a request's head to its whole answer, what it asked to wait included.",
            ["route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.events = Counter(
            "headrace_gateway_events_total",
            "Events, catalogue entries, deletions and requests to forget that Kafka confirmed.",
            ["type"],
            registry=self.registry,
        )
        self.refused = Counter(
            "headrace_gateway_refused_events_total",
            "Those that were not valid.",
            ["reason"],
            registry=self.registry,
        )
        self.answers = Counter(
            "headrace_gateway_answers_total",
            "Lists answered with, by where their first items come from.",
            ["surface", "source"],
            registry=self.registry,
        )
        self.working = Gauge(
            "headrace_gateway_requests_at_work", "Requests at work.", registry=self.registry
        )
        self.lag = Gauge(
            "headrace_gateway_lag_records",
            "Records of lists that Kafka has and the copy has not.",
            registry=self.registry,
        )
