from dataclasses import replace
from pathlib import Path

import pytest
from sample_jobs import ESCAPED, HOSTILE, ID, done, job, running

from heygem.errors import Notice, Text
from heygem.jobs.job import JobKind, JobProgress, JobStatus
from heygem.pipeline.progress import Stage
from heygem.training.speaker_facts import SpeakerFacts
from heygem.ui.job_parts import Refusal
from heygem.ui.job_view import player
from heygem.ui.panel import Chosen, View, shown_single, shown_speaker
from heygem.ui.queue_view import queue_card
from heygem.ui.speakers_view import SpeakerRow, speakers_card, training_card, training_film
from heygem.ui.tile import tile

FACTS = SpeakerFacts("anna", HOSTILE, 0.0, ID, 120, 0.66, 0.51, 29.98, 26.75, 29.16, 28.29, 21_600)


def training(one, name="anna"):
    request = replace(one.request, kind=JobKind.SPEAKER, speaker=name, audio=Path("/out/clip"))
    return replace(one, request=request)


def view_of(*jobs, now_s=200.0):
    return View(jobs, [], [], now_s)


def test_a_row_says_what_the_model_reaches_and_offers_its_film_while_it_is_there():
    html = speakers_card([SpeakerRow("anna", FACTS)], films={ID})
    assert "120 ms" in html and "r 0.66" in html and "30.0 dB" in html and ESCAPED in html and "<script" not in html
    assert f'data-act="film" data-job="{ID}"' in html and "data-ask-zh" in html
    assert 'data-act="film"' not in speakers_card([SpeakerRow("anna", FACTS)])


def test_a_speaker_of_an_older_version_can_be_used_and_deleted():
    html = speakers_card([SpeakerRow("anna", None)])
    assert [part.split('"')[0] for part in html.split('data-act="')[1:]] == ["use-lips", "delete-speaker"]
    assert "No speakers of your own yet" in speakers_card([])


def test_the_one_that_the_single_tab_says_is_marked():
    rows = [SpeakerRow("anna", None), SpeakerRow("berta", None)]
    marked = speakers_card(rows, chosen_lips="berta").split("<li ")[1:]
    assert ["disabled" in row for row in marked] == [False, True]


def test_a_weak_model_says_so_and_a_refusal_stands_with_its_speaker():
    weak = replace(FACTS, notices=(Notice("weak_lips", Text("弱 <b>", "Weak <b>")), Notice("x", Text("", "Other"))))
    rows = [SpeakerRow("anna", weak), SpeakerRow("berta", None)]
    first, second = speakers_card(rows, refusal=Refusal("berta", Text("不行", "Not now"))).split("<li ")[1:]
    assert "Weak &lt;b&gt;" in first and "Other" not in first and "Not now" not in first and "Not now" in second


def test_a_training_goes_through_stages_of_its_own_and_counts_samples():
    progress = JobProgress(Stage.DRAWING, 1280, 24_000, 63.3, 359.0)
    html = training_card(training(running(progress)), 145.0)
    assert "1280/24000" in html and "samples/s" in html and "frames" not in html
    stages = html.split('<ol class="hg-stages">')[1]
    assert stages.index("Check") < stages.index("Lips") < stages.index("Sound") < stages.index("Training")
    assert stages.count('class="done"') == 3
    assert 'data-act="cancel"' in html
    seen = training_card(training(running(JobProgress(Stage.TRACKING, 5, 10))), 145.0)
    assert "frames" in seen and seen.count('class="done"') == 1
    assert training_card(None, 0.0) == training_film(None) == training_film(training(running())) == ""


@pytest.mark.parametrize("draw", [lambda one: queue_card([one], 0.0), lambda one: player(one, "play")])
def test_lists_call_it_by_the_speaker_s_name(draw):
    html = draw(training(done(name="clip.mp4"), "安娜"))
    assert "安娜" in html and "<b>clip.mp4" not in html and "clip.mp4 + " not in html


def test_a_tile_says_that_it_is_a_speaker():
    html = tile(training(done(name="clip.mp4")), play="show", meta="", buttons="")
    assert "Speaker" in html and "anna" in html and 'aria-label="播放 / Play: anna"' in html
    assert "hg-kind" not in tile(done(), play="show", meta="", buttons="")


def test_the_section_shows_the_training_asked_for_else_one_that_is_news():
    old = training(done(job_id="old", queued_s=1.0))
    new = training(running(job_id="new"))
    other = done(job_id="other")
    view = view_of(old, new, other)
    assert shown_speaker(view, Chosen()) == new
    assert shown_speaker(view, Chosen(speaker_job="old")) == old
    assert shown_speaker(view_of(old, now_s=85.0 + 3599), Chosen()) == old
    assert shown_speaker(view_of(old, now_s=85.0 + 3601), Chosen()) is None
    assert shown_speaker(view_of(other), Chosen(speaker_job="other")) is None


def test_the_single_tab_shows_no_training():
    other = done(job_id="other")
    assert shown_single(view_of(other, training(running())), Chosen()) == other
    assert shown_single(view_of(training(job(JobStatus.FAILED))), Chosen()) is None
