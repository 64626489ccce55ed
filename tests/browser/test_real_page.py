"""The page over everything that is real: app.py, its networks and its encoder."""

import time
import wave
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from page_steps import PRESENTER, SPEECH_S, content, download, fill_batch, fill_single, wait_for_video, write_speech
from playwright.sync_api import expect

from heygem.jobs.job import JobStatus
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.media.probe import probe_video

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

EXAMPLES = Path(__file__).resolve().parents[2] / "models" / "demo"
REAL_TIMEOUT_MS = 240_000


def wait_for_end(page):
    page.wait_for_selector(
        "#single-status [data-status=done], #single-status [data-status=failed]", timeout=REAL_TIMEOUT_MS
    )
    expect(page.locator("#single-status [data-status=done]")).to_be_visible()


def test_a_video_comes_out_and_plays_in_step_with_its_clip(real_server, open_page, speech):
    page = open_page(real_server)
    fill_single(page, speech, PRESENTER)
    page.click("#single-generate")
    wait_for_end(page)
    assert wait_for_video(page, "#single-result video") == pytest.approx(SPEECH_S, abs=0.1)
    assert page.locator("#single-result .hg-made-by .en").inner_text()
    expect(page.locator("#models")).to_contain_text("resident")
    page.locator("#single-compare summary").click()
    assert wait_for_video(page, "#single-compare figure:last-child video") == pytest.approx(SPEECH_S, abs=0.1)
    assert wait_for_video(page, "#single-compare figure:first-child video") == pytest.approx(2, abs=0.1)


def test_an_example_that_comes_with_the_project_speaks(real_server, open_page):
    page = open_page(real_server)
    page.click("#example_victor")
    page.wait_for_selector("#single-clip video")
    page.wait_for_selector("#single-speech input[type=file]", state="detached")
    page.click("#single-generate")
    # Until then the page shows the newest job of others.
    expect(page.locator("#single-status")).to_contain_text("presenter-victor.mp4")
    wait_for_end(page)
    with wave.open(str(EXAMPLES / "speech-en.wav")) as speech:
        seconds = speech.getnframes() / speech.getframerate()
    assert wait_for_video(page, "#single-result video") == pytest.approx(seconds, abs=0.1)


def test_a_batch_goes_on_after_a_file_that_is_no_video(real_server, open_page, speech, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("not a video")
    page = open_page(real_server)
    fill_batch(page, speech, [broken, PRESENTER])
    page.click("#batch-submit")
    expect(page.locator("#batch-status .hg-count")).to_have_text("1/2", timeout=REAL_TIMEOUT_MS)
    bad, good = page.locator("#batch-tiles article").all()
    expect(bad.locator(".hg-failure .en").first).not_to_be_empty()
    assert bad.get_attribute("data-status") == "failed"
    assert bad.locator(".hg-failure").get_attribute("data-code") != "internal"
    good.locator("[data-act=play]").click()
    assert wait_for_video(page, "#batch-player video") == pytest.approx(SPEECH_S, abs=0.1)
    with ZipFile(BytesIO(content(page, download(page, "#batch-zip")))) as archive:
        assert archive.namelist() == ["presenter.mp4", "results.txt"]
        video = Path(archive.extract("presenter.mp4", tmp_path))
    assert float(probe_video(video).duration) == pytest.approx(SPEECH_S, abs=0.1)


def test_the_server_stops_in_the_middle_of_a_job_which_waits_for_the_next(real_server, open_page, tmp_path):
    page = open_page(real_server)
    fill_single(page, write_speech(tmp_path / "long.wav", 60), PRESENTER)
    page.click("#single-generate")
    # Far enough that frames are being read and written.
    expect(page.locator("#single-status .current .en")).to_have_text("Lips", timeout=REAL_TIMEOUT_MS)
    children = real_server.children()
    page.goto("about:blank")
    assert real_server.stop() == 0
    assert children
    deadline = time.monotonic() + 10  # the system ends them when it comes to it
    while left := [child for child in children if Path(f"/proc/{child}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert "Traceback" not in real_server.output()
    store = JobStore(real_server.folder / "outputs" / STORE_NAME)
    *_, job = store.jobs(ended=0)
    assert (job.status, job.attempt, job.request.audio_name) == (JobStatus.QUEUED, 0, "long.wav")
    assert job.request.video.is_file() and job.request.audio.is_file()
    assert not (real_server.folder / "outputs" / job.id / "result.mp4").exists()
    store.close()
