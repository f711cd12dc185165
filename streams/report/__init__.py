"""What a running installation did over a period, read from its topics, as people read it."""
