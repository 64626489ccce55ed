"""Gives memory that no model uses any more back to the system, not only to Python."""

from __future__ import annotations

import gc

import torch

from heygem.heap import give_back_free_pages


def give_back_memory() -> None:
    """Collect cycles, empty CUDA's cache, and return what the C library keeps."""
    gc.collect()
    torch.cuda.empty_cache()
    give_back_free_pages()
