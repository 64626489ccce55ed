"""First of all imports heygem, which tells OpenMP how to wait: torch reads that once, when it is loaded."""

import gc
import os

import pytest

import heygem  # noqa: F401


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported stays: the garbage collector looks through it neither meanwhile nor in any of the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Two processes more than cores: there are always some that wait for a page or a server."""
    return len(os.sched_getaffinity(0)) + 2


@pytest.fixture
def four_threads():
    """Torch with as many threads as a machine may have, where the tests' processes have one each."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)
