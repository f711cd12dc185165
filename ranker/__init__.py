"""What to show: arrays in, arrays out. No Kafka, no clock, no files."""
