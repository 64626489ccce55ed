"""Uploads and paths over HTTP: each rule of what may come in and what may be read, tried from outside."""

import socket
from pathlib import Path

import httpx
import pytest
from live_server import CLIP, SPEECH, Page, Server, file_data, generate, upload
from starlette.routing import Mount

pytestmark = pytest.mark.filterwarnings("default")


def submitted(server, http, speech, clip):
    """The job that a submission made; it will not run."""
    answer = generate(http, speech, clip)
    assert answer.status_code == 200, answer.text
    job = server.queue.jobs()[-1]
    server.queue.cancel(job.id)
    return job


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("-rf.mp4", "-rf.mp4"),
        ("--help.mp4", "--help.mp4"),
        ("quote'q.mp4", "quote'q.mp4"),
        ("100%.mp4", "100%.mp4"),
        ("a&b;c.mp4", "a&b;c.mp4"),
        (".hidden.mp4", ".hidden.mp4"),
        ("中文（1） 😀.mp4", "中文（1） 😀.mp4"),
        ("../../etc/passwd", "passwd"),
        ("<script>alert(1)</script>.mp4", "script.mp4"),
    ],
)
def test_an_upload_s_name_is_words_and_never_a_path(server, http, name, shown):
    speech, clip = upload(http, "speech.wav", SPEECH.read_bytes()), upload(http, name, CLIP.read_bytes())
    assert Path(clip).is_relative_to(server.cache / "uploads")
    job = submitted(server, http, file_data(speech), file_data(clip) | {"orig_name": "../../../evil.mp4"})
    assert job.request.video_name == shown
    assert job.request.video.is_relative_to(server.outputs / job.id)
    assert job.request.video.name.isascii() and not job.request.video.name.startswith(("-", "."))
    assert job.request.video.read_bytes() == CLIP.read_bytes()


def test_uploads_outlive_a_restart_for_the_drafts_that_name_them(tmp_path):
    server = Server(tmp_path)
    try:
        with httpx.Client(base_url=server.url, timeout=30) as http:
            clip = upload(http, "clip.mp4", CLIP.read_bytes())
            shown = Page(http, "tab").trigger("batch-clips", "upload", {"batch-clips": [file_data(clip)]})
        [sessions] = [route.app.state_holder for route in server.app.routes if isinstance(route, Mount)]
    finally:
        server.close()
    assert "clip.mp4" in shown["batch-list"]
    assert not server.thread.is_alive() and Path(clip).read_bytes() == CLIP.read_bytes()
    assert "tab" in sessions and sessions.capacity == 500  # of pages that were closed long ago it keeps no more


def test_an_upload_named_like_the_folder_above_is_refused(http):
    assert http.post("/gradio_api/upload", files={"files": ("..", CLIP.read_bytes())}).status_code == 400


def test_a_file_of_the_server_is_not_even_copied(server, http, tmp_path):
    # What gradio does for as long as it does not know that it has been launched: the copy could be fetched.
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"the operator's own")
    assert generate(http, file_data(secret), file_data(upload(http, "clip.mp4", CLIP.read_bytes()))).status_code != 200
    copies = [path for path in server.cache.rglob("*") if path.is_file() and path.read_bytes() == secret.read_bytes()]
    assert copies == []


@pytest.mark.parametrize(
    "path",
    [
        "app.py",
        "../app.py",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/../etc/passwd",
        "/proc/self/environ",
        "/proc/self/cwd/app.py",
        "file:///etc/passwd",
        "/etc",
        "/",
        "",
    ],
)
def test_no_path_leads_out_of_the_uploads(server, http, path):
    for target in (path, f"{server.cache}/uploads/../../../{path}"):
        answer = http.get(f"/gradio_api/file={target}")
        assert answer.status_code in (403, 404), answer.text
        assert b"root:" not in answer.content and b"import" not in answer.content


def test_a_link_among_the_uploads_leads_nowhere(server, http, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    link = server.cache / "uploads" / "link.txt"
    link.symlink_to(tmp_path / "secret.txt")
    answer = http.get(f"/gradio_api/file={link}")
    assert answer.status_code in (403, 404), answer.text
    link.unlink()


@pytest.mark.parametrize("name", ["evil.svg", "evil.xml", "evil.xhtml", "evil.js"])
def test_what_a_browser_would_run_is_only_ever_downloaded(http, name):
    path = upload(http, name, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    answer = http.get(f"/gradio_api/file={path}")
    assert answer.status_code != 200 or answer.headers["content-disposition"].startswith("attachment")


def test_an_address_in_place_of_a_file_is_not_visited(server, http):
    before = len(server.queue.jobs())
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/speech.wav"
        clip = file_data(upload(http, "clip.mp4", CLIP.read_bytes()))
        for speech in (file_data(address), file_data(address) | {"url": address}, address):
            assert generate(http, speech, clip).status_code != 200
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert len(server.queue.jobs()) == before


def test_uploads_are_bounded(http):
    assert http.get("/config").json()["max_file_size"] == 2 * 1024**3


def test_a_page_of_another_site_may_read_nothing(http):
    for origin in ("https://evil.example", "null"):
        for path in ("/config", "/healthz", "/gradio_api/heartbeat/x"):
            answer = http.options(path, headers={"origin": origin, "access-control-request-method": "POST"})
            assert answer.headers.get("access-control-allow-origin") not in (origin, "*"), path


def test_a_form_of_another_site_submits_nothing(server, http):
    # What a browser sends without asking first.
    speech, clip = upload(http, "speech.wav", SPEECH.read_bytes()), upload(http, "clip.mp4", CLIP.read_bytes())
    body = generate(http, file_data(speech), file_data(clip)).request.content
    before = len(server.queue.jobs())
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = http.post("/gradio_api/run/predict", content=body, headers={"content-type": kind})
        assert answer.status_code in (400, 415, 422), answer.text
    assert len(server.queue.jobs()) == before
