"""The page in a real browser: over a quick stand-in for the pipeline, and once over everything that is real."""

import math
import shutil
import subprocess
import wave
from array import array
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from heygem.jobs.job import JobStatus
from heygem.jobs.store import STORE_NAME, JobStore
from heygem.media.ffmpeg_binary import ffmpeg_binary

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

EXAMPLES = Path(__file__).resolve().parents[2] / "models" / "demo"
PRESENTER = Path(__file__).resolve().parent.parent / "data" / "presenter.mp4"
SPEECH_S = 1.2
REAL_TIMEOUT_MS = 240_000


def write_speech(path, seconds):
    """Something that rises and falls like syllables."""
    samples = array("h")
    for n in range(int(16000 * seconds)):
        samples.append(int(abs(math.sin(n / 2500)) * 9000 * math.sin(n / 18)))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    return write_speech(tmp_path_factory.mktemp("speech") / "语音 'a' & b.wav", SPEECH_S)


@pytest.fixture
def clip_named(tmp_path):
    def make(name):
        return shutil.copyfile(PRESENTER, tmp_path / name)

    return make


def fill_single(page, speech, clip):
    page.set_input_files("#single-speech input[type=file]", speech)
    page.set_input_files("#single-clip input[type=file]", clip)
    page.wait_for_selector("#single-clip video")
    page.wait_for_selector("#single-speech input[type=file]", state="detached")


def fill_batch(page, speech, clips):
    page.get_by_role("tab").nth(1).click()
    page.set_input_files("#batch-speech input[type=file]", speech)
    page.set_input_files("#batch-clips input[type=file]", clips)
    page.wait_for_selector("#batch-speech input[type=file]", state="detached")
    expect(page.locator("#batch-clips tbody tr")).to_have_count(len(clips))


def wait_for_video(page, selector, timeout_ms=30_000):
    """The length in seconds of a video that can play."""
    page.wait_for_selector(selector, timeout=timeout_ms)
    page.wait_for_function("selector => document.querySelector(selector).readyState >= 2", arg=selector)
    return page.evaluate("selector => document.querySelector(selector).duration", selector)


def test_single_shows_progress_then_the_result(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    name = "a slow ${1+1} {{value}} & 'b'.mp4"
    fill_single(page, speech, clip_named(name))
    page.click("#single-generate")
    expect(page.locator("#single-status")).to_contain_text("Running")
    expect(page.locator("#single-status .hg-rate")).to_be_visible()
    expect(page.locator("#single-status .hg-eta")).to_be_visible()
    expect(page.locator("#single-status .hg-name")).to_have_text(name.translate(str.maketrans("", "", "${}")))
    assert wait_for_video(page, "#single-result video") == pytest.approx(2, abs=0.2)
    expect(page.locator("#single-result")).to_contain_text("Apache-2.0")
    with page.expect_download() as download:
        page.locator("#single-result a").click()
    assert download.value.suggested_filename.endswith("_heygem.mp4")
    expect(page.locator("#log")).to_contain_text("done in")
    expect(page.locator("#models")).to_contain_text("hits 7")


def test_a_batch_goes_on_after_a_bad_clip_and_over_a_refresh_and_a_second_tab(
    quick_server, open_page, speech, clip_named
):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("bad.mp4"), clip_named("好 🎬.mp4"), clip_named("second.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-status")).to_contain_text("bad.mp4")
    page.reload()
    page.get_by_role("tab").nth(1).click()
    other = open_page(quick_server, locale="zh-CN")
    other.get_by_role("tab").nth(1).click()
    for tab, words in ((page, "Use another clip."), (other, "换一段。")):
        expect(tab.locator("#batch-status .hg-count")).to_have_text("3/3")
        bad, good, _ = tab.locator("#batch-tiles article").all()
        expect(bad).to_contain_text(words)
        good.locator("[data-act=play]").click()
        assert wait_for_video(tab, "#batch-player video") == pytest.approx(2, abs=0.2)
    # A video that is shown stays the same element over the polls.
    page.evaluate("document.querySelector('#batch-player video').mark = true")
    page.wait_for_timeout(2500)
    assert page.evaluate("document.querySelector('#batch-player video').mark") is True
    with page.expect_download() as download:
        page.click("#batch-zip")
    with ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["好 🎬.mp4", "second.mp4", "results.txt"]
        assert archive.read("好 🎬.mp4") == PRESENTER.read_bytes()
    page.click("#batch-retry")
    expect(other.locator("#batch-status .hg-count")).to_have_text("2/3")
    expect(page.locator("#batch-status .hg-count")).to_have_text("3/3")


