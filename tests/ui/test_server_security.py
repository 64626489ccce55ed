"""The server over HTTP: what it must refuse. Each refusal was once a hole, in gradio or in a draft of ours."""

import json
import socket
import time
from pathlib import Path

import pytest
from live_server import CLIP, SPEECH, file_data, generate, upload

from heygem.jobs.job import JobRequest

pytestmark = pytest.mark.filterwarnings("default")


def test_an_upload_is_taken(server, http):
    speech, clip = upload(http, "语音 'a' & b.wav", SPEECH.read_bytes()), upload(http, "clip.mp4", CLIP.read_bytes())
    answer = generate(http, file_data(speech), file_data(clip))
    assert answer.status_code == 200, answer.text
    job = server.queue.jobs()[-1]
    assert (job.request.audio_name, job.request.video_name) == ("语音 'a' & b.wav", "clip.mp4")
    assert job.request.video.read_bytes() == CLIP.read_bytes()
    server.queue.cancel(job.id)


def test_an_upload_that_cannot_become_a_job_is_refused_at_once(server, http):
    before = len(server.queue.jobs())
    speech = upload(http, "speech.wav", SPEECH.read_bytes())
    answer = generate(
        http, file_data(speech), file_data(upload(http, "list.mp4", b"ffconcat version 1.0\nfile x.mp4\n"))
    )
    assert "cannot be read" in answer.text and "无法读取" in answer.json()["data"][1]
    answer = generate(http, file_data(speech), file_data(speech))
    assert "holds no picture" in answer.text
    assert len(server.queue.jobs()) == before


def test_a_file_of_the_server_is_not_taken_as_an_upload(server, http):
    before = len(server.queue.jobs())
    clip = file_data(upload(http, "clip.mp4", b"clip"))
    for path in ("/etc/passwd", "/proc/self/environ", str(Path(__file__))):
        answer = generate(http, file_data(path), clip)
        assert answer.status_code != 200, answer.text
        assert http.get(f"/gradio_api/file={path}").status_code in (403, 404)
    assert len(server.queue.jobs()) == before


def test_a_file_outside_the_uploads_is_refused_even_if_gradio_lets_it_pass(server, http, monkeypatch):
    # The second line of defence, with the first switched off.
    monkeypatch.setattr("gradio.processing_utils._check_allowed", lambda *args, **kwargs: None)
    monkeypatch.setattr("gradio.processing_utils.save_file_to_cache", lambda path, cache_dir: str(path))
    before = len(server.queue.jobs())
    clip = file_data(upload(http, "clip.mp4", b"clip"))
    answer = generate(http, file_data("/etc/passwd"), clip)
    assert "Only files that were uploaded on this page are taken." in answer.text
    assert len(server.queue.jobs()) == before


@pytest.mark.parametrize("name", ["generate", "_submit", "_refresh", "predict"])
def test_events_cannot_be_called_by_name(http, name):
    for route in ("call", "run", "api", "call/v2"):
        if (route, name) != ("run", "predict"):
            assert http.post(f"/gradio_api/{route}/{name}", json={"data": []}).status_code == 403
            assert http.post(f"/{route}/{name}", json={"data": []}).status_code in (404, 405)


def test_the_rest_of_gradios_interface_is_closed(http):
    for path in ("info", "openapi.json", "queue/join", "component_server", "runs", "vibe-code", "mcp/schema"):
        assert http.get(f"/gradio_api/{path}").status_code == 403
        assert http.post(f"/gradio_api/{path}", json={}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:9/x",
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/file=HTTP://example.org/x",
        "/gradio_api/file=%68ttp://example.org/x",
        "/gradio_api/file/http://example.org/x",
        "/gradio_api/proxy=https://example.org/x",
        "/monitoring/summary",
    ],
)
def test_the_server_fetches_nothing_for_others(http, path):
    answer = http.get(path)
    # By us, before gradio looks at it.
    assert (answer.status_code, answer.json()) == (403, {"detail": "closed"})


