"""The command line: `aevents info`, `convert`, `repair`, `run`, `play` and `formats`."""
