"""Where streams meet or part: what starts tasks, and so is entered with `async with`."""
