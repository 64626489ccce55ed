"""The single tab in a real browser, over a quick stand-in for the pipeline."""

import subprocess

import pytest
from axe_scan import scan
from page_steps import (
    BATCH,
    PRESENTER,
    SINGLE,
    download,
    fill_batch,
    fill_single,
    go_to,
    unfold,
    wait_for_video,
)
from playwright.sync_api import expect

from heygem.media.ffmpeg_binary import ffmpeg_binary

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

CLIP, RESULT = (f"#single-compare figure:{which}-child video" for which in ("first", "last"))
COUNT_STEPS = """() => {
  const [ask, cancel, waiting] = [requestAnimationFrame, cancelAnimationFrame, new Set()];
  window.most_steps = 0;
  window.requestAnimationFrame = (step) => {
    const frame = ask((now) => { waiting.delete(frame); step(now); });
    if (step.name === 'step') waiting.add(frame);
    window.most_steps = Math.max(window.most_steps, waiting.size);
    return frame;
  };
  window.cancelAnimationFrame = (frame) => { waiting.delete(frame); cancel(frame); };
}"""
TIMES = f"""() => ['{CLIP}', '{RESULT}'].map((selector) => document.querySelector(selector).currentTime)"""

LISTEN = """() => {
  const told = document.querySelector('#single-status [role=status]'), all = {childList: true, characterData: true};
  window.heard = [];
  new MutationObserver(() => heard.push(told.innerText)).observe(told, {...all, subtree: true});
}"""


def test_screen_readers_hear_once_that_a_job_begins_and_ends(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("slow and heard.mp4"))
    page.evaluate(LISTEN)
    page.click("#single-generate")
    expect(page.locator("#single-status [data-status=done]")).to_contain_text("heard")
    heard = page.evaluate("heard")  # a slow page may miss a state
    assert heard[-1] == "Done" and len(heard) == len(set(heard)), heard


def test_progress_is_shown_and_then_the_result(quick_server, open_page, speech, clip_named):
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
    assert download(page, "#single-result a").suggested_filename.endswith("_heygem.mp4")
    expect(page.locator("#log")).to_contain_text("done in")
    expect(page.locator("#models")).to_contain_text("hits 7")


def test_the_clip_follows_the_result_wherever_it_plays(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("compared.mp4"))
    page.click("#single-generate")
    # Until then the page shows the newest job of others.
    expect(page.locator("#single-status [data-status=done]")).to_contain_text("compared.mp4")
    page.locator("#single-compare summary").click()
    assert wait_for_video(page, CLIP) == wait_for_video(page, RESULT)
    assert scan(page) == []
    page.evaluate("selector => { document.querySelector(selector).muted = true; }", RESULT)
    page.evaluate(COUNT_STEPS)
    page.evaluate("selector => document.querySelector(selector).play()", RESULT)
    page.wait_for_function(f"({TIMES})()[0] > 0.3")
    of_clip, of_result = page.evaluate(TIMES)
    for _ in range(3):
        page.evaluate("selector => document.querySelector(selector).dispatchEvent(new Event('seeked'))", RESULT)
    assert page.evaluate("window.most_steps") == 1  # however often it was sought
    assert of_clip == pytest.approx(of_result, abs=0.4)  # cores that are busy decode late
    page.evaluate("selector => document.querySelector(selector).pause()", RESULT)
    page.wait_for_function("selector => document.querySelector(selector).paused", arg=CLIP)
    # As one who drags the slider does: the last place counts, though the clip is still on its way to others.
    seek = "([selector, times]) => times.forEach((time) => document.querySelector(selector).currentTime = time)"
    for places in ([1.5], [0.2, 1.0, 0.4]):
        page.evaluate(seek, [RESULT, places])
        page.wait_for_function(f"Math.abs(({TIMES})()[0] - {places[-1]}) < 0.05")


def test_what_is_missing_is_said_next_to_the_button_until_it_is_there(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server, locale="zh-CN")
    page.click("#single-generate")
    expect(page.locator("#single-error")).to_contain_text("请先上传语音和人物视频。")
    go_to(page, BATCH)
    page.click("#batch-submit")
    expect(page.locator("#batch-error")).to_contain_text("请先上传语音和至少一个视频。")
    fill_batch(page, speech, [clip_named("late.mp4")])
    expect(page.locator("#batch-error .hg-error")).to_have_count(0)
    go_to(page, SINGLE)
    fill_single(page, speech, clip_named("late.mp4"))
    expect(page.locator("#single-error .hg-error")).to_have_count(0)


