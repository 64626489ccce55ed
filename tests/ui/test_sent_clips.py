"""Uploads and the jobs that they became."""

from heygem.ui.sent_clips import SentClips


def test_a_clip_is_remembered_while_it_is_there(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.touch()
    sent = SentClips()
    sent.note("a", clip)
    assert sent.clip_of("a") == clip and sent.clip_of("b") is None
    clip.unlink()
    assert sent.clip_of("a") is None


def test_what_was_long_ago_is_forgotten(tmp_path):
    sent = SentClips()
    for number in range(1000):
        sent.note(str(number), tmp_path)
    assert len(sent._clips) == 200 and "999" in sent._clips
