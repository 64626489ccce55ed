"""Every route and every event that the server has, whatever is added to it: what strangers reach, and which files."""

import httpx
import pytest
from live_server import Server, file_data
from starlette.routing import Mount

pytestmark = pytest.mark.filterwarnings("default")

FOR_ANYBODY = {"/healthz", "/readyz", "/login", "/logout"}


@pytest.fixture(scope="module")
def closed_server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"), auth="ann:s3cret")
    yield running
    running.close()


def routes(app, prefix=""):
    for route in app.routes:
        if isinstance(route, Mount):
            yield from routes(route, prefix + route.path)
        elif hasattr(route, "original_router"):  # as FastAPI keeps a router that was included
            yield from routes(route.original_router, prefix)
        else:
            for method in getattr(route, "methods", None) or ("GET",):
                yield method, prefix + route.path


def test_a_stranger_reaches_no_route_at_all(closed_server):
    asked = {
        (method, path.replace("{", "").replace("}", "").replace(":path", ""))
        for method, path in routes(closed_server.app)
    }
    assert len(asked) > 60 and {path for _, path in asked} >= {"/config", "/theme.css", "/log", "/api/v1/jobs"}
    with httpx.Client(base_url=closed_server.url, timeout=30) as http:
        answers = {(method, path): http.request(method, path).status_code for method, path in asked}
    opened = {
        asked: status for asked, status in answers.items() if asked[1] not in FOR_ANYBODY and status not in (401, 403)
    }
    assert opened == {}
    assert {path for (_, path), status in answers.items() if status == 200} <= FOR_ANYBODY


def test_no_event_takes_a_file_of_the_server(server, http, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"the operator's own")
    config = http.get("/config").json()
    parts = {part["id"]: part for part in config["components"]}
    takes_files = [
        (event, number)
        for event in config["dependencies"]
        for number in event["inputs"]
        if parts[number]["type"] in ("audio", "video", "file", "uploadbutton", "image", "gallery")
    ]
    assert {parts[number]["props"]["elem_id"] for _, number in takes_files} >= {
        "single-speech",
        "single-clip",
        "batch-speech",
    }
    for event, number in takes_files:
        is_list = parts[number]["props"].get("file_count") == "multiple"
        given = [file_data(secret)] if is_list else file_data(secret)
        data = [given if each == number else parts[each]["props"].get("value") for each in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": "stranger"}
        answer = http.post("/gradio_api/run/predict", json=body)
        assert answer.status_code != 200, (parts[number]["props"]["elem_id"], event["targets"], answer.text[:300])
    kept = [*server.cache.rglob("*"), *server.outputs.rglob("*")]
    assert [path for path in kept if path.is_file() and path.read_bytes() == secret.read_bytes()] == []
