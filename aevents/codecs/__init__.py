"""Formats: bytes to batches and back. No I/O: a decoder is fed, an encoder is asked."""
