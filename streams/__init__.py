"""The shell: Kafka, Faust, RocksDB, settings and commands around `features` and `ranker`."""
