"""The command line: `aevents info`, `convert`, `run` and `formats`."""
