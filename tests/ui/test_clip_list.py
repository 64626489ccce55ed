"""What the buttons of the list of clips do, over a desk that answers at once or never."""

import threading
from dataclasses import replace

import pytest
from test_preflight_view import clip as clip_report
from test_preflight_view import report

from heygem.errors import QueueFullError, Text
from heygem.jobs.job import JobError, JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings
from heygem.ui.clip_list import ClipList, question_of
from heygem.ui.panel import Chosen
from heygem.ui.preflight_desk import PreflightDesk, Question
from heygem.ui.uploads import Uploads
from heygem.weights.speakers import LIPS


class Bench:
    """A list over uploads a.mp4, b.mp4, ... of which bad.mp4 is refused; looking waits for `go`."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.looked_at, self.go = folder, [], threading.Event()
        monkeypatch.setattr("heygem.ui.uploads.look_at", lambda clip, speech, settings: None)
        self.desk = PreflightDesk(lambda clip, speech: (None, None), self.look)
        self.list = self.another_server()
        self.chosen = self.list.begin(Chosen(), None)

    def another_server(self):
        settings = Settings(max_batch_clips=4, models_dir=self.folder / "models")
        return ClipList(Uploads(self.folder, settings), self.desk)

    def look(self, clip, speech, options):
        assert self.go.wait(20)
        self.looked_at.append((clip.name, speech and speech.name, options.lips))
        refused = JobError("unreadable", Text("坏", "Broken."), Text("换", "Another.")) if "bad" in clip.name else None
        return report(clip_report(refused=refused))

    def upload(self, *names):
        for name in names:
            (self.folder / name).write_bytes(name.encode())
        return [str(self.folder / name) for name in names]

    def add(self, *names):
        self.chosen = self.list.add(self.chosen, self.upload(*names))
        return self

    def act(self, act, name=""):
        clips = self.list.draft(self.chosen).clips
        target = next((clip.id for clip in clips if clip.name == name), "clips")
        self.chosen = self.list.act(self.chosen, act, target)
        return self

    @property
    def names(self):
        return [clip.name for clip in self.list.draft(self.chosen).clips]

    def drawn(self, words):
        """The list once it says `words`."""
        for _ in range(2000):
            html = self.list.draw(self.chosen)
            if words in html:
                return html
            threading.Event().wait(0.005)
        raise AssertionError(html)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    yield bench
    bench.go.set()


def test_more_clips_are_added_and_never_replace(bench):
    bench.add("a.mp4", "b.mp4").add("c.mp4")
    assert bench.names == ["a.mp4", "b.mp4", "c.mp4"]
    bench.act("clip-up", "b.mp4").act("clip-down", "a.mp4")
    assert bench.names == ["b.mp4", "c.mp4", "a.mp4"]
    first = bench.list.draft(bench.chosen).clips[0].id
    bench.act(f"clip-to {first}", "a.mp4").act("clip-remove", "c.mp4")
    assert bench.names == ["a.mp4", "b.mp4"]
    bench.act("clips-remove-all")
    assert bench.names == []


def test_what_is_too_much_is_told_and_not_added(bench):
    bench.add("a.mp4", "b.mp4", "c.mp4").add("d.mp4", "e.mp4", "f.mp4")
    assert bench.names == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    assert "takes 4 clips; the last 2 were not added" in bench.list.draw(bench.chosen)
    bench.act("clip-remove", "a.mp4")
    assert "not added" not in bench.list.draw(bench.chosen)


def test_what_was_not_uploaded_is_not_taken(bench, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "x.mp4"
    other.touch()
    bench.chosen = bench.list.add(bench.chosen, [str(other)])
    assert bench.names == [] and "uploaded on this page" in bench.list.draw(bench.chosen)


def test_a_refreshed_page_another_tab_and_another_server_have_the_same_list(bench):
    bench.add("a.mp4", "b.mp4").act("clip-sync 40", "b.mp4")
    bench.list.note(bench.chosen, *bench.upload("speech.wav"), RenderOptions(crf=30))
    before = bench.list.draft(bench.chosen)
    assert bench.list.draft(bench.list.begin(Chosen(), bench.chosen.draft)) == before
    again = bench.another_server()
    assert again.draft(again.begin(Chosen(), bench.chosen.draft)) == before
    assert before.speech.name == "speech.wav" and before.options.crf == 30


def test_uploads_that_are_gone_leave_the_list_and_are_named(bench):
    bench.add("a.mp4", "b.mp4")
    (bench.folder / "a.mp4").unlink()
    bench.chosen = bench.list.begin(Chosen(), bench.chosen.draft)
    assert bench.names == ["b.mp4"] and "these are gone: a.mp4." in bench.list.draw(bench.chosen)


def test_a_speaker_that_was_deleted_is_offered_no_more_and_leaves_the_draft(bench):
    speaker = bench.folder / "models" / "speakers" / "王芳"
    speaker.mkdir(parents=True)
    (speaker / LIPS).touch()
    bench.add("a.mp4", "b.mp4").act("clip-lips demo", "b.mp4")
    bench.act("clip-lips 王芳", "a.mp4").act("clip-sync 40", "a.mp4")
    bench.list.note(bench.chosen, None, RenderOptions(lips="王芳", crf=30))
    bench.act("clip-open", "a.mp4")
    assert 'data-act="clip-lips 王芳"' in bench.list.draw(bench.chosen)
    (speaker / LIPS).unlink()
    assert 'data-act="clip-lips 王芳"' not in bench.list.draw(bench.chosen)
    bench.chosen = bench.list.begin(Chosen(), bench.chosen.draft)
    assert "Deleted speakers are used no more: 王芳." in bench.list.draw(bench.chosen)
    draft = bench.list.draft(bench.chosen)
    assert draft.options == RenderOptions(crf=30)
    assert [clip.own for clip in draft.clips] == [("sync_offset_ms",), ("lips",)]
    again = bench.list.begin(Chosen(), bench.chosen.draft)
    assert "Deleted" not in bench.list.draw(again)


def test_a_clip_s_own_options(bench):
    bench.add("a.mp4", "b.mp4")
    bench.act("clip-face 2", "a.mp4").act("clip-sync -40", "a.mp4").act("clip-lips demo", "a.mp4")
    clip, other = bench.list.draft(bench.chosen).clips
    assert clip.effective(RenderOptions()) == RenderOptions(face="2", sync_offset_ms=-40, lips="demo")
    assert other.own == ()
    bench.act("clip-sync ", "a.mp4").act("clip-lips /etc/passwd", "a.mp4").act("clip-nothing 1", "a.mp4")
    clip = bench.list.draft(bench.chosen).clips[0]
    assert clip.own == ("face", "lips") and clip.options.lips == "demo"
    bench.act("clip-reset", "a.mp4")
    assert bench.list.draft(bench.chosen).clips[0].own == ()


@pytest.mark.parametrize(
    ("act", "words"), [("clip-sync x", "no number"), ("clip-sync 9999", "Sync offset (ms) must be -2000 to 2000")]
)
def test_what_cannot_be_is_told_in_the_row(bench, act, words):
    bench.add("a.mp4").act(act, "a.mp4")
    row = bench.list.draw(bench.chosen).partition("<li")[2].partition("</li>")[0]
    assert words in row and bench.list.draft(bench.chosen).clips[0].own == ()


def test_clips_are_looked_at_from_the_top_and_bad_ones_are_removed_together(bench):
    bench.add("a.mp4", "bad 1.mp4", "bad 2.mp4")
    assert 'data-verdict="looking"' in bench.list.draw(bench.chosen)
    bench.go.set()
    assert "Remove the 2 marked" in bench.drawn("Remove the 2 marked")
    assert [name for name, _, _ in bench.looked_at] == ["a.mp4", "bad 1.mp4", "bad 2.mp4"]
    bench.act("clips-remove-bad")
    assert bench.names == ["a.mp4"]


def test_only_what_is_wanted_is_looked_at(bench):
    bench.desk.ask(Question(bench.folder / "busy.mp4"))
    while bench.desk._waiting:  # once it is under way, all others wait for it
        threading.Event().wait(0.005)
    bench.add("a.mp4", "b.mp4", "c.mp4")
    bench.list.draw(bench.chosen)
    questions = [question_of(clip, bench.list.draft(bench.chosen)) for clip in bench.list.draft(bench.chosen).clips]
    assert [bench.desk.answer(question) is None for question in questions] == [False, False, False]
    bench.act("clip-remove", "b.mp4")
    bench.list.note(bench.chosen, *bench.upload("speech.wav"), RenderOptions())
    assert [bench.desk.answer(question) is None for question in questions] == [True, True, True]
    bench.list.draw(bench.chosen)
    bench.go.set()
    bench.drawn("Ready")
    for _ in range(2000):
        if len(bench.looked_at) == 3:
            break
        threading.Event().wait(0.005)
    assert [(name, speech) for name, speech, _ in bench.looked_at] == [
        ("busy.mp4", None),
        ("a.mp4", "speech.wav"),
        ("c.mp4", "speech.wav"),
    ]


def submit(bench, do=lambda requests: requests):
    return bench.list.submit(bench.chosen, str(bench.folder / "speech.wav"), RenderOptions(crf=30), do)


def test_a_submission_takes_all_clips_once(bench):
    bench.add("a.mp4", "b.mp4").act("clip-face 1", "b.mp4").upload("speech.wav")
    jobs = submit(bench)
    assert [(job.video_name, job.options.face, job.options.crf) for job in jobs] == [
        ("a.mp4", "largest", 30),
        ("b.mp4", "1", 30),
    ]
    assert all(isinstance(job, JobRequest) for job in jobs) and bench.names == []
    with pytest.raises(Exception, match="at least one clip"):
        submit(bench)
    assert "Use the 2 clips" in bench.list.draw(bench.chosen)
    bench.add("c.mp4", "d.mp4", "e.mp4").act("clips-again")
    assert bench.names == ["c.mp4", "d.mp4", "e.mp4", "a.mp4"]  # no more than a batch takes


def test_a_submission_that_is_refused_leaves_the_list_with_what_came_meanwhile(bench):
    bench.add("a.mp4").upload("speech.wav")

    def full(requests):
        bench.add("late.mp4")
        raise QueueFullError(Text("满", "Full."))

    with pytest.raises(QueueFullError):
        submit(bench, full)
    assert bench.names == ["a.mp4", "late.mp4"]
    bench.folder.joinpath("speech.wav").unlink()
    bench.chosen = replace(bench.chosen, draft="")
    with pytest.raises(Exception, match="at least one clip"):
        submit(bench)


def test_pictures_of_faces_are_found_by_draft_and_clip(bench):
    bench.add("a.mp4")
    clip = bench.list.draft(bench.chosen).clips[0].id
    assert bench.list.face(bench.chosen.draft, clip, 0) is None
    bench.go.set()
    bench.drawn(f"clip-faces/{bench.chosen.draft}/{clip}/1.jpg")  # the second is the largest
    assert bench.list.face(bench.chosen.draft, clip, 1) == b"\xff2"
    for where in ((bench.chosen.draft, clip, 2), (bench.chosen.draft, "x", 0), ("x", clip, 0)):
        assert bench.list.face(*where) is None


def test_nobody_waits_for_the_list_that_another_has_read(bench, monkeypatch):
    (csv,) = bench.add("a.mp4").upload("list.csv")
    other = bench.list.begin(Chosen(), None)

    def read(*asked):
        tab = threading.Thread(target=lambda: (bench.list.draw(other), bench.add("late.mp4")), daemon=True)
        tab.start()
        tab.join(5)
        assert not tab.is_alive()
        return []

    monkeypatch.setattr("heygem.ui.clip_list.read_csv", read)
    bench.list.arrange(bench.chosen, csv)
    assert bench.names == ["a.mp4", "late.mp4"]
