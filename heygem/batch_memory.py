"""How many items a network takes at once on this device, learnt from running out of memory."""

from __future__ import annotations

import threading


class BatchMemory:
    """The batch size that fits, kept for as long as the process lives. Safe to share between threads."""

    def __init__(self, size: int | None = None) -> None:
        self._size = size
        self._guard = threading.Lock()

    def start_at(self, default: int) -> None:
        """Use `default` unless a size is known already.

        Args:
            default: Items at once, at least 1.
        """
        with self._guard:
            if self._size is None:
                self._size = default

    @property
    def size(self) -> int:
        """Items at once.

        Raises:
            RuntimeError: `start_at` was not called.
        """
        if self._size is None:
            raise RuntimeError("no batch size is known yet: call start_at first")
        return self._size

    def shrink_to(self, size: int) -> None:
        """Remember that more than `size` items did not fit; a smaller size that is known stays."""
        with self._guard:
            self._size = size if self._size is None else min(self._size, size)
