"""A stand-in for Metavision HAL, in C++."""
