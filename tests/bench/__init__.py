"""The benches work: figures for every contestant, whatever the figures are."""
