"""The single tab and the rail over HTTP, as a browser asks for them."""

from pathlib import Path

import httpx
import pytest
from live_server import CLIP, SPEECH, Page, Server, file_data, generate, upload

from heygem.jobs.job import JobKind, JobRequest, JobStatus
from heygem.passwords import hash_password
from heygem.pipeline.options import RenderOptions
from heygem.ui.events import CLEAR_JS
from heygem.ui.options_form import OptionsForm

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    users = folder / "users"
    users.write_text(f"bob:{hash_password('pa55')}\n")
    running = Server(folder, auth="ann:s3cret", auth_file=users)
    yield running
    running.close()


@pytest.fixture
def files(http):
    return file_data(upload(http, "语音.wav", SPEECH.read_bytes())), file_data(
        upload(http, "片.mp4", CLIP.read_bytes())
    )


def test_gradio_announces_no_event(http):
    # For each that shows its progress, screen readers hear "common.complete": the word is in none of its languages.
    assert {event["show_progress"] for event in http.get("/config").json()["dependencies"]} == {"hidden"}


def test_uploads_are_looked_at_and_what_stops_that_is_said(http, files):
    page = Page(http, "looks")
    assert page.trigger("single-clip", "change", {"single-clip": None})["single-preflight"] is None
    _, clip = files
    html = page.trigger("single-clip", "change", {"single-clip": clip})["single-preflight"]
    for _ in range(200):
        if "No face." in html:
            return
        html = page.trigger("single-clip", "change", {"single-clip": clip})["single-preflight"] or html
    raise AssertionError(html)


FORM = ("speech", "clip", *OptionsForm._fields)


def fill(page, **values):
    """What the page sends once these are filled in."""
    change = page.event_of("single-clip", "change")
    for name, number in zip(FORM, change["inputs"][1:], strict=True):
        if name in values:
            page.props[number] = {"value": values[name]}
    page.send(change, {}, None)


def opened(http, session, remembered=""):
    """A page that opens, the id that its browser remembers, what is filled in, and what is drawn."""
    page = Page(http, session)
    remembered, fields, shown = page.open("heygem_single", remembered)
    fields = dict(zip(FORM, fields, strict=True))
    return page, remembered, fields | {name: fields[name].get("path") for name in ("speech", "clip")}, shown


def test_a_refreshed_page_has_what_was_filled_in_and_looks_at_it_again(http, files):
    speech, clip = files
    page, remembered, form, _ = opened(http, "fills")
    assert form["speech"] is form["clip"] is None
    fill(page, speech=speech, clip=clip, face="2", crf=24)
    _, again, form, shown = opened(http, "refreshed", remembered)
    assert again == remembered and (form["speech"], form["clip"]) == (speech["path"], clip["path"])
    assert form["face"] == "2" and form["crf"] == 24
    assert 'data-state="' in shown["single-preflight"]


def test_what_is_filled_in_is_for_nobody_else(http, files):
    page, remembered, _, _ = opened(http, "mine")
    fill(page, speech=files[0], clip=files[1])
    for other in ("", "../../etc", "0" * 32):
        _, again, form, _ = opened(http, "stranger", other)
        assert again != remembered and form["speech"] is form["clip"] is None


def test_who_signs_in_next_with_the_same_browser_does_not_see_it(server, http, files):
    page, remembered, _, _ = opened(http, "ann's")
    fill(page, speech=files[0], clip=files[1], crf=24)
    with httpx.Client(base_url=server.url, timeout=30) as other:
        other.post("/login", data={"name": "bob", "password": "pa55"})
        _, again, form, _ = opened(other, "bob's", remembered)
    assert again == remembered and form["speech"] is form["clip"] is None and form["crf"] != 24
    _, _, form, _ = opened(http, "ann's again", remembered)
    assert form["clip"] == files[1]["path"] and form["crf"] == 24


def test_an_upload_that_is_gone_is_absent_from_the_form(http):
    speech, clip = (file_data(upload(http, name, name.encode())) for name in ("gone.wav", "gone.mp4"))
    page, remembered, _, _ = opened(http, "loses")
    fill(page, speech=speech, clip=clip, crf=24)
    Path(clip["path"]).unlink()
    _, _, form, _ = opened(http, "lost", remembered)
    assert (form["speech"], form["clip"], form["crf"]) == (speech["path"], None, 24)


def test_an_upload_that_no_browser_plays_comes_back_as_it_is(http, files, monkeypatch):
    monkeypatch.setattr("gradio.processing_utils.ffmpeg_installed", lambda: True)
    for kind, other in (("audio", "audio_to_playable"), ("video", "video_to_playable_mp4")):
        monkeypatch.setattr(f"gradio.processing_utils.{kind}_is_playable", lambda path: False)
        monkeypatch.setattr(f"gradio.processing_utils.convert_{other}", lambda path, cache_dir: f"{path}.other")
    page, remembered, _, _ = opened(http, "odd")
    fill(page, speech=files[0], clip=files[1])
    _, _, form, _ = opened(http, "odd again", remembered)
    assert (form["speech"], form["clip"]) == tuple(file["path"] for file in files)


def test_half_typed_options_are_not_kept_and_uploads_are(http, files):
    page, remembered, _, _ = opened(http, "types")
    fill(page, crf=24)
    fill(page, crf=20, face="nobody", clip=files[1])
    _, _, form, _ = opened(http, "typed", remembered)
    assert (form["clip"], form["face"], form["crf"]) == (files[1]["path"], "largest", 24)


