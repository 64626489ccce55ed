"""Smaller batches when the device runs out of memory. Knows nothing of what is drawn."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from heygem.batch_memory import BatchMemory
from heygem.errors import OutOfMemoryError, Text

log = logging.getLogger(__name__)
R = TypeVar("R")


def in_halves(count: int, batch: BatchMemory, draw: Callable[[slice], R]) -> list[R]:
    """Draw `count` items in batches; where one does not fit, draw the same items in halves.

    The size that fits is left in `batch`, so that the next call starts with it.

    Args:
        count: Items to draw.
        batch: The size to begin with.
        draw: Draws the items of a slice of 0..count. Called again for the same items after it ran out of memory, so
            it may change nothing before it is done.

    Returns:
        What `draw` returned, for consecutive slices that cover all items.

    Raises:
        OutOfMemoryError: not even one item fits.
    """
    drawn: list[R] = []
    start = 0
    while start < count:
        size = min(batch.size, count - start)
        fitting = _draw(slice(start, start + size), draw)
        if fitting:
            drawn += fitting
            start += size
            continue
        # Here, not in the handler: until the error is gone its traceback holds every tensor of the attempt.
        gc.collect()
        torch.cuda.empty_cache()
        batch.shrink_to(size // 2)
        log.warning("out of memory with %d items at once, going on with %d", size, batch.size)
    return drawn


def _draw(items: slice, draw: Callable[[slice], R]) -> list[R]:
    """What `draw` returned, alone in a list; an empty list if the items did not fit."""
    try:
        return [draw(items)]
    except torch.OutOfMemoryError as error:
        if items.stop - items.start == 1:
            raise OutOfMemoryError(
                Text("显存不足，连一帧也无法处理。", "The device has too little memory for a single frame."),
                hint=Text(
                    "请关闭占用显存的其他程序，关闭人脸增强，或改用 --device cpu。",
                    "Close other programs that use it, switch the enhancer off, or use --device cpu.",
                ),
            ) from error
        return []
