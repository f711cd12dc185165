"""The engine piece by piece, without Kafka."""
