"""How good the data is: counts, distributions and what looks wrong, in bounded memory."""
