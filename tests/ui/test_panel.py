"""What all open pages share of a look at the server."""

import pytest

from heygem.ui.panel import Chosen, SharedLook, View, drawn_once


class Looks:
    """Counts looks, at a time and with a mark that tests set."""

    def __init__(self):
        self.count, self.now, self.mark = 0, 0.0, 1
        self.shared = SharedLook(self.look, lambda: self.mark, lambda: self.now)

    def look(self):
        self.count += 1
        return View([], [], [], float(self.count))


def test_pages_that_ask_within_a_second_share_a_look():
    looks = Looks()
    first = looks.shared()
    looks.now = 0.8
    assert looks.shared() is first and looks.count == 1
    looks.now = 1.0
    assert looks.shared() is not first and looks.count == 2
    looks.now = 1.8
    looks.shared()
    assert looks.count == 2


def test_a_change_of_the_queue_is_seen_at_once():
    looks = Looks()
    first = looks.shared()
    looks.mark = 2
    assert looks.shared() is not first
    assert looks.count == 2


def test_a_look_that_fails_is_not_remembered():
    def fail():
        raise OSError

    looks = Looks()
    shared = SharedLook(fail, lambda: 1, lambda: 0.0)
    with pytest.raises(OSError):
        shared()
    shared._look = looks.look
    assert shared().now_s == 1.0


def test_what_is_the_same_on_all_pages_is_drawn_once_for_each_look():
    drawn = []
    draw = drawn_once(lambda view: drawn.append(view) or f"<b>{view.now_s}</b>")
    one, two = View([], [], [], 1.0), View([], [], [], 2.0)
    assert [draw(one, Chosen()), draw(one, Chosen(batch="x")), draw(two, Chosen())] == [
        "<b>1.0</b>",
        "<b>1.0</b>",
        "<b>2.0</b>",
    ]
    assert drawn == [one, two]
