"""What scripts may ask, over a real queue without a worker."""

import asyncio
import json

from api_place import CLIP, SPEECH, Place

from heygem.errors import NoFaceError, Text
from heygem.jobs.job import JobStatus
from heygem.pipeline.options import RenderOptions


def files(clip=("片段.mp4", CLIP), audio=("speech.wav", SPEECH)):
    return {"video": (clip[0], clip[1].read_bytes()), "audio": (audio[0], audio[1].read_bytes())}


def refused(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert body["message"]["zh"] and body["message"]["en"] and set(body["hint"]) == {"zh", "en"}
    return body


def test_a_job_by_upload(place):
    answer = place.http.post("/api/v1/jobs", files=files(), data={"options": '{"crf": 20, "fps": "30000/1001"}'})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    job = place.queue.get(told["id"])
    assert (told["status"], told["position"], told["video_name"]) == ("queued", 1, "片段.mp4")
    assert answer.headers["location"] == told["links"]["self"] == f"/api/v1/jobs/{job.id}"
    assert job.request.options == RenderOptions(crf=20, fps=job.request.options.fps)
    assert str(job.request.options.fps) == "30000/1001"
    assert job.request.video.read_bytes() == CLIP.read_bytes()
    assert job.request.audio.read_bytes() == SPEECH.read_bytes()
    assert place.leftovers() == []


def test_a_job_by_paths(place):
    asked = {"video": CLIP.name, "audio": str(SPEECH), "options": {"enhancer": "none"}}
    answer = place.http.post("/api/v1/jobs", json=asked)
    assert answer.status_code == 201, answer.text
    job = place.queue.get(answer.json()["id"])
    assert (job.request.video_name, job.request.options.enhancer) == (CLIP.name, "none")
    place.queue.run_next()
    assert CLIP.is_file()


def test_no_path_leads_out_of_the_allowed_folder(place):
    paths = ["/etc/passwd", "../conftest.py", "", ".", "golden", "no.mp4", "a\0b", "x" * 5000, "/proc/self/environ"]
    for path in paths:
        for asked in ({"video": path, "audio": str(SPEECH)}, {"video": CLIP.name, "audio": path}):
            refused(place.http.post("/api/v1/jobs", json=asked), 404, "no_such_path")
        asked = {"videos": [CLIP.name, path], "audio": str(SPEECH)}
        refused(place.http.post("/api/v1/batches", json=asked), 404, "no_such_path")
    assert place.queue.jobs() == []


def test_a_link_leads_nowhere_and_without_a_folder_no_path_is_taken(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.wav").symlink_to(SPEECH)
    place = Place(tmp_path, input_dir=tmp_path / "in")
    asked = {"video": "link.wav", "audio": "link.wav"}
    refused(place.http.post("/api/v1/jobs", json=asked), 404, "no_such_path")
    closed = Place(tmp_path)
    refused(closed.http.post("/api/v1/jobs", json=asked | {"audio": "/etc/passwd"}), 400, "paths_are_off")


NO_OPTIONS = [
    "x", "[]", '{"crf": 99}', '{"crf": "much"}', '{"unknown": 1}', '{"lips": "/etc/passwd"}', '{"lips": "a.pth"}',
    '{"enhancer": "/etc/passwd"}', '{"enhancer": "x.pth"}', '{"fps": NaN}', '{"fps": "1/0"}', '{"pads": [1]}',
    '{"face": "nobody"}', '{"mask": "x"}', '{"sync_offset_ms": 1e9}',
]  # fmt: skip


def test_an_option_that_is_none_is_refused_and_stores_nothing(place):
    for options in NO_OPTIONS:
        answer = place.http.post("/api/v1/jobs", files=files(), data={"options": options})
        assert answer.status_code == 400 and answer.json()["code"] in ("bad_request", "bad_option"), answer.text
        assert "passwd" not in answer.text
    assert place.queue.jobs() == [] and place.leftovers() == []


def test_what_cannot_become_a_job_is_refused_at_once_with_its_own_name(place, tmp_path):
    (tmp_path / "bad").write_text("no clip")
    answer = place.http.post("/api/v1/jobs", files=files(clip=("mine.mp4", tmp_path / "bad")))
    assert "mine.mp4" in refused(answer, 400, "unreadable")["message"]["en"]
    for missing in ("video", "audio"):
        one = {name: file for name, file in files().items() if name != missing}
        refused(place.http.post("/api/v1/jobs", files=one), 400, "file_missing")
    twice = [*files().items(), ("video", ("b.mp4", b"x"))]
    assert place.http.post("/api/v1/jobs", files=twice).status_code in (400, 413)
    refused(place.http.post("/api/v1/jobs", files=files() | {"extra": ("a", b"x")}), 413, "too_much")
    refused(place.http.post("/api/v1/jobs", files=files(), data={"crf": "1"}), 400, "bad_form")
    refused(place.http.post("/api/v1/jobs", content=b"x", headers={"content-type": "text/plain"}), 400, "bad_form")
    refused(place.http.post("/api/v1/jobs", json={"video": "x"}), 400, "bad_request")
    long = {"content-type": "application/json"}
    refused(place.http.post("/api/v1/jobs", content=b" " * 70_000, headers=long), 413, "too_much")
    large = files() | {"video": ("large.mp4", b"x" * ((1 << 20) + 1))}
    refused(place.http.post("/api/v1/jobs", files=large), 413, "too_big")
    assert place.queue.jobs() == [] and place.leftovers() == []


def test_a_preview_is_asked_for_by_its_kind(place):
    key = {"idempotency-key": "one"}
    first = place.http.post("/api/v1/jobs", files=files(), headers=key).json()
    answer = place.http.post("/api/v1/jobs?kind=preview", files=files(), headers=key).json()
    assert (first["kind"], answer["kind"], answer["position"], answer["part_s"]) == ("video", "preview", 1, None)
    assert answer["id"] != first["id"], "the same key for something else"
    refused(place.http.post("/api/v1/jobs?kind=speaker", files=files()), 400, "bad_request")
    place.queue.run_next(), place.queue.run_next()
    for job, made in ((first, "heygem"), (answer, "preview")):
        assert f"_{made}.mp4" in place.http.get(job["links"]["self"] + "/result.mp4").headers["content-disposition"]


def test_a_batch_of_which_a_clip_is_bad_is_taken_and_one_with_a_bad_speech_is_not(place):
    speech = ("audio", ("s.wav", SPEECH.read_bytes()))
    videos = [("videos", ("a.mp4", CLIP.read_bytes())), ("videos", ("bad.mp4", b"bad"))]
    answer = place.http.post("/api/v1/batches", files=[*videos, speech]).json()
    assert [job["video_name"] for job in answer["jobs"]] == ["a.mp4", "bad.mp4"]
    assert {job["batch_id"] for job in answer["jobs"]} == {answer["batch_id"]} != {None}
    refused(place.http.post("/api/v1/batches", files=[*videos, videos[0], speech]), 400, "too_many_clips")
    bad = [*videos, ("audio", ("s.wav", b"bad"))]
    refused(place.http.post("/api/v1/batches", files=bad), 400, "unreadable")
    asked = {"videos": [CLIP.name], "audio": str(SPEECH)}
    assert len(place.http.post("/api/v1/batches", json=asked).json()["jobs"]) == 1
    refused(place.http.post("/api/v1/batches", json=asked | {"videos": []}), 400, "bad_request")
    assert len(place.queue.jobs()) == 3 and place.leftovers() == []


def test_the_same_key_is_the_same_job_for_the_same_user(place):
    def send(route="jobs", key="k", user="ann", **body):
        place.user = user
        asked = {"audio": str(SPEECH)} | ({"video": CLIP.name} if route == "jobs" else {"videos": [CLIP.name]})
        answer = place.http.post(f"/api/v1/{route}", json=asked, headers={"idempotency-key": key})
        assert answer.status_code == 201, answer.text
        return answer.json()

    first = send()
    assert send() == first
    assert send(user="bob")["id"] != first["id"]
    batch = send("batches")
    assert send("batches")["batch_id"] == batch["batch_id"] and batch["jobs"][0]["id"] != first["id"]
    assert len(place.queue.jobs()) == 3  # as many as may wait
    assert send() == first
    asked = {"audio": str(SPEECH), "video": CLIP.name}
    refused(place.http.post("/api/v1/jobs", json=asked, headers={"idempotency-key": "x" * 201}), 400, "bad_request")


def test_a_full_queue_says_when_to_come_again(place):
    for _ in range(3):
        place.queued()
    answer = place.http.post("/api/v1/jobs", files=files())
    refused(answer, 429, "queue_full")
    assert int(answer.headers["retry-after"]) > 0
    assert place.leftovers() == []


def test_a_queue_that_closes_takes_nothing(place):
    place.queue.stop(0)
    refused(place.http.post("/api/v1/jobs", files=files()), 503, "queue_closed")


def test_the_list_is_paged_filtered_and_knows_who_is_next(place):
    done, failed, waiting = (place.queued(f"{name}.mp4") for name in ("done", "failed", "waiting"))
    place.queue.run_next()
    place.do = lambda job, progress: (_ for _ in ()).throw(NoFaceError(Text("没有人脸。", "No face.")))
    place.queue.run_next()

    def ask(query):
        answer = place.http.get(f"/api/v1/jobs?{query}").json()
        return answer["total"], [job["id"] for job in answer["jobs"]]

    assert ask("") == (3, [waiting.id, failed.id, done.id])
    assert ask("limit=1&offset=1") == (3, [failed.id])
    assert ask("state=done&state=failed") == (2, [failed.id, done.id])
    assert ask("words=WAIT") == (1, [waiting.id])
    [told] = place.http.get("/api/v1/jobs?state=queued").json()["jobs"]
    assert (told["position"], told["started_at"]) == (1, None)
    [told] = place.http.get("/api/v1/jobs?state=failed").json()["jobs"]
    assert told["error"]["code"] == "no_face" and told["error"]["message"] == {"zh": "没有人脸。", "en": "No face."}
    for query in ("limit=0", "limit=1000", "offset=-1", "state=lost"):
        refused(place.http.get(f"/api/v1/jobs?{query}"), 400, "bad_request")


def test_a_job_s_life(place):
    first, second = place.queued(), place.queued()
    url = f"/api/v1/jobs/{second.id}"
    assert place.http.get(url).json()["position"] == 2
    assert place.http.post(f"{url}/front").json()["position"] == 1
    refused(place.http.get(f"{url}/result.mp4"), 409, "not_done")
    refused(place.http.get(f"{url}/manifest.json"), 409, "not_done")
    refused(place.http.post(f"{url}/retry"), 409, "not_retryable")
    assert place.http.post(f"{url}/cancel").json()["status"] == "cancelled"
    assert place.http.post(f"{url}/retry").json()["status"] == "queued"
    place.queue.run_next(), place.queue.run_next()
    told = place.http.get(url).json()
    assert told["status"] == "done" and told["summary"] == {"zh": "引擎", "en": "Engine"}
    assert told["notices"] == [{"code": "note", "text": {"zh": "注意", "en": "Mind"}}]
    assert told["started_at"].endswith("Z") and told["links"]["result"] == f"{url}/result.mp4"
    answer = place.http.get(f"{url}/result.mp4", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"234", "video/mp4")
    assert place.http.get(f"{url}/manifest.json").json()["made"] == "by a test"
    assert str(place.outputs) not in json.dumps(told)
    (place.outputs / second.id / "result.mp4").unlink()
    refused(place.http.get(f"{url}/result.mp4"), 404, "result_gone")
    assert place.http.delete(url).status_code == 204
    refused(place.http.delete(url), 404, "job_not_found")
    assert not (place.outputs / second.id).exists()
    assert place.queue.get(first.id).status is JobStatus.DONE


def test_a_job_that_runs_is_not_deleted(place):
    job = place.queued()
    answers = []
    place.do = lambda job, progress: answers.append(place.http.delete(f"/api/v1/jobs/{job.id}"))
    place.queue.run_next()
    refused(answers[0], 409, "job_unfinished")
    assert place.queue.get(job.id).status is JobStatus.DONE


def test_a_job_that_is_not_there_is_told_as_such(place):
    for route in ("", "/cancel", "/retry", "/front", "/events", "/result.mp4", "/manifest.json"):
        method = "POST" if route in ("/cancel", "/retry", "/front") else "GET"
        for job_id in ("nothing", "..%2f..%2fetc", "%00"):
            answer = place.http.request(method, f"/api/v1/jobs/{job_id}{route}")
            assert answer.status_code == 404, (route, job_id)
            assert answer.json()["code"] in ("job_not_found", "no_such_route"), answer.text


def test_what_is_no_route_is_told_in_the_same_form(place):
    refused(place.http.get("/api/v1/nothing"), 404, "no_such_route")
    refused(place.http.post("/api/v1/"), 404, "no_such_route")


def test_when_the_sender_goes_away_nothing_stays(place, monkeypatch):
    monkeypatch.setattr("heygem.ui.api_form._PIECE_BYTES", 1000)  # so that the half that comes is on the disk
    body = files()
    request = place.http.build_request("POST", "/api/v1/jobs", files=body)
    content = request.read()
    pieces = [{"type": "http.request", "body": content[: len(content) // 2], "more_body": True}]
    seen = []

    async def receive():
        if pieces:
            return pieces.pop()
        seen.extend(place.leftovers())
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/jobs", "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "server": ("x", 80), "client": ("x", 1),
    }  # fmt: skip
    asyncio.run(place.app(scope, receive, send))
    assert seen  # half of it had arrived
    assert place.leftovers() == [] and place.queue.jobs() == []


def test_the_description_is_whole_and_asks_nothing_of_others(place):
    told = place.http.get("/openapi.json").json()
    assert {"/api/v1/jobs", "/api/v1/batches", "/api/v1/jobs/{job_id}/events"} <= set(told["paths"])
    assert all(path.startswith("/api/v1/") and "rest" not in path for path in told["paths"])
    options = json.dumps(told["paths"]["/api/v1/jobs"]["post"]["requestBody"])
    assert "422" not in json.dumps(told["paths"]) and "$defs" not in json.dumps(told)
    assert "multipart/form-data" in options and "label_position" in options
    page = place.http.get("/docs").text
    assert "http:" not in page and "https:" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs/{name}" in page
        assert place.http.get(f"/docs/{name}").status_code == 200
    assert '"validatorUrl": null' in page


def test_an_empty_key_is_none(place):
    asked = {"audio": str(SPEECH), "video": CLIP.name}
    ids = {place.http.post("/api/v1/jobs", json=asked, headers={"idempotency-key": ""}).json()["id"] for _ in range(2)}
    assert len(ids) == 2
