"""Scripts that measure. They are not part of the wheel."""
