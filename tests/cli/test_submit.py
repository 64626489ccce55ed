"""Submitting to a server over a network that loses things. The server is the real API; only the way to it is not."""

import io
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from heygem.cli import main, submit
from heygem.cli.submit import RemoteServer
from heygem.errors import InputError, NoFaceError, QueueError, Text
from heygem.jobs.job import JobResult
from heygem.jobs.task_queue import TaskQueue
from heygem.settings import Settings
from heygem.ui.api import Api
from heygem.ui.sign_in import require_sign_in

DATA = Path(__file__).resolve().parents[1] / "data"
CLIP, SPEECH = DATA / "presenter.mp4", DATA / "golden" / "speechlike_16k_4s.wav"


class Place:
    """A server, and what happens to the next requests on their way: each either raises, or changes the answer."""

    def __init__(self, folder, **settings):
        self.outputs = folder / "outputs"
        self.queue = TaskQueue(self.run, outputs_dir=self.outputs)
        app = FastAPI()
        chosen = Settings(outputs_dir=self.outputs, **settings)
        Api(self.queue, chosen, folder / "uploads").serve(app)
        require_sign_in(app, chosen)
        self.inside = TestClient(app)
        self.fates = []
        self.pauses = []
        self.asked = []

    def run(self, job, progress):
        if job.request.video_name == "bad.mp4":
            raise NoFaceError(Text("没有人脸。", "No face."))
        output = self.outputs / job.id / "result.mp4"
        output.write_bytes(b"0123456789")
        return JobResult(output, None, Text("", ""))

    def carry(self, request):
        self.asked.append((request.method, request.url.path))
        fate = self.fates.pop(0) if self.fates else None
        if fate == "lost on the way":
            raise httpx.ConnectError("refused")
        if request.url.path.endswith("/events"):
            self.queue.run_next()
        answer = self.inside.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=dict(request.headers)
        )
        if fate == "answer lost":
            raise httpx.ReadError("reset")
        if isinstance(fate, int):
            return httpx.Response(fate, text="<html>proxy</html>")
        return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": "application/json"})

    def http(self, **choices):
        return httpx.Client(base_url="http://server", transport=httpx.MockTransport(self.carry), **choices)

    def server(self):
        return RemoteServer(self.http(), pause=self.pauses.append)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.queue.close()


def test_an_answer_that_was_lost_makes_no_second_job(place):
    place.fates = ["lost on the way", "answer lost", 503, None]
    [job] = place.server().submit(SPEECH, [CLIP], '{"crf": 30}')
    assert [known.id for known in place.queue.jobs()] == [job["id"]]
    assert place.queue.get(job["id"]).request.options.crf == 30
    assert place.queue.get(job["id"]).request.video.read_bytes() == CLIP.read_bytes()
    assert place.pauses == [1, 2, 4]


def test_two_submissions_are_two(place):
    server = place.server()
    assert server.submit(SPEECH, [CLIP], "{}")[0]["id"] != server.submit(SPEECH, [CLIP], "{}")[0]["id"]


def test_a_refusal_is_told_in_the_server_s_words_and_not_tried_again(place, tmp_path):
    (tmp_path / "bad.mp4").write_text("bad")
    with pytest.raises(InputError, match="cannot be read") as refused:
        place.server().submit(SPEECH, [tmp_path / "bad.mp4"], "{}")
    assert (refused.value.code, bool(refused.value.hint.zh)) == ("unreadable", True)
    assert len(place.asked) == 1 and place.pauses == []


def test_a_server_that_stays_away_is_told_after_half_a_minute(place):
    place.fates = ["lost on the way"] * 6
    with pytest.raises(QueueError, match="cannot be reached") as refused:
        place.server().submit(SPEECH, [CLIP], "{}")
    assert refused.value.code == "unreachable" and sum(place.pauses) == 31
    place.fates = [502] * 6
    with pytest.raises(QueueError, match="answered 502"):
        place.server().submit(SPEECH, [CLIP], "{}")


def test_what_is_no_server_of_ours_is_told(place):
    place.fates = [404]
    with pytest.raises(InputError, match="The server answered 404") as refused:
        place.server().submit(SPEECH, [CLIP], "{}")
    assert refused.value.hint.en == "Check --server."


