"""A batch that is being put together, as a value."""

from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import InputError, OptionError
from heygem.jobs.batch_list import BatchLine
from heygem.pipeline.options import RenderOptions
from heygem.ui.batch_draft import Draft, DraftClip

UP = Path("/up")
A, B, C = (DraftClip(name, UP / f"{name}.mp4", f"{name}.mp4") for name in "abc")
DRAFT = Draft((A, B, C), UP / "speech.wav")


def order(draft):
    return "".join(clip.id for clip in draft.clips)


def test_clips_move_as_far_as_the_list_goes():
    assert order(DRAFT.moved("b", -1)) == "bac" and order(DRAFT.moved("b", 1)) == "acb"
    assert order(DRAFT.moved("a", -1)) == "abc" and order(DRAFT.moved("c", 1)) == "abc"
    assert order(DRAFT.moved("b", -5)) == "bac" and DRAFT.moved("gone", 1) == DRAFT


def test_a_clip_takes_the_place_of_another():
    assert order(DRAFT.moved_to("a", "c")) == "bca" and order(DRAFT.moved_to("c", "a")) == "cab"
    assert DRAFT.moved_to("a", "gone") == DRAFT.moved_to("gone", "a") == DRAFT.moved_to("b", "b") == DRAFT


def test_options_of_a_clip_s_own_go_before_the_common_ones():
    common = RenderOptions(crf=30, face="leftmost")
    own = B.with_own(face="2").with_own(sync_offset_ms=40.0).with_own(face="3")
    assert own.own == ("face", "sync_offset_ms")
    assert own.effective(common) == RenderOptions(crf=30, face="3", sync_offset_ms=40)
    assert own.without_own("face").effective(common) == RenderOptions(crf=30, face="leftmost", sync_offset_ms=40)
    draft = DRAFT.changed(own)
    assert [clip.own for clip in draft.clips] == [(), own.own, ()]
    with pytest.raises(OptionError):
        B.with_own(face="nobody")


def test_each_clip_becomes_a_job_with_its_own_and_the_common():
    draft = DRAFT.changed(B.with_own(crf=20))
    other = DraftClip("d", UP / "d.mp4", "d.mp4", speech=UP / "other.wav", speech_name="other.wav")
    jobs = draft.with_clips([other]).requests(UP / "common.wav", RenderOptions(face="1"))
    assert [(job.video_name, job.audio_name, job.options.crf, job.options.face) for job in jobs] == [
        ("a.mp4", "common.wav", 18, "1"),
        ("b.mp4", "common.wav", 20, "1"),
        ("c.mp4", "common.wav", 18, "1"),
        ("d.mp4", "other.wav", 18, "1"),
    ]
    with pytest.raises(InputError):
        draft.requests(None, RenderOptions())


def test_twins_are_those_that_make_the_same_video_again():
    again = DraftClip("d", A.path, A.name)
    draft = DRAFT.with_clips([again, DraftClip("e", A.path, A.name).with_own(crf=30)])
    assert draft.twins() == {"d"}
    # One that has the common option as its own is no other video.
    common = replace(DRAFT, options=RenderOptions(crf=30))
    assert common.with_clips([again.with_own(crf=30)]).twins() == {"d"}


def test_a_list_arranges_what_it_names_and_leaves_other_uploads():
    on_server = DraftClip("s", Path("/server/s.mp4"), "s.mp4")
    lines = [
        BatchLine(2, C.path, None, "c.mp4", "", {"crf": 20}),
        BatchLine(3, C.path, UP / "speech.wav", "c.mp4", "speech.wav", {}),
        BatchLine(4, A.path, UP / "other.wav", "x/a.mp4", "x/other.wav", {}),
    ]
    draft = DRAFT.with_clips([on_server]).listed(lines, UP)
    assert [clip.name for clip in draft.clips] == ["c.mp4", "c.mp4", "a.mp4", "b.mp4"]
    assert [(clip.own, clip.options.crf) for clip in draft.clips[:2]] == [(("crf",), 20), ((), 18)]
    assert [clip.speech for clip in draft.clips] == [None, None, UP / "other.wav", None]
    assert len({clip.id for clip in draft.clips}) == 4
