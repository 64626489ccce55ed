"""The batch tab over HTTP, as a browser asks for it."""

import httpx
import pytest
from live_server import CLIP, SPEECH, Page, Server, file_data, upload

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), auth="ann:s3cret", max_batch_clips=3)
    yield running
    running.close()


class BatchPage(Page):
    """A browser tab that remembers a draft."""

    def __init__(self, http, session, remembered=""):
        super().__init__(http, session)
        self.remembered, [self.speech, *_], shown = self.open("heygem_draft", remembered)
        self.shown = shown["batch-list"]

    def drop(self, *names):
        files = [file_data(upload(self.http, name, CLIP.read_bytes())) for name in names]
        return self.trigger("batch-clips", "upload", {"batch-clips": files})["batch-list"]

    def press(self, act, job="clips"):
        return self.trigger("batch-list", "click", data={"act": act, "job": job})["batch-list"]


def speech_of(http):
    return file_data(upload(http, "语音.wav", SPEECH.read_bytes()))


def test_a_batch_is_put_together_kept_over_a_refresh_and_submitted(server, http):
    page = BatchPage(http, "batch")
    assert "1. one.mp4" in page.drop("one.mp4")
    html = page.drop("two.mp4", "three.mp4", "four.mp4")
    assert "3. three.mp4" in html and "the last 1 were not added" in html
    three = html.split('<li class="hg-clip" data-job="')[3][:8]
    html = page.press("clip-up", three)
    assert "2. three.mp4" in html and "not added" not in html
    assert "Sync offset (ms)</span> 40" in page.press("clip-sync 40", three)

    note = page.event_of("batch-speech", "change")
    page.send(note, {"batch-speech": speech_of(http)}, None)
    again = BatchPage(http, "refreshed", page.remembered)
    assert again.remembered == page.remembered and again.speech["path"].endswith("语音.wav")
    assert "2. three.mp4" in again.shown and "Sync offset (ms)</span> 40" in again.shown
    assert isinstance(BatchPage(http, "stranger", "../../etc").shown, dict)  # it stays empty

    shown = again.trigger("batch-submit", "click", {"batch-speech": again.speech})
    assert "Use the 3 clips" in shown["batch-list"] and ">0<small>/3</small>" in shown["batch-status"]
    jobs = server.queue.jobs()
    assert [(job.request.video_name, job.request.options.sync_offset_ms) for job in jobs] == [
        ("one.mp4", 0),
        ("three.mp4", 40),
        ("two.mp4", 0),
    ]
    # The other tab submits nothing a second time.
    page.trigger("batch-submit", "click", {"batch-speech": again.speech})
    assert len(server.queue.jobs()) == 3
    assert "1. one.mp4" in page.press("clips-again")


def test_a_list_with_mistakes_queues_and_changes_nothing(server, http):
    page = BatchPage(http, "csv")
    page.drop("a.mp4", "b.mp4")
    before = len(server.queue.jobs())
    event = page.event_of("batch-csv", "upload")

    def arrange(text):
        csv = file_data(upload(http, "list.csv", text.encode()))
        return page.send(event, {"batch-csv": csv}, None)[1]

    said = arrange("video,crf\nb.mp4,20\nnone.mp4,\nb.mp4,99\n")
    assert "Line 3: There is no video file none.mp4." in said and "Line 4: crf must be" in said
    assert "1. a.mp4" in BatchPage(http, "csv 2", page.remembered).shown
    assert arrange("video,crf\nb.mp4,20\n") == ""
    html = BatchPage(http, "csv 3", page.remembered).shown
    assert "1. b.mp4" in html and "2. a.mp4" in html and "(CRF)</span> 20" in html
    assert len(server.queue.jobs()) == before


def test_pictures_of_faces_are_for_those_who_are_signed_in_and_know_the_draft(server, http):
    path = f"/clip-faces/{'0' * 32}/c1/0.jpg"
    assert http.get(path).status_code == 404
    assert httpx.get(server.url + path).status_code in (303, 401)
