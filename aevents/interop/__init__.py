"""Other libraries: a module for each that `aevents` can work with and does not need."""
