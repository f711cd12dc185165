"""The dashboard: how the whole installation is, live, as a page of the gateway.

Pure parts (`ring`, `flows`, `rising`, `readings`) know no Kafka and no HTTP; `cluster`, `workers`,
`letters` and `inspecting` ask; `collector` does so for all viewers at once; `routes` answers them.
"""
