"""The list of clips of a batch in a real browser: what only its script and gradio's own parts can get wrong."""

import pytest
from page_steps import BATCH, fill_batch, go_to
from playwright.sync_api import expect
from test_accessibility import scan_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

NAMES = "#batch-list .hg-clip .hg-name"
FOCUSED = (
    "document.activeElement.closest('[data-act]')?.dataset.act + ' ' + document.activeElement.closest('li')?.innerText"
)


def expect_order(page, *names):
    expect(page.locator(NAMES)).to_have_text([f"{number}. {name}" for number, name in enumerate(names, 1)])


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
    for text, shown in (("video\nnone.mp4", "Line 2"), ("video,crf\na.mp4,20", "")):
        csv.write_text(text)
        with page.expect_file_chooser() as chooser:
            page.click("#batch-csv")
        chooser.value.set_files(csv)
        expect(page.locator("#batch-csv-error")).to_contain_text(shown)
    expect_order(page, "a.mp4", "b 1+1.mp4", "c.mp4")
    page.click("[data-act=clips-remove-all]")
    page.click("#hg-confirm [value=yes]")
    expect(rows).to_have_count(0)