def test_a_clip_is_taken_away_and_not_encoded_anew_in_the_browser(quick_server, open_page, clip_named):
    page = open_page(quick_server)
    page.locator("#speaker-form > button").click()
    for field in ("#single-clip", "#speaker-clip"):
        page.set_input_files(f"{field} input[type=file]", clip_named("kept.mp4"))
        page.wait_for_selector(f"{field} video")
        buttons = page.locator(f"{field} .icon-button-wrapper button").locator("visible=true")
        expect(buttons).to_have_count(1)  # without the one that trims
        buttons.click()
        expect(page.locator(f"{field} video")).to_have_count(0)


def test_what_was_filled_in_outlives_a_switch_of_language(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("片 'a' & b.mp4"))
    unfold(page)
    page.get_by_label("Whose face").locator("visible=true").fill("2")
    with page.expect_response(lambda answer: '"2"' in (answer.request.post_data or "")):
        page.keyboard.press("Tab")
    page.click("#language")
    expect(page.locator("#single-generate")).to_have_text("开始生成")
    assert wait_for_video(page, "#single-clip video") == pytest.approx(2, abs=0.2)
    expect(page.locator("#single-speech input[type=file]")).to_have_count(0)
    expect(page.locator("#single-preflight [data-state=done]")).to_be_visible()
    unfold(page)
    expect(page.get_by_label("哪张脸").locator("visible=true")).to_have_value("2")
    page.click("#single-generate")
    # Until then the page shows the newest job of others.
    expect(page.locator("#single-status [data-status=done]")).to_contain_text("片 'a' & b.mp4")


def test_uploads_are_looked_at_and_a_face_is_chosen_by_a_click(quick_server, open_page, speech, tmp_path):
    couple = tmp_path / "couple.mp4"
    smaller = ["-filter_complex", "[0:v]scale=640:360,pad=640:480[right];[0:v][right]hstack", "-t", "1", "-an"]
    subprocess.run([ffmpeg_binary(), "-v", "error", "-i", PRESENTER, *smaller, couple], check=True)
    page = open_page(quick_server)
    fill_single(page, speech, couple, looked_at_ms=240_000)  # torch and the detector come with it
    card = page.locator("#single-preflight")
    expect(card).to_contain_text("0:01 · 25 fps · 1494 × 480")
    expect(card.locator("[data-face='0']")).to_have_attribute("aria-pressed", "true")
    card.locator("[data-face='1']").click()
    expect(card.locator("[data-face='1']")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Options").click()
    expect(page.get_by_label("Whose face")).to_have_value("1")


def test_a_preview_is_a_result_of_its_own_and_stays_beside_its_clip(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("hard.mp4"))
    page.click("#single-preview")
    # Until then the page shows the newest job of others.
    expect(page.locator("#single-status .hg-kind .en")).to_have_text("Preview")
    wait_for_video(page, "#single-result video")
    assert download(page, "#single-result a").suggested_filename == "hard_preview.mp4"
    page.reload(wait_until="domcontentloaded")
    page.locator("#single-compare summary").click()
    assert wait_for_video(page, "#single-compare figure:first-child video") == pytest.approx(2, abs=0.2)


def test_settings_that_are_loaded_come_into_view(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server, viewport={"width": 390, "height": 480})
    fill_single(page, speech, clip_named("set.mp4"))
    page.click("#single-generate")
    again, options = page.locator("#single-again"), page.locator("#single-options .label-wrap")
    expect(page.locator("#single-status [data-status=done]")).to_contain_text("set.mp4")
    again.evaluate("button => button.scrollIntoView({block: 'end'})")
    expect(options).not_to_be_in_viewport()
    again.click()
    expect(options).to_be_in_viewport()
    expect(page.get_by_label("Sync offset (ms)").locator("visible=true").first).to_be_attached()


def test_cancel_can_be_pressed_while_there_is_something_to_stop(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    cancel = page.locator("#single-cancel")
    fill_single(page, speech, clip_named("endless and stopped.mp4"))
    expect(cancel).to_be_disabled()
    page.click("#single-generate")
    expect(cancel).to_be_enabled()
    page.reload(wait_until="domcontentloaded")
    expect(cancel).to_be_enabled()
    cancel.click()
    expect(page.locator("#single-status [data-status=cancelled]")).to_be_visible()
    expect(cancel).to_be_disabled()


def test_what_shows_nothing_leaves_no_gap(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    for name in ("#single-preflight", "#single-error"):
        expect(page.locator(name)).to_have_css("display", "none")
    fill_single(page, speech, clip_named("shown.mp4"))
    expect(page.locator("#single-preflight")).to_be_visible()
    go_to(page, BATCH)
    for name in ("#batch-list", "#batch-error"):
        expect(page.locator(name)).to_have_css("display", "none")
    fill_batch(page, speech, [clip_named("shown.mp4")])
    expect(page.locator("#batch-list")).to_be_visible()
