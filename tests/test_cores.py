"""Work spread over cores: order, errors, and that torch is left alone elsewhere."""

import os
import subprocess
import sys
import threading
import time

import cv2
import pytest
import torch

from heygem.cores import each

pytestmark = pytest.mark.usefixtures("four_threads")


def test_answers_come_in_the_order_of_the_items() -> None:
    def late_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * number

    assert each(late_first, range(20)) == [number * number for number in range(20)]
    assert each(late_first, []) == []


def test_torch_uses_one_thread_for_each_piece_and_as_many_as_before_elsewhere() -> None:
    before = torch.get_num_threads()
    assert set(each(lambda _: torch.get_num_threads(), range(20))) == {1}
    assert torch.get_num_threads() == before
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert elsewhere == [before]


def test_opencv_starts_no_threads_beside_them() -> None:
    each(abs, [1])
    assert cv2.getNumThreads() == 1


def test_work_on_a_gpu_is_ordered_from_one_thread() -> None:
    threads = each(lambda _: threading.current_thread(), range(3), torch.device("meta"))
    assert threads == [threading.current_thread()] * 3
    assert threading.current_thread() not in each(lambda _: threading.current_thread(), range(3))


@pytest.mark.parametrize(
    ("pixels", "most"),
    [(None, 4), (640 * 480, 2), (1280 * 720, 2), (1920 * 1080, 2), (2560 * 1440, 3), (3840 * 2160, 4)],
)
def test_small_pictures_get_two_threads_and_large_ones_more(pixels: int | None, most: int) -> None:
    working, together = 0, []
    changing = threading.Lock()

    def work(_: int) -> None:
        nonlocal working
        with changing:
            working += 1
            together.append(working)
        time.sleep(0.02)
        with changing:
            working -= 1

    each(work, range(12), pixels=pixels)
    assert max(together) == most


def test_an_error_arrives_when_nobody_works_any_more() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise ValueError("first")
        time.sleep(0.02)
        done.append(number)

    with pytest.raises(ValueError, match="first"):
        each(work, range(8))
    assert sorted(done) == list(range(1, 8))


def test_numpy_s_matrices_are_computed_on_one_thread() -> None:
    code = (
        "import heygem, numpy\nfrom threadpoolctl import threadpool_info\n"
        "print(*{pool['num_threads'] for pool in threadpool_info() if pool['internal_api'] == 'openblas'})"
    )
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == ["1"]
