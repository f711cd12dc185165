"""What an evaluation counts, list by list and in bounded memory, and how it is told."""
