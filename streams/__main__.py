"""`python -m streams` is `headrace`, for callers that know their interpreter and not their PATH."""

from streams.cli import main

if __name__ == "__main__":
    main()
