"""Trainings of speakers that scripts ask for."""

import pytest
from api_place import CLIP, Place
from paper_clip import openings, write_clip

from heygem.jobs.job import JobKind
from heygem.ui.api_models import Options


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "anna.mp4", openings(25), openings(25))


@pytest.fixture
def place(tmp_path, spoken):
    made = Place(tmp_path, models_dir=tmp_path / "models", input_dir=spoken.parent)
    yield made
    made.queue.close()


def refused(answer, code):
    return answer.status_code in (400, 404) and answer.json()["code"] == code


def test_a_speaker_by_upload_and_by_path(place, spoken):
    answer = place.http.post("/api/v1/speakers?name=安娜", files={"video": ("我 1.mp4", spoken.read_bytes())})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["kind"], answer.json()["speaker"]) == ("speaker", "安娜")
    assert answer.json()["video_name"] == "我 1.mp4"
    request = place.queue.get(answer.json()["id"]).request
    assert request.kind is JobKind.SPEAKER and request.video.read_bytes() == spoken.read_bytes()
    answer = place.http.post("/api/v1/speakers", params={"name": "berta"}, json={"video": "anna.mp4"})
    assert answer.status_code == 201 and answer.headers["location"] == answer.json()["links"]["self"]
    assert place.leftovers() == []


def test_what_cannot_be_trained_is_refused_at_once(place, spoken):
    here = {"json": {"video": "anna.mp4"}}
    assert refused(place.http.post("/api/v1/speakers?name=demo", **here), "name_taken")
    assert refused(place.http.post("/api/v1/speakers?name=a/b", **here), "bad_name")
    assert refused(place.http.post("/api/v1/speakers?name=a", json={"video": "../anna.mp4"}), "no_such_path")
    assert refused(place.http.post("/api/v1/speakers?name=a", files={"audio": b"x"}), "bad_form")
    assert refused(place.http.post("/api/v1/speakers?name=a", files={"video": (None, "text")}), "file_missing")
    mute = {"video": ("mute.mp4", CLIP.read_bytes())}
    assert refused(place.http.post("/api/v1/speakers?name=a", files=mute), "no_audio_stream")
    assert place.http.post("/api/v1/speakers", **here).json()["code"] == "bad_request"
    assert place.queue.jobs() == [] and place.leftovers() == []


def test_a_speaker_of_any_script_can_be_the_lips():
    assert Options(lips="安娜").lips == "安娜"
