"""What events and rows mean. Pure: no I/O, no clock, no randomness, no environment."""