def test_an_uploaded_page_is_not_shown_as_one(http):
    path = upload(http, "evil.html", b"<script>alert(1)</script>")
    answer = http.get(f"/gradio_api/file={path}")
    assert answer.status_code != 200 or answer.headers["content-disposition"].startswith("attachment")


def test_only_results_of_jobs_are_served(server, http, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"clip")
    (tmp_path / "a.wav").write_bytes(b"speech")
    request = JobRequest(tmp_path / "a.mp4", tmp_path / "a.wav", video_name='我的 "clip".mp4')
    job = server.queue.submit(request)
    assert http.get(f"/results/{job.id}/result.mp4").status_code == 404
    server.queue.run_next()
    answer = http.get(f"/results/{job.id}/result.mp4", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"234", "video/mp4")
    answer = http.get(f"/results/{job.id}/result.mp4?download=1")
    assert answer.headers["content-disposition"].startswith("attachment") and answer.content == b"0123456789"
    for path in (
        f"/results/{job.id}/secret.txt",
        f"/results/{job.id}/poster.jpg",
        "/results/..%2f..%2fetc/result.mp4",
        "/results/unknown/result.mp4",
        f"/gradio_api/file={server.outputs}/{job.id}/secret.txt",
        f"/gradio_api/file={server.outputs}/{job.id}/result.mp4",
    ):
        assert http.get(path).status_code in (403, 404), path


def test_every_answer_carries_the_headers(http):
    for path in ("/", "/healthz", "/nothing", "/gradio_api/file=http://x"):
        headers = http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "same-origin"
        assert "default-src 'self'" in headers["content-security-policy"]


def test_the_page_remembers_the_language_before_anything_else_runs(http):
    page = http.get("/").text
    assert page.index("localStorage.getItem") < page.index("<script", page.index("<head>") + len("<head><script"))


def test_gradio_is_told_to_tell_nobody(http):
    config = http.get("/config").json()
    assert config["analytics_enabled"] is False
    assert not config.get("run_history")
    assert "googleapis" not in http.get("/").text and "googleapis" not in http.get("/theme.css").text


def test_health_is_told(http):
    assert http.get("/healthz").json() == {"ok": True}


def test_config_is_json_without_server_paths(server, http):
    assert str(server.outputs) not in json.dumps(http.get("/config").json())


def test_another_sites_name_does_not_lead_here_unless_users_sign_in(server, http):
    is_signed_in = "heygem_session" in " ".join(http.cookies)
    for method, path in (("GET", "/"), ("GET", "/api/v1/jobs"), ("POST", "/gradio_api/upload")):
        answer = http.request(method, path, headers={"host": "evil.example", "origin": "http://evil.example"})
        assert (answer.status_code == 421) is not is_signed_in, (path, answer.text)
        if not is_signed_in:
            assert answer.json()["code"] == "other_name" and "HEYGEM_AUTH" in answer.json()["hint"]["en"]


def test_events_are_bounded_also_where_their_length_is_not_told(http):
    piece = b"x" * 2**20
    answer = http.post("/gradio_api/run/predict", content=(piece for _ in range(6)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_much")


def test_an_upload_that_is_broken_off_is_nothing_to_write_home_about(server, http, caplog):
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies(http)}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9999999\r\n\r\n"
    part = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
    with caplog.at_level("INFO"):
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as sender:
            sender.sendall(head.encode() + part.encode() + bytes(100_000))
            time.sleep(0.5)
        end = time.monotonic() + 30
        while "went away" not in caplog.text and time.monotonic() < end:
            time.sleep(0.05)
    assert "/gradio_api/upload: the sender went away" in caplog.text
    assert "Traceback" not in caplog.text


def cookies(http):
    return "; ".join(f"{name}={value}" for name, value in http.cookies.items())
