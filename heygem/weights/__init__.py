"""Checkpoint files: which there are, where they lie, that they are the right ones, and how their tensors are read.

Knows files, hashes and servers; what a network does with its tensors is not known here.
"""
