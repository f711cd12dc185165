"""`headrace demo`: real events in, recommendations out, on a Kafka of its own."""

from streams.demo.play import run

__all__ = ["run"]
