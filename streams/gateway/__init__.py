"""The HTTP gateway: events in, recommendations and rankings out."""
