"""Formats that a library opens by path: HDF5, bags."""
