"""What is said of uploads before their job."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

from heygem.errors import NOTHING, Notice, Text
from heygem.jobs.face_choice import FaceChoice
from heygem.jobs.face_sample import FaceSample
from heygem.jobs.job import JobError
from heygem.jobs.preflight import ClipReport, PreflightReport, SpeechReport
from heygem.ui.preflight_desk import Answer, Question
from heygem.ui.preflight_view import preflight_card
from heygem.ui.text import LABELS

QUESTION = Question(Path("a.mp4"), Path("a.wav"))
INFO = SimpleNamespace(duration=Fraction(75), fps=Fraction(30000, 1001), width=1280, height=720)
AUDIO = SimpleNamespace(duration=Fraction(40), info=SimpleNamespace(rate_hz=44100, codec="aac", duration=None))
TWO = (FaceChoice(("0", "leftmost"), b"\xff1"), FaceChoice(("1", "largest"), b"\xff2"))


def clip(choices=TWO, **changes):
    faces = FaceSample(16, 15, 120.0, len(choices), (), choices)
    return replace(ClipReport(Path("a.mp4"), INFO, faces), **changes)


def report(*clips, **changes):
    speech = SpeechReport(Path("a.wav"), AUDIO)
    made = PreflightReport(clips, speech, NOTHING, 5_300_000, 10**10, 95.0, (), 1_800_000, Text("嘴", "<lips>"))
    return replace(made, **changes)


def card(answer, face="largest"):
    return preflight_card(QUESTION, answer, face)


def test_nothing_is_shown_while_nothing_is_there():
    assert preflight_card(None, None, "largest") == ""
    assert preflight_card(Question(), Answer(), "largest") == ""


def test_headers_are_shown_while_the_rest_is_looked_at():
    html = card(Answer(clip=INFO, speech=AUDIO.info))
    assert 'data-state="looking"' in html and "1:15 · 29.97 fps · 1280 × 720" in html and "44.1 kHz" in html
    assert 'role="progressbar"' in html and "hg-face" not in html and "Ready" not in html


def test_the_report_says_what_a_job_would_meet():
    html = card(Answer(report=report(clip(notices=(Notice("x", Text("注", "<note>"), Text("做", "do")),)))))
    assert 'data-state="done"' in html and "94% " in html and "0:40 · 44.1 kHz · aac" in html
    assert "<b>1:35</b>" in html and "<b>5 MB</b>" in html
    assert "&lt;note&gt;" in html and "do" in html and "progressbar" not in html
    assert "known after the first job" in card(Answer(report=report(clip(), expected_s=None)))


def test_only_files_of_which_nothing_is_to_be_said_are_called_ready():
    note = Notice("x", Text("注", "Note."), NOTHING)
    assert '<span class="hg-chip done">' in (html := card(Answer(report=report(clip())))) and "Ready" in html
    for changes, count in (
        ({}, 1),
        ({"notices": (note,)}, 2),
        ({"speech": SpeechReport(Path("a.wav"), AUDIO, (note,))}, 2),
    ):
        html = card(Answer(report=report(clip(notices=(note,)), **changes)))
        assert '<span class="hg-chip queued">' in html and f"Remarks:</span> {count}<" in html and "Ready" not in html
        assert html.count("Note.") == count and "Expected time" in html
    alone = preflight_card(
        Question(Path("a.mp4")), Answer(report=report(clip(notices=(note,)), speech=None)), "largest"
    )
    assert "Note." in alone and "hg-chip" not in alone


def test_what_the_lips_are_for_is_told_before_they_are_drawn_and_is_no_remark():
    html = card(Answer(report=report(clip())))
    assert "&lt;lips&gt;" in html and "Ready" in html
    assert "lips" not in preflight_card(Question(speech=Path("a.wav")), Answer(report=report()), "largest")


def test_a_clip_that_shows_nobody_would_fail_as_the_batch_tab_says():
    faceless = Notice("no_face", Text("无", "No face seen."), Text("换", "Show one."))
    for speech in (SpeechReport(Path("a.wav"), AUDIO), None):
        html = card(Answer(report=report(clip((), notices=(faceless,)), speech=speech)))
        assert '<span class="hg-chip failed">' in html and "Would fail" in html and "Ready" not in html
        assert html.count("No face seen.") == 1 and html.index("hg-error") < html.index("No face seen.")
        assert "Expected time" not in html


def test_the_chosen_face_is_pressed_whichever_way_it_was_chosen():
    answer = Answer(report=report(clip()))
    assert card(answer).count('data-face="') == 2
    for face, pressed in {"largest": "1", "1": "1", "leftmost": "0", "0": "0", "first": "0", "7": None}.items():
        html = card(answer, face)
        expected = [f'data-face="{value}" aria-pressed="{str(value == pressed).lower()}"' for value in ("0", "1")]
        assert all(words in html for words in expected), face
    assert "data:image/jpeg;base64,/zE=" in card(answer)


def test_without_sure_numbers_faces_are_called_by_their_place():
    html = card(Answer(report=report(clip((FaceChoice(("leftmost",), b""), FaceChoice(("largest",), b""))))))
    assert "Leftmost face" in html and "numbers would not be reliable" in html and "Person" not in html


def test_a_lone_face_is_shown_and_none_is_chosen():
    html = card(Answer(report=report(clip(TWO[:1]))))
    assert "<img" in html and "<button" not in html


def test_a_refused_file_and_a_failure_say_what_to_do():
    refused = JobError("damaged", Text("坏", "It is <damaged>."), Text("重传", "Upload it again."))
    html = card(Answer(report=report(ClipReport(Path("a.mp4"), refused=refused))))
    assert "It is &lt;damaged&gt;." in html and "Upload it again." in html and "Ready" not in html and "MB" not in html
    html = card(Answer(failed=JobError("x", Text("败", "Failed."), NOTHING)))
    assert "Failed." in html and 'role="alert"' in html


def test_where_one_of_several_can_be_chosen_the_option_is_named_as_the_form_names_it():
    [notice] = FaceSample(16, 16, 120.0, 2, (), TWO).notices
    assert LABELS["face"].zh in notice.hint.zh and LABELS["face"].en in notice.hint.en
    [notice] = FaceSample(16, 16, 120.0, 2, (), TWO[:1]).notices
    assert "2 people" in notice.text.en and notice.hint == NOTHING
