"""What bench.features compares: each module folds the same events into rows of their users."""
