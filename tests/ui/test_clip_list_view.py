"""The list of clips as HTML."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from sample_jobs import ESCAPED, HOSTILE
from test_preflight_view import INFO, TWO, report
from test_preflight_view import clip as clip_report

from heygem.errors import Notice, Text
from heygem.jobs.job import JobError
from heygem.jobs.preflight import SpeechReport
from heygem.pipeline.options import RenderOptions
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.ui.clip_list_view import ListLook, clip_list, rows_of
from heygem.ui.preflight_desk import INTERNAL, Answer

CLIP = DraftClip("c1", Path("/up/a.mp4"), "a.mp4")
OTHER = DraftClip("c2", Path("/up/b.mp4"), "b.mp4")
BROKEN = JobError("unreadable", Text("坏", "Broken <b>."), Text("换", "Use another."))
TIP = "查看注意事项 / See what to know of this clip"
LOOK = ListLook("d1", lips=("auto", "demo", "林"))


def ready(**changes):
    return Answer(report=report(clip_report(), **changes))


def refused(error=BROKEN):
    return Answer(report=report(clip_report(refused=error, info=None, faces=None)))


def drawn(*pairs, look=LOOK, options=None):
    draft = Draft(tuple(clip for clip, _ in pairs), options=options or RenderOptions())
    return clip_list(draft, rows_of(draft, [answer for _, answer in pairs]), look)


def row(html, number=0):
    return html.split("<li class")[number + 1].partition("</li>")[0]


def test_an_empty_list_offers_the_clips_submitted_last():
    assert drawn() == ""
    html = clip_list(Draft(submitted=(CLIP, OTHER)), [], LOOK)
    assert 'data-act="clips-again"' in html and "Use the 2 clips" in html


def test_a_row_tells_what_a_clip_is_and_how_far_the_look_is():
    html = drawn((CLIP, None), (OTHER, Answer(clip=INFO)), (replace(CLIP, id="c3", name="c.mp4"), ready()))
    assert 'data-verdict="looking"' in row(html) and "progressbar" in row(html) and "fps" not in row(html)
    assert 'data-verdict="looking"' in row(html, 1) and "1:15 · 29.97 fps · 1280 × 720" in row(html, 1)
    assert 'src="clip-faces/d1/c3/1.jpg"' in row(html, 2) and "94% " in row(html, 2)
    assert "progressbar" not in row(html, 2) and "Looked at</span> <b>1/3</b>" in html


def test_a_clip_that_would_fail_is_marked_with_sentence_and_hint():
    faceless = Notice("no_face", Text("无", "No face seen."), Text("换", "Show one."))
    missing = JobError("weights_missing", Text("缺", "Weights are missing."), Text("下", "Download them."))
    html = drawn(
        (CLIP, refused()),
        (OTHER, Answer(report=report(clip_report(notices=(faceless,))))),
        (replace(CLIP, id="c3"), Answer(failed=missing)),
        (replace(OTHER, id="c4").with_own(crf=1), ready()),
    )
    for number, words in enumerate(("Broken &lt;b&gt;.", "No face seen.", "Weights are missing.")):
        assert 'data-verdict="bad"' in row(html, number) and words in row(html, number)
        assert "Would fail" in row(html, number)
    assert "Use another." in row(html) and 'data-verdict="ready"' in row(html, 3)
    assert "Remove the 3 marked" in html and "they fail on their own" in html
    assert "fail on their own" not in drawn((CLIP, ready())) and "marked" not in drawn((CLIP, ready()))


def test_remarks_are_counted_and_read_where_the_clip_is_opened():
    note = Notice("short", Text("短", "It repeats."), Text("长", "Use a longer one."))
    unknown = JobError(INTERNAL, Text("?", "Not looked at."), Text("", ""))
    pairs = ((CLIP, Answer(report=report(clip_report(notices=(note,))))), (OTHER, Answer(failed=unknown)))
    html = drawn(*pairs)
    assert 'data-verdict="remarks"' in row(html) and "Remarks:</span> 1" in row(html) and "It repeats." not in html
    assert 'data-verdict="remarks"' in row(html, 1)
    chip = (
        f'<button type="button" class="hg-chip queued" data-act="clip-open" data-job="c1" title="{TIP}" aria-expanded='
    )
    assert f'{chip}"false">' in row(html) and '"clip-open" data-job="c2"' in row(html, 1)
    html = drawn(*pairs, look=replace(LOOK, opened="c1"))
    assert f'{chip}"true">' in row(html)
    assert "It repeats." in row(html) and "Use a longer one." in row(html) and 'aria-expanded="true"' in row(html)
    html = drawn((CLIP, ready()), (replace(CLIP, id="c2"), ready()))
    assert 'data-verdict="ready"' in row(html) and 'data-verdict="remarks"' in row(html, 1)


def test_ends_of_the_list_move_no_further_but_keep_the_keyboard_s_place():
    html = drawn((CLIP, ready()), (OTHER, ready()))
    up, down = (html_of(row(html, n), act) for n, act in ((0, "clip-up"), (1, "clip-down")))
    assert 'aria-disabled="true"' in up and 'aria-disabled="true"' in down and " disabled" not in html
    assert html.count("aria-disabled") == 2


def html_of(html, act):
    return next(part for part in html.split("<button") if f'data-act="{act}"' in part)


def test_own_options_are_labels_and_can_be_chosen_in_the_row():
    own = CLIP.with_own(face="1", sync_offset_ms=-40.0, lips="林", pads=(1, 2, 3, 4), fps=Fraction(30000, 1001))
    html = drawn((own, ready()), (OTHER, ready()))
    for words in ("Person</span> 1", "Sync offset (ms)</span> -40", "Lip engine</span> 林", "1 2 3 4", "30000/1001"):
        assert words in row(html) and words not in row(html, 1)
    html = row(drawn((own, ready()), look=replace(LOOK, opened="c1")))
    assert 'data-act="clip-face 0" data-job="c1" aria-pressed="false"' in html
    assert 'data-act="clip-face 1" data-job="c1" aria-pressed="true"' in html
    assert 'src="clip-faces/d1/c1/0.jpg"' in html
    assert 'data-act="clip-lips 林" data-job="c1" aria-pressed="true"' in html
    assert 'value="-40" data-change="clip-sync"' in html and 'data-act="clip-reset"' in html


def test_what_is_not_its_own_is_shown_as_the_common_one_is():
    common = RenderOptions(lips="/own.pth", sync_offset_ms=20, face="first")
    html = row(drawn((CLIP, ready()), look=replace(LOOK, opened="c1"), options=common))
    assert 'data-act="clip-lips /own.pth" data-job="c1" aria-pressed="true"' in html and 'value="20"' in html
    assert 'data-act="clip-face 0" data-job="c1" aria-pressed="true"' in html and "clip-reset" not in html
    one = Answer(report=report(clip_report(TWO[:1])))
    assert "clip-face " not in drawn((CLIP, one), look=replace(LOOK, opened="c1"))


def test_the_whole_batch_needs_its_results_and_the_copies_of_the_largest():
    small, large = ready(expected_s=60.0), ready(expected_s=30.0, needed_bytes=30_000_000, result_bytes=10_000_000)
    html = drawn((CLIP, small), (OTHER, large), (replace(CLIP, id="c3", name="x.mp4").with_own(crf=1), refused()))
    assert "<b>1:30</b>" in html and "<b>32 MB</b>" in html  # 1.8 + 10 + 20
    assert "Too little room" not in html
    html = drawn((CLIP, small), (OTHER, ready(expected_s=None)))
    assert "known after the first job" in html
    html = drawn((CLIP, ready(free_bytes=6_000_000)), look=replace(LOOK, min_free_bytes=5_000_000))
    assert "Too little room on the disk: 1 MB" in html
    assert "Expected" not in drawn((CLIP, ready(speech=None)))


def test_a_bad_speech_is_told_once_and_one_of_a_clip_s_own_at_the_clip():
    bad = ready(speech=SpeechReport(Path("x.wav"), refused=BROKEN))
    html = drawn((CLIP, bad), (OTHER, bad))
    assert html.count("Broken &lt;b&gt;.") == 1 and 'data-verdict="bad"' not in html and "MB" not in html
    html = drawn((replace(CLIP, speech=Path("x.wav"), speech_name="x<.wav"), bad), (OTHER, ready()))
    assert 'data-verdict="bad"' in row(html) and "x&lt;.wav" in row(html) and "Broken" in row(html)
    assert html.count("Broken") == 1


def test_names_are_words():
    html = drawn((replace(CLIP, name=HOSTILE), ready()), look=replace(LOOK, opened="c1"))
    assert ESCAPED in html and "<script>" not in html
