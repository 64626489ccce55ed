"""The Speakers section over HTTP, as a browser asks for it."""

import httpx
import pytest
from live_server import CLIP, Page, Server, file_data, upload
from paper_clip import openings, write_clip

from heygem.jobs.job import JobKind, JobStatus
from heygem.training.speaker_facts import SpeakerFacts, write_facts
from heygem.weights.speakers import LIPS, speaker_names

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def models(server):
    return server.outputs.parent / "models"


@pytest.fixture(scope="module")
def http(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def clip(http, tmp_path_factory):
    spoken = write_clip(tmp_path_factory.mktemp("clip") / "anna.mp4", openings(25), openings(25))
    return file_data(upload(http, "安娜.mp4", spoken.read_bytes()))


def add_speaker(models, name, job=""):
    folder = models / "speakers" / name
    folder.mkdir(parents=True)
    (folder / LIPS).touch()
    figures = {"r": 0.6, "default_r": 0.5, "psnr_db": 30, "default_psnr_db": 27}
    write_facts(
        SpeakerFacts(name, "c.mp4", 0.0, job, 120, **figures, silence_psnr_db=29, shifted_psnr_db=28, samples=9), folder
    )


def ask(http, clip, name):
    """What pressing Train answers: the name and the clip as they then are, and the error."""
    page = Page(http, "train")
    values = {"speaker-name": name, "speaker-clip": clip}
    _, name, clip, error = page.send(page.event_of("speaker-train", "click"), values, None)
    return name, clip, error


def options(update):
    return [value for _, value in update["choices"]]


def test_a_training_is_a_job_that_the_section_shows_and_the_single_tab_does_not(server, http, clip):
    page = Page(http, "one")
    shown = page.trigger("speaker-train", "click", {"speaker-name": "安娜", "speaker-clip": clip})
    [job] = server.queue.jobs()
    assert (job.request.kind, job.request.speaker, job.request.video_name) == (JobKind.SPEAKER, "安娜", "安娜.mp4")
    assert job.request.audio == job.request.video
    assert "安娜" in shown["speaker-training"] and "Training" in shown["speaker-training"]
    assert "安娜" not in shown["single-status"]
    assert "安娜" in shown["queue"] and shown["speaker-film"] is None
    [answer] = http.get("/api/v1/jobs").json()["jobs"]
    assert (answer["kind"], answer["speaker"]) == ("speaker", "安娜")
    assert "安娜" in ask(http, clip, "安娜")[2], "a second one of that name"
    server.queue.run_next()
    shown = page.trigger("speaker-training", "click", data={"act": "", "job": ""})
    assert f"results/{job.id}/result.mp4" in shown["speaker-film"] and 'data-act="use-lips"' in shown["speaker-film"]
    server.queue.delete(job.id)


@pytest.mark.parametrize("name", ["", "   ", "a/b", "demo"])
def test_a_name_that_cannot_be_given_is_refused_beside_the_form(server, http, clip, name):
    kept, _, error = ask(http, clip, name)
    assert "hg-error" in error and kept == {"__type__": "update"}
    assert server.queue.jobs() == []


def test_a_clip_without_sound_is_refused_beside_the_form(server, http):
    mute = file_data(upload(http, "mute.mp4", CLIP.read_bytes()))
    assert "holds no sound" in ask(http, mute, "berta")[2]
    assert server.queue.jobs() == []


def test_a_speaker_that_appears_is_offered_by_both_forms_and_taken_at_a_click(http, models):
    page = Page(http, "lips")
    offer = page.event_of("speakers", "change")
    add_speaker(models, "cora")
    single, batch = page.send(offer, {}, None)
    assert options(single) == options(batch) == ["auto", "wav2lip", "demo", "cora"]
    assert "value" not in single and "value" not in batch  # by now it may be another
    act = page.event_of("speakers", "click")
    _, lips, fold, tabs = page.send(act, {}, {"act": "use-lips", "job": "cora"})
    assert lips["value"] == "cora" and fold["open"] is True and tabs["selected"] == "single"
    _, lips, *_ = page.send(act, {}, {"act": "use-lips", "job": "nobody"})
    assert lips == {"__type__": "update"}


def test_a_speaker_is_deleted_and_no_form_says_its_name_any_more(http, models):
    add_speaker(models, "dora")
    page = Page(http, "delete")
    page.send(page.event_of("speakers", "change"), {}, None)
    shown = page.trigger("speakers", "click", data={"act": "delete-speaker", "job": "dora"})
    assert "dora" not in shown["speakers"] and "dora" not in speaker_names(models)
    single = next(one["inputs"][0] for one in page.events if [page.ids["speakers"], "change"] in one["targets"])
    page.ids["lips"] = single
    said, batch = page.send(page.event_of("speakers", "change"), {"lips": "dora"}, None)
    assert said["value"] == "auto" and "value" not in batch
    shown = page.trigger("speakers", "click", data={"act": "delete-speaker", "job": "../x"})
    assert (models / "speakers").is_dir()


def test_a_waiting_training_is_cancelled_in_the_section(server, http, clip):
    page = Page(http, "cancel")
    page.trigger("speaker-train", "click", {"speaker-name": "eva", "speaker-clip": clip})
    [job] = server.queue.jobs()
    shown = page.trigger("speaker-training", "click", data={"act": "cancel", "job": job.id})
    assert server.queue.get(job.id).status is JobStatus.CANCELLED
    assert "Cancelled" in shown["speaker-training"] and 'data-act="retry"' in shown["speaker-training"]
