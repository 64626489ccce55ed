"""What the style sheet may cost whoever looks at the page."""

import re

from heygem.ui.theme import CSS_FILE

CSS = CSS_FILE.read_text(encoding="utf-8")


def test_what_goes_on_while_a_job_is_drawn_goes_in_steps():
    moving = re.findall(r"(?:animation|transition): ([^;}]*(?:infinite|\bwidth\b)[^;}]*)", CSS)
    assert len(moving) == 4
    assert [one for one in moving if not re.search(r"steps\(\d+\)", one)] == []


def test_what_moves_for_ever_moves_nothing_else():
    for frames in re.findall(r"@keyframes \w+ \{(.*)\}", CSS):
        assert set(re.findall(r"([\w-]+):", frames)) <= {"transform", "opacity"}


def test_no_comma_stands_where_gradio_would_begin_a_selector():
    # It splits a list at each, and puts its own selector before each part.
    assert re.findall(r":(?:has|not)\([^()]*,", CSS) == []
