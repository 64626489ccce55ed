"""For what another thread or process does in its own time."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], object], limit_s: float = 120) -> None:
    """Return as soon as it is so; fail if it never is. No test depends on how long that takes."""
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