def test_waiting_outlives_lost_events_and_downloads_are_whole_or_none(place, tmp_path):
    server = place.server()
    [job] = server.submit(SPEECH, [CLIP], "{}")
    place.fates = ["lost on the way", "answer lost", None, "answer lost"]
    assert server.wait(job["id"])["status"] == "done"
    place.fates = ["answer lost"] * 6
    with pytest.raises(QueueError):
        server.download(job["id"], tmp_path / "out.mp4")
    assert not list(tmp_path.glob("*out.mp4*"))
    place.fates = ["answer lost"]
    server.download(job["id"], tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == b"0123456789" and not list(tmp_path.glob("*.part"))
    place.queue.delete(job["id"])
    with pytest.raises(InputError) as refused:
        server.download(job["id"], tmp_path / "other.mp4")
    assert refused.value.code == "job_not_found"


def test_waiting_lasts_as_long_as_events_come(place):
    server = place.server()
    [job] = server.submit(SPEECH, [CLIP], "{}")
    carried, ends = place.carry, iter(range(9))

    def carry(request):
        """As before a proxy that ends each connection when something has come over it."""
        if request.url.path.endswith("/events") and next(ends, None) is not None:
            return httpx.Response(200, text="event: progress\ndata: {}\n\n")
        return carried(request)

    place.carry = carry
    assert place.server().wait(job["id"])["status"] == "done"


@pytest.fixture
def command(place, monkeypatch, tmp_path):
    """The command against the place; its clips are clip.mp4 and bad.mp4."""
    real = httpx.Client

    def client(**choices):
        return real(**choices, transport=httpx.MockTransport(place.carry))

    monkeypatch.setattr(submit.httpx, "Client", client)
    for name in ("clip.mp4", "bad.mp4"):
        (tmp_path / name).write_bytes(CLIP.read_bytes())
    return ["submit", "--server", "http://server", "--audio", str(SPEECH)]


def test_a_batch_is_waited_for_and_its_results_are_fetched(place, command, tmp_path, capsys):
    clips = [str(tmp_path / "clip.mp4"), str(tmp_path / "bad.mp4")]
    out = tmp_path / "out"
    assert main([*command, "--video", *clips, "--wait", "--out", str(out)]) == 1
    jobs = place.queue.jobs()
    assert jobs[0].batch_id == jobs[1].batch_id is not None
    assert [path.name for path in out.iterdir()] == [f"clip_heygem_{jobs[0].id}.mp4"]
    said = capsys.readouterr().out
    assert all(job.id in said for job in jobs) and "No face." in said


def test_a_job_that_is_gone_costs_no_other_its_result(place, command, tmp_path, capsys, monkeypatch):
    submitted = RemoteServer.submit

    def submitted_and_deleted(*args):
        jobs = submitted(*args)
        place.queue.delete(jobs[0]["id"])
        return jobs

    monkeypatch.setattr(RemoteServer, "submit", submitted_and_deleted)
    clips, out = [str(tmp_path / "clip.mp4")] * 2, tmp_path / "out"
    assert main([*command, "--video", *clips, "--wait", "--out", str(out)]) == 1
    [left] = place.queue.jobs()
    assert [path.name for path in out.iterdir()] == [f"clip_heygem_{left.id}.mp4"]
    assert "✗ clip.mp4" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_sent(place, command, tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    out = str(tmp_path / "out" / "deeper")
    assert main([*command, "--video", str(tmp_path / "clip.mp4"), "--wait", "--out", out]) == 2
    assert "encode_failed" in capsys.readouterr().err and place.asked == []


def test_a_web_page_instead_of_an_answer_is_told(place):
    place.fates = [200]
    with pytest.raises(InputError, match="The server answered 200") as refused:
        place.server().submit(SPEECH, [CLIP], "{}")
    assert refused.value.hint.en == "Check --server."


def test_an_address_may_come_without_its_scheme(place, command, tmp_path):
    command[command.index("http://server")] = "server"
    assert main([*command, "--video", str(tmp_path / "clip.mp4")]) == 0


def test_the_password_is_read_and_never_shown(tmp_path, monkeypatch, capsys):
    place = Place(tmp_path, auth="ann:s3cret")
    real = httpx.Client
    monkeypatch.setattr(submit.httpx, "Client", lambda **c: real(**c, transport=httpx.MockTransport(place.carry)))
    command = ["submit", "--server", "http://server", "--audio", str(SPEECH), "--video", str(CLIP)]
    assert main(command) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    assert main([*command, "--user", "ann"]) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))
    assert main([*command, "--user", "ann"]) == 0
    said = capsys.readouterr()
    assert "not_signed_in" in said.err and "wrong_password" in said.err and "s3cret" not in said.out + said.err
    assert len(place.queue.jobs()) == 1


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(place, command, tmp_path):
    assert main([*command, "--video", str(tmp_path / "none.mp4")]) == 2
    assert place.asked == []
