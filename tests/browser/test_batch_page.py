"""The batch tab and the queue in a real browser, over a quick stand-in for the pipeline."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from page_steps import (
    BATCH,
    PRESENTER,
    SINGLE,
    content,
    download,
    fill_batch,
    fill_single,
    go_to,
    held_back,
    wait_for_video,
    wait_on_page,
)
from playwright.sync_api import expect
from test_accessibility import scan_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

NAMES = "#batch-list .hg-clip .hg-name"
HOLD_BACK_ONE = """() => {
  const fetch = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await fetch(...asked);
    const text = asked[0].includes('/run/') ? await answer.clone().text() : '';
    const is_it = text.includes('hg-clip-list') && !text.includes('a.mp4') && !window.let_go;
    if (is_it) await new Promise((go) => { window.let_go = go; });
    if (is_it) new MutationObserver(() => {
      window.were_two ||= document.querySelectorAll('#batch-list li').length === 2;
    }).observe(document.querySelector('#batch-list'), {childList: true, subtree: true});
    return answer;
  };
}"""
FOCUSED = (
    "document.activeElement.closest('[data-act]')?.dataset.act + ' ' + document.activeElement.closest('li')?.innerText"
)


def test_a_batch_goes_on_after_a_bad_clip_and_over_a_refresh_and_a_second_tab(
    quick_server, open_page, speech, clip_named
):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("steady bad.mp4"), clip_named("好 🎬.mp4"), clip_named("second.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#batch-status")).to_contain_text("steady bad.mp4")
    page.reload(wait_until="domcontentloaded")
    go_to(page, BATCH)
    other = open_page(quick_server, locale="zh-CN")
    go_to(other, BATCH)
    for tab, words in ((page, "Use another clip."), (other, "换一段。")):
        expect(tab.locator("#batch-status .hg-count")).to_have_text("2/3")
        bad, good, _ = tab.locator("#batch-tiles article").all()
        expect(bad).to_contain_text(words)
        good.locator("[data-act=play]").click()
        assert wait_for_video(tab, "#batch-player video") == pytest.approx(2, abs=0.2)
    # A video that is shown stays the same element over the polls.
    page.evaluate("document.querySelector('#batch-player video').mark = true")
    page.wait_for_timeout(2500)
    assert page.evaluate("document.querySelector('#batch-player video').mark") is True
    with ZipFile(BytesIO(content(page, download(page, "#batch-zip")))) as archive:
        assert archive.namelist() == ["好 🎬.mp4", "second.mp4", "results.txt"]
        # Each as the stand-in made it: the clip itself, which plays.
        assert {archive.read(name) for name in archive.namelist()[:2]} == {PRESENTER.read_bytes()}
        assert "bad.mp4" in archive.read("results.txt").decode()
    page.click("#batch-retry")
    for tab, status in ((other, "running"), (page, "failed")):
        expect(tab.locator("#batch-tiles article").first).to_have_attribute("data-status", status)


def test_what_failed_or_was_cancelled_is_tried_again(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named("flaky.mp4"), clip_named("endless one.mp4")])
    page.click("#batch-submit")
    flaky, slow = (page.locator("#batch-tiles article", has_text=name) for name in ("flaky", "endless one"))
    expect(slow).to_have_attribute("data-status", "running")
    expect(flaky).to_contain_text("No face was found.")
    slow.locator("[data-act=cancel]").click()
    expect(slow).to_contain_text("Cancelled")
    slow.locator("[data-act=retry]").click()
    expect(slow).to_have_attribute("data-status", "running")
    slow.locator("[data-act=cancel]").click()
    expect(slow).to_have_attribute("data-status", "cancelled")
    page.click("#batch-retry")  # what failed, and not what was stopped
    expect(flaky).to_have_attribute("data-status", "done")
    expect(slow).to_have_attribute("data-status", "cancelled")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("is_dark => document.body.classList.contains('dark') === is_dark", arg=theme == "dark")
        chip, picture = (back_of(slow.locator(part)) for part in (".hg-chip", ".hg-poster"))
        assert chip != picture
    chip, picture = (flaky.locator(part).bounding_box() for part in (".hg-chip", ".hg-poster"))
    assert chip["x"] < picture["x"] + picture["width"] / 2  # the label that a result bears is elsewhere
    assert picture["y"] + picture["height"] / 2 < chip["y"] < picture["y"] + picture["height"] - chip["height"]


def test_cancel_stops_the_running_job_and_a_button_of_the_queue_a_waiting_one(
    quick_server, open_page, speech, clip_named
):
    page = open_page(quick_server)
    fill_single(page, speech, clip_named("endless first.mp4"))
    page.click("#single-generate")
    expect(page.locator("#single-status")).to_contain_text("Running")
    fill_batch(page, speech, [clip_named("endless second.mp4"), clip_named("third.mp4")])
    page.click("#batch-submit")
    expect(page.locator("#queue .hg-waiting")).to_have_text("2")
    third = page.locator("#queue li", has_text="third.mp4")
    third.locator("[data-act=front]").press("Enter")
    expect(third).to_be_focused()  # and not what stands where its button was, which moves another job
    third.locator("[data-act=cancel]").click()
    expect(page.locator("#batch-tiles article", has_text="third.mp4")).to_contain_text("Cancelled")
    go_to(page, SINGLE)
    page.click("#single-cancel")
    expect(page.locator("#single-status")).to_contain_text("Cancelled")
    expect(page.locator("#queue li[data-status=running]")).to_contain_text("second.mp4")
    go_to(page, BATCH)
    page.click("#batch-cancel")
    page.click("#hg-confirm [value=yes]")
    expect(page.locator("#batch-status .hg-chip.cancelled")).to_contain_text("2")
    expect(page.locator("#batch-status .hg-count")).to_have_text("0/2")
    expect(page.locator("#state")).to_contain_text("Idle")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_name_of_a_job_can_be_read_in_the_queue(quick_server, open_page, speech, clip_named, width):
    page = open_page(quick_server, viewport={"width": width, "height": 800})
    clip = clip_named("presenter-victor-02.mp4")
    fill_batch(page, speech, [clip])
    page.click("#batch-submit")
    job = page.locator("#queue li[data-status=done]", has_text=clip.name).first
    expect(job).to_be_attached()
    if width == 390:
        page.click("#rail-button button")
    name = job.locator(".hg-name")
    expect(name).to_be_visible()
    assert name.evaluate("node => [node.scrollWidth <= node.clientWidth, node.scrollHeight <= node.clientHeight]") == [
        True, True,
    ]  # fmt: skip


def back_of(part):
    return part.evaluate("node => getComputedStyle(node).backgroundColor")


def expect_order(page, *names):
    expect(page.locator(NAMES)).to_have_text([f"{number}. {name}" for number, name in enumerate(names, 1)])


def remove_clip(page, name):
    page.locator("#batch-list li", has_text=name).locator("[data-act=clip-remove]").click()


def test_a_list_is_put_together_by_hand_and_outlives_a_refresh(quick_server, open_page, speech, clip_named, tmp_path):
    page = open_page(quick_server, reduced_motion="reduce")
    a, b, c = (clip_named(f"{name}.mp4") for name in ("a", "b ${1+1}", "c"))
    fill_batch(page, speech, [a, b])
    page.set_input_files("#batch-clips input[type=file]", c)
    expect_order(page, "a.mp4", "b 1+1.mp4", "c.mp4")

    rows = page.locator("#batch-list li")
    rows.nth(2).locator("[data-act=clip-up]").focus()
    for order in (("a.mp4", "c.mp4", "b 1+1.mp4"), ("c.mp4", "a.mp4", "b 1+1.mp4")):
        page.keyboard.press("Enter")  # the focus goes with the clip, up to the end
        expect_order(page, *order)
        page.wait_for_function(f"({FOCUSED}).match(/^clip-up [0-9]+. c/)")
    rows.nth(2).locator(".hg-grip").drag_to(rows.nth(0))
    expect_order(page, "b 1+1.mp4", "c.mp4", "a.mp4")

    rows.nth(1).locator("[data-act=clip-open]").click()
    page.get_by_label("Sync offset").locator("visible=true").fill("40")
    page.keyboard.press("Tab")
    expect(rows.nth(1).locator(".hg-own-chip")).to_contain_text("Sync offset (ms) 40")
    expect(page.locator("#batch-list [data-verdict=looking]")).to_have_count(0)
    assert scan_both_themes(page) == []

    page.reload(wait_until="domcontentloaded")
    go_to(page, BATCH)
    expect_order(page, "b 1+1.mp4", "c.mp4", "a.mp4")
    expect(rows.nth(1).locator(".hg-own-chip")).to_contain_text("Sync offset (ms) 40")
    expect(page.locator("#batch-speech input[type=file]")).to_have_count(0)  # the speech is there as well
    csv = tmp_path / "list.csv"
    said = page.locator("#batch-csv-error")
    csv.write_text("video\nnone.mp4")
    choose_csv(page, csv)
    expect(said).to_contain_text("Line 2")
    csv.write_text("video,crf\na.mp4,20")
    choose_csv(page, csv)
    expect(said).not_to_contain_text("Line 2")
    expect_order(page, "a.mp4", "b 1+1.mp4", "c.mp4")
    page.click("[data-act=clips-remove-all]")
    page.click("#hg-confirm [value=yes]")
    expect(rows).to_have_count(0)


def test_nothing_is_lost_while_the_server_is_slow_to_answer(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    a, b, c, d = (clip_named(f"{name}.mp4") for name in "abcd")
    fill_batch(page, speech, [a, b])
    with held_back(page, "FileData", 2) as held:
        page.set_input_files("#batch-clips input[type=file]", c)
        wait_on_page(page, lambda: held)
        page.set_input_files("#batch-clips input[type=file]", d)
    names = page.locator(NAMES)
    expect(names).to_have_count(4)
    assert sorted(name[-5:] for name in names.all_inner_texts()) == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    with held_back(page, "clip-remove", 2):
        for name in ("a.mp4", "c.mp4"):
            remove_clip(page, name)
    expect_order(page, "b.mp4", "d.mp4")


def test_the_last_of_two_lists_counts_while_the_server_is_slow(quick_server, open_page, speech, clip_named, tmp_path):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named(f"{name}.mp4") for name in "abc"])
    lists = [tmp_path / "first.csv", tmp_path / "last.csv"]
    for path, names in zip(lists, ("ab", "ca"), strict=True):
        path.write_text("\n".join(["video", *(f"{name}.mp4" for name in names)]))
    with held_back(page, "first.csv", 1) as held:
        choose_csv(page, lists[0])
        wait_on_page(page, lambda: held)
        choose_csv(page, lists[1])
    expect_order(page, "c.mp4", "a.mp4", "b.mp4")


def test_an_answer_that_comes_late_does_not_stay(quick_server, open_page, speech, clip_named):
    page = open_page(quick_server)
    fill_batch(page, speech, [clip_named(f"{name}.mp4") for name in "abc"])
    expect(page.locator("#batch-list [data-verdict=looking]")).to_have_count(0)  # nothing else will change the list
    page.evaluate(HOLD_BACK_ONE)
    remove_clip(page, "a.mp4")
    page.wait_for_function("!!window.let_go")
    remove_clip(page, "c.mp4")
    expect(page.locator("#batch-list li")).to_have_count(1)
    page.evaluate("window.let_go()")
    page.wait_for_function("window.were_two")
    expect_order(page, "b.mp4")


def test_files_are_dropped_into_their_field_and_nowhere_else(quick_server, open_page, clip_named):
    page = open_page(quick_server)
    go_to(page, BATCH)
    drop_file(page, "#queue", clip_named("missed.mp4"))
    drop_file(page, "#batch-clips button", clip_named("met.mp4"))
    expect_order(page, "met.mp4")


def choose_csv(page, path):
    with page.expect_file_chooser() as chooser:
        page.click("#batch-csv")
    chooser.value.set_files(path)


def drop_file(page, selector, path):
    """As from a file manager."""
    box = page.locator(selector).bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": step, "data": data, **place})
