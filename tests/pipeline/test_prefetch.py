"""The one place with a thread: order, bound, and that neither end can hang the other."""

import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from heygem.pipeline.prefetch import prefetch


def reader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_keeps_order_and_reads_no_further_ahead_than_asked() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = prefetch(items(), depth=4)
    assert next(ahead) == 0
    time.sleep(0.3)
    assert 3 <= len(made) <= 6
    assert [0, *ahead] == list(range(100))
    assert not reader_threads()


def test_none_is_an_item_like_any_other() -> None:
    assert list(prefetch(iter([None, None]), depth=1)) == [None, None]


def test_error_arrives_in_place_of_the_item_it_prevented() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("bad frame")

    ahead = prefetch(items(), depth=4)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="bad frame"):
        next(ahead)
    assert not reader_threads()


def test_an_error_keeps_nothing_alive_once_it_is_forgotten() -> None:
    class Model:
        pass

    models: list[weakref.ref[Model]] = []

    def items() -> Iterator[int]:
        model = Model()
        models.append(weakref.ref(model))
        yield 1
        raise ValueError("bad frame")

    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            list(prefetch(items(), depth=1))
        assert models[0]() is None
    finally:
        gc.enable()


def test_closing_early_ends_the_thread_and_closes_the_source() -> None:
    closed: list[bool] = []

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.append(True)

    ahead = prefetch(items(), depth=8)
    with pytest.raises(RuntimeError, match="consumer"):
        try:
            for number in ahead:
                if number == 5:
                    raise RuntimeError("consumer")
        finally:
            ahead.close()
    assert closed == [True]
    assert not reader_threads()
