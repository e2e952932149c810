"""How fast it is, one file a question: `python -m benchmarks`."""
