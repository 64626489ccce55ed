"""Events of one browser tab that are under way at the same time."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from threading import Event

import gradio as gr
import pytest

from heygem.ui.choice import Choice
from heygem.ui.events import Wiring
from heygem.ui.history_view import HistoryLook
from heygem.ui.panel import Chosen


def test_what_one_event_changes_is_not_undone_by_another_that_began_before():
    choice = Choice(Chosen(batch="old", playing="video"))
    slow, quick = choice.now, choice.now
    choice.change(quick, replace(quick, history=replace(quick.history, playing="shown"), playing=""))
    choice.change(slow, replace(slow, batch="new"))
    assert choice.now == Chosen(batch="new", history=HistoryLook(playing="shown"))


def test_of_one_field_the_last_word_counts():
    choice = Choice()
    first, second = choice.now, choice.now
    choice.change(first, replace(first, face="1"))
    choice.change(second, replace(second, face="2"))
    assert choice.now.face == "2"


def test_ticks_that_are_set_at_the_same_time_are_all_set():
    def ticked(look, *ids):
        return replace(look, history=replace(look.history, selected=frozenset(ids)))

    choice = Choice(ticked(Chosen(), "a", "b"))
    before = choice.now
    choice.change(before, ticked(before, "a", "b", "c"))
    choice.change(before, ticked(before, "b"))
    choice.change(before, ticked(before, "a", "b", "d"))
    assert choice.now.history.selected == {"b", "c", "d"}


def test_tabs_begin_alike_and_go_their_own_ways():
    first = Choice(Chosen(batch="b"))
    second = deepcopy(first)
    second.change(second.now, Chosen(batch="c"))
    assert (first.now.batch, second.now.batch) == ("b", "c")


@pytest.mark.parametrize("also", [False, True], ids=["alone", "with another output"])
def test_of_two_events_at_the_same_time_both_count(place, also):
    began, may_end = Event(), Event()

    def slow(chosen):
        began.set()
        assert may_end.wait(20)
        after = replace(chosen, batch="submitted")
        return (after, "no error") if also else after

    with gr.Blocks() as page:
        wiring = Wiring(place.queue, None)
        press, shown = gr.Button(), gr.HTML()
        wiring.on(press.click, slow, [wiring.chosen], [wiring.chosen, *([shown] if also else [])])
        wiring.on(press.click, lambda chosen: replace(chosen, playing="shown"), [wiring.chosen], [wiring.chosen])
    first, second = (page.fns[number].fn for number in (0, 2))  # each is followed by a refresh
    choice = Choice()
    with ThreadPoolExecutor(1) as beside:
        ending = beside.submit(first, choice)
        assert began.wait(20)
        assert second(choice) is choice
        may_end.set()
        assert ending.result() == ([choice, "no error"] if also else choice)
    assert choice.now == Chosen(batch="submitted", playing="shown")