def test_a_face_that_is_clicked_becomes_the_option(http):
    page = Page(http, "faces")
    click = page.event_of("single-preflight", "click")
    _, face = page.send(click, {}, {"face": "1"})
    assert face == "1"
    config = {part["id"]: part["props"] for part in page.http.get("/config").json()["components"]}
    assert config[click["outputs"][1]]["allow_custom_value"]


@pytest.mark.parametrize(
    ("button", "error", "others"),
    [
        ("single-generate", "single-error", []),
        ("batch-submit", "batch-error", ["batch-clips", "batch-csv", "batch-list"]),
        ("speaker-train", "speaker-error", []),
    ],
)
def test_what_was_refused_is_not_said_any_more_once_something_else_is_given(http, button, error, others):
    page = Page(http, "else")
    [clears] = [one for one in page.events if one["js"] == CLEAR_JS and one["outputs"] == [page.ids[error]]]
    _, *given = page.event_of(button, "click")["inputs"]
    assert {number for number, _ in clears["targets"]} == {*given, *(page.ids[name] for name in others)}


def test_a_result_is_shown_beside_its_clip_while_that_is_there(server, http, files):
    speech, clip = files
    here, elsewhere = Page(http, "test"), Page(http, "elsewhere")  # the first is the session of `generate`
    assert generate(http, speech, clip).status_code == 200
    while server.queue.run_next():
        pass
    shown = here.trigger("single-cancel", "click")
    [job] = server.queue.jobs()
    assert f"results/{job.id}/result.mp4" in shown["single-compare"]
    assert "gradio_api/file=/" in shown["single-compare"] and "%E7%89%87.mp4" in shown["single-compare"]
    shown = elsewhere.trigger("single-cancel", "click")  # as after a refresh
    assert job.id in shown["single-result"] and job.id in shown["single-compare"]
    Path(clip["path"]).unlink()
    assert here.trigger("single-cancel", "click")["single-compare"] == ""


def test_a_preview_is_asked_for_with_the_same_form(server, http, files):
    speech, clip = files
    page = Page(http, "preview")
    waiting = server.queue.submit(JobRequest(CLIP, SPEECH))
    missing = page.trigger("single-preview", "click")
    assert missing["single-result"] is not None and len(server.queue.jobs()) == 2
    shown = page.trigger("single-preview", "click", {"single-speech": speech, "single-clip": clip})
    job = server.queue.jobs()[-1]
    assert job.request.kind is JobKind.PREVIEW and job.position == 1
    assert server.queue.get(waiting.id).position == 2
    assert "Preview</span>" in shown["single-status"]
    server.queue.cancel(waiting.id)
    server.queue.run_next()
    answer = http.get(f"/results/{job.id}/result.mp4?download=1")
    assert "_preview.mp4" in answer.headers["content-disposition"]


def test_the_settings_of_the_job_shown_fill_the_form_and_unfold_it(server, http, files):
    page = Page(http, "again")
    again = page.event_of("single-again", "click")
    options = RenderOptions(face="2", crf=24, label_duration_s=5)
    server.queue.submit(JobRequest(CLIP, SPEECH, options))
    error, fold, _, _, *rest = page.send(again, {}, None)
    assert error == "" and fold["open"] and rest[2] == "2" and rest[-3:] == [24, "top-right", 5]


def test_a_job_that_was_cancelled_is_queued_anew_by_the_button_on_its_card(server, http):
    page = Page(http, "retries")
    job = server.queue.submit(JobRequest(CLIP, SPEECH))
    server.queue.cancel(job.id)
    shown = page.trigger("single-status", "click", data={"act": "retry", "job": job.id})
    assert server.queue.get(job.id).status is JobStatus.QUEUED and 'data-status="queued"' in shown["single-status"]
    server.queue.cancel(job.id)


def test_the_buttons_of_the_models_reach_them_and_the_room_is_shown(server, http):
    page = Page(http, "models")
    shown = page.trigger("models", "click", data={"act": "unload"})
    page.trigger("models", "click", data={"act": "warm-up"})
    page.trigger("models", "click", data={"act": "anything"})
    assert server.asked == ["unload", "warm up"]
    assert "7.0 / 10 GB" in shown["models"] and "Disk left" in shown["models"]


def test_missing_weights_are_fetched_and_every_tab_sees_it(server, http):
    one, other = Page(http, "fetches"), Page(http, "looks on")
    shown = one.trigger("weights", "click", data={"act": "download", "job": "parsenet"})["weights"]
    for _ in range(300):
        shown = other.trigger("weights", "click", data={"act": "look", "job": ""})["weights"] or shown
        if "parsing_parsenet.pth" not in shown:
            break
    assert "parsing_parsenet.pth" not in shown and "GFPGANv1.4.pth" in shown
    other.trigger("weights", "click", data={"act": "download-all", "job": ""})
    for _ in range(300):
        shown = one.trigger("weights", "click", data={"act": "look", "job": ""})["weights"] or shown
        if "Not reached." in shown and "detection_Resnet50_Final.pth" not in shown:
            break
    assert "Not reached." in shown and "Check the network." in shown and shown.count("<li") == 1
    shown = other.trigger("weights", "click", data={"act": "cancel", "job": "gfpgan"})["weights"]
    assert "GFPGANv1.4.pth" in shown and "Not reached." not in shown


def test_the_log_is_downloaded_by_whoever_is_signed_in(server, http):
    assert http.get("/log").status_code == 404
    server.log.write_bytes("一行\n".encode())
    answer = http.get("/log")
    assert answer.content == "一行\n".encode() and "heygem.log" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert httpx.get(f"{server.url}/log").status_code in (303, 401)
