"""Pure transformations: batches to batches, batches to frames. No I/O, no clock, no task."""