def test_the_history_is_searched_and_a_job_deleted_with_the_keyboard(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("keep me.mp4"), clip_named("drop me <b>.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-status .hg-count")).to_have_text("2/2")
    page.get_by_role("tab").nth(2).click()
    page.get_by_label("Search").fill("DROP")
    tiles = page.locator("#history-list article")
    expect(tiles).to_have_count(1)
    tiles.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.locator("#history-delete")).to_contain_text("1")
    expect(tiles.get_by_role("checkbox")).to_be_focused()  # though it was drawn anew
    page.locator("#history-delete").press("Enter")
    page.keyboard.press("Escape")
    expect(tiles).to_have_count(1)
    page.locator("#history-delete").press("Enter")
    page.get_by_role("button", name="Yes").press("Enter")
    expect(page.locator("#history-list")).to_contain_text("No job fits")
    page.get_by_label("Search").fill("")
    tiles.filter(has_text="keep me.mp4").locator("[data-act=show]").click()
    assert wait_for_video(page, "#history-player video") == pytest.approx(2, abs=0.2)


def test_cancel_stops_the_running_job_and_a_button_of_the_queue_a_waiting_one(
    quick_server, open_page, speech, clip_named
):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("slow first.mp4"))
    page.click("#single-generate")
    expect(page.locator("#single-status")).to_contain_text("Running")
    fill_batch(page, speech, [clip_named("slow second.mp4"), clip_named("third.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#queue .hg-waiting")).to_have_text("2")
    third = page.locator("#queue li", has_text="third.mp4")
    third.locator("[data-act=front]").press("Enter")
    expect(third).to_be_focused()  # and not what stands where its button was, which moves another job
    third.locator("[data-act=cancel]").click()
    expect(page.locator("#batch-tiles article", has_text="third.mp4")).to_contain_text("Cancelled")
    page.get_by_role("tab").nth(0).click()
    page.click("#single-cancel")
    expect(page.locator("#single-status")).to_contain_text("Cancelled")
    expect(page.locator("#queue li[data-status=running]")).to_contain_text("second.mp4")
    page.get_by_role("tab").nth(1).click()
    page.click("#batch-cancel")
    page.click("#hg-confirm [value=yes]")
    expect(page.locator("#batch-status .hg-count")).to_have_text("2/2")
    expect(page.locator("#state")).to_contain_text("Idle")


def test_an_open_page_finds_its_jobs_again_after_the_server_was_killed(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server, may_lose_server=True)
    fill_batch(page, speech, [clip_named("killed.mp4"), clip_named("after.mp4")])
    page.click("#batch-submit")
    page.locator("#batch-tiles article[data-status=running]", has_text="killed.mp4").wait_for()
    with page.expect_navigation():  # by itself
        quick_server.restart_killed()
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#batch-status .hg-count")).to_have_text("2/2", timeout=60_000)
    assert [tile.get_attribute("data-status") for tile in page.locator("#batch-tiles article").all()] == ["done"] * 2


def test_what_is_missing_is_said_next_to_the_button(quick_server, open_page):
    page = open_page(quick_server, locale="zh-CN")
    page.click("#single-generate")
    expect(page.locator("#single-error")).to_contain_text("请先上传语音和人物视频。")
    page.get_by_role("tab").nth(1).click()
    page.click("#batch-submit")
    expect(page.locator("#batch-error")).to_contain_text("请先上传语音和至少一个视频。")


def test_the_language_is_switched_everywhere_and_stays(quick_server, open_page):
    page = open_page(quick_server, locale="en-US")
    expect(page.locator("#single-generate")).to_have_text("Generate")
    expect(page.locator("#queue h3 .en")).to_be_visible()
    page.click("#language")
    expect(page.locator("#single-generate")).to_have_text("开始生成")
    page.reload()
    expect(page.locator("#single-generate")).to_have_text("开始生成")
    expect(page.locator("#queue h3 .zh")).to_be_visible()
    expect(page.locator("#queue h3 .en")).to_be_hidden()
    page.get_by_text("选项", exact=True).first.click()
    expect(page.get_by_text("往返播放", exact=True).first).to_be_visible()
    page.click("#language")
    expect(page.locator("#single-generate")).to_have_text("Generate")


def test_uploads_are_looked_at_and_a_face_is_chosen_by_a_click(quick_server, open_page, speech, tmp_path):
    couple = tmp_path / "couple.mp4"
    smaller = ["-filter_complex", "[0:v]scale=640:360,pad=640:480[right];[0:v][right]hstack", "-t", "1", "-an"]
    subprocess.run([ffmpeg_binary(), "-v", "error", "-i", PRESENTER, *smaller, couple], check=True)
    page = open_page(quick_server)
    fill_single(page, speech, couple)
    card = page.locator("#single-preflight")
    expect(card).to_contain_text("0:01 · 25 fps · 1494 × 480", timeout=90_000)
    expect(card.locator("[data-face='0']")).to_have_attribute("aria-pressed", "true", timeout=90_000)
    card.locator("[data-face='1']").click()
    expect(card.locator("[data-face='1']")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Options").click()
    expect(page.get_by_label("Whose face")).to_have_value("1")


def test_the_theme_is_the_system_s_until_it_is_switched_and_then_stays(quick_server, open_page):
    page = open_page(quick_server)
    is_dark = "() => document.body.classList.contains('dark') && document.documentElement.style.colorScheme === 'dark'"
    assert not page.evaluate(is_dark)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(is_dark)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"!({is_dark})()")
    page.click("#theme")
    page.wait_for_function(is_dark)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector("#single-generate")
    assert page.evaluate(is_dark)
    page.set_viewport_size({"width": 390, "height": 800})
    page.click("#theme")
    assert not page.evaluate(is_dark)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_video_comes_out_of_the_real_thing(real_server, open_page, speech):
    page = open_page(real_server)
    fill_single(page, speech, PRESENTER)
    page.click("#single-generate")
    page.wait_for_selector(
        "#single-status [data-status=done], #single-status [data-status=failed]", timeout=REAL_TIMEOUT_MS
    )
    expect(page.locator("#single-status [data-status=done]")).to_be_visible()
    assert wait_for_video(page, "#single-result video") == pytest.approx(SPEECH_S, abs=0.1)
    assert page.locator("#single-result .hg-made-by .en").inner_text()
    expect(page.locator("#models")).to_contain_text("resident")


def test_an_example_that_comes_with_the_project_speaks(real_server, open_page):
    page = open_page(real_server)
    page.click("#example_victor")
    page.wait_for_selector("#single-clip video")
    page.wait_for_selector("#single-speech input[type=file]", state="detached")
    page.click("#single-generate")
    # Until then the page shows the newest job of others.
    expect(page.locator("#single-status")).to_contain_text("presenter-victor.mp4")
    page.wait_for_selector(
        "#single-status [data-status=done], #single-status [data-status=failed]", timeout=REAL_TIMEOUT_MS
    )
    with wave.open(str(EXAMPLES / "speech-en.wav")) as speech:
        seconds = speech.getnframes() / speech.getframerate()
    assert wait_for_video(page, "#single-result video") == pytest.approx(seconds, abs=0.1)


def test_the_real_batch_goes_on_after_a_file_that_is_no_video(real_server, open_page, speech, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("not a video")
    page = open_page(real_server)
    fill_batch(page, speech, [broken, PRESENTER])
    page.click("#batch-submit")
    expect(page.locator("#batch-status .hg-count")).to_have_text("2/2", timeout=REAL_TIMEOUT_MS)
    bad, good = page.locator("#batch-tiles article").all()
    expect(bad.locator(".hg-failure .en").first).not_to_be_empty()
    assert bad.get_attribute("data-status") == "failed"
    assert bad.locator(".hg-failure").get_attribute("data-code") != "internal"
    good.locator("[data-act=play]").click()
    assert wait_for_video(page, "#batch-player video") == pytest.approx(SPEECH_S, abs=0.1)


def test_the_real_server_stops_in_the_middle_of_a_job_which_waits_for_the_next(real_server, open_page, tmp_path):
    page = open_page(real_server)
    fill_single(page, write_speech(tmp_path / "long.wav", 60), PRESENTER)
    page.click("#single-generate")
    # Far enough that frames are being read and written.
    expect(page.locator("#single-status .current .en")).to_have_text("Lips", timeout=REAL_TIMEOUT_MS)
    children = real_server.children()
    page.goto("about:blank")
    assert real_server.stop() == 0
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert "Traceback" not in real_server.output()
    store = JobStore(real_server.folder / "outputs" / STORE_NAME)
    *_, job = store.jobs(ended=0)
    assert (job.status, job.attempt, job.request.audio_name) == (JobStatus.QUEUED, 0, "long.wav")
    assert job.request.video.is_file() and job.request.audio.is_file()
    assert not (real_server.folder / "outputs" / job.id / "result.mp4").exists()
    store.close()
