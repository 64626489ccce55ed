"""Checkpoint files: which there are, where they lie, that they are the right ones, and how their tensors are read.

Knows files, hashes and servers; what a network does with its tensors is not known here.
"""

from heygem.weights.download import download
from heygem.weights.load import build, read_metadata, read_tensors
from heygem.weights.manifest import CHECKPOINTS, Checkpoint
from heygem.weights.verify import VerifiedFile, find_weights, verify_own, verify_present

__all__ = [
    "CHECKPOINTS",
    "Checkpoint",
    "VerifiedFile",
    "build",
    "download",
    "find_weights",
    "read_metadata",
    "read_tensors",
    "verify_own",
    "verify_present",
]
