"""Gives memory that no model uses any more back to the system, not only to Python."""

from __future__ import annotations

import ctypes
import gc

import torch


def give_back_memory() -> None:
    """Collect cycles, empty CUDA's cache, and let glibc return free pages, which it keeps by default."""
    gc.collect()
    torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
