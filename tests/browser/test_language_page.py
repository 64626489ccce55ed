"""Language and theme: each string of the page in both languages, and choices that last."""

import re
import subprocess

import pytest
from page_steps import BATCH, HISTORY, PRESENTER, SINGLE, fill_single, go_to, unfold, wait_for_video
from playwright.sync_api import expect

from heygem.media.ffmpeg_binary import ffmpeg_binary

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]

CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
ENGLISH = re.compile(r"[A-Za-z]{2,}")

NAMES = re.compile(
    r"(?<![A-Za-z])(HeyGem|Wav2Lip|GFPGAN|StyleGAN2|DFDNet|Apache-2\.0|MIT|CRF|WAV|MP[34]|M4A|MOV|H\.264|ZIP|CSV|CPU|GPU|"
    r"CUDA|AI|ID|EN|cpu/fp32|demo|gfpgan|parsenet|wav2lip|retinaface-\w+(\.\d+)?|LRS2|pcm_\w+|fps|kHz|GB|MB|KB|min|ms|"
    r"video|audio|crf|face|sync_offset_ms|"  # columns of a CSV
    r"[0-9a-f]{12}|[\w.-]+\.(mp4|wav|txt|csv|pth))(?![A-Za-z])"
)
"""Names, units and files, which are the same in both languages."""

# The run log and commands are English in both; the switch names both.
SHOWN = """() => {
  const elsewhere = '#log, code, script, style, noscript, #language, .hg-log-line', found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const {data, parentElement} = texts.currentNode;
    if (data.trim() && !parentElement.closest(elsewhere) && parentElement.checkVisibility({visibilityProperty: true}))
      found.push(data.trim());
  }
  for (const name of ['placeholder', 'title', 'aria-label', 'alt']) {
    for (const node of document.querySelectorAll(`[${name}]`)) {
      const words = node.getAttribute(name).trim();
      if (words && !node.closest(elsewhere) && node.checkVisibility()) found.push(words);
    }
  }
  return found;
}"""

NOTE_OPEN_TABS = """
window.open_tabs = new Set();
new MutationObserver(() => {
  const open = document.querySelectorAll('[role=tab][aria-selected=true]');
  for (const tab of open) window.open_tabs.add(tab.dataset.tabId);
}).observe(document, {childList: true, subtree: true, attributes: true});
"""


def leftovers(page, foreign):
    shown = page.evaluate(SHOWN)
    assert len(shown) > 20
    return sorted({words for words in shown if foreign.search(NAMES.sub("", words))})


def see_everything(page, foreign, found):
    """Every tab with its folds open and each list of choices unrolled."""
    for tab in (SINGLE, BATCH, HISTORY):
        go_to(page, tab)
        unfold(page)
        for choices in page.get_by_role("combobox").locator("visible=true").all():
            if choices.evaluate("node => node.tagName") == "INPUT":
                choices.click()
                found += leftovers(page, foreign)
                page.keyboard.press("Escape")
        found += leftovers(page, foreign)


@pytest.mark.parametrize(("locale", "foreign"), [("zh-CN", ENGLISH), ("en-US", CHINESE)])
def test_every_word_is_in_the_language_of_the_page(quick_server, open_page, jobs_of_every_state, locale, foreign):
    page = open_page(quick_server, locale=locale)
    page.click("#single-generate")
    expect(page.locator("#single-error")).not_to_be_empty()
    found = []
    see_everything(page, foreign, found)
    assert not found, sorted(set(found))


def test_the_language_that_was_picked_stays(quick_server, open_page):
    page = open_page(quick_server)
    expect(page.locator("#single-generate")).to_have_text("Generate")
    expect(page.locator("#queue h3 .en")).to_be_visible()
    page.click("#language")
    expect(page.locator("#single-generate")).to_have_text("开始生成")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#single-generate")).to_have_text("开始生成")
    again = page.context.new_page()
    page.close()
    again.goto(quick_server.url, wait_until="domcontentloaded")
    expect(again.locator("#single-generate")).to_have_text("开始生成")
    expect(again.locator("#queue h3 .zh")).to_be_visible()
    expect(again.locator("#queue h3 .en")).to_be_hidden()
    again.click("#language")
    expect(again.locator("#single-generate")).to_have_text("Generate")


def test_the_tab_that_was_open_is_open_after_a_reload_and_no_other_before_it(
    quick_server, open_page, speech, clip_named
):
    page = open_page(quick_server)
    page.add_init_script(NOTE_OPEN_TABS)
    fill_single(page, speech, clip_named("behind.mp4"))
    go_to(page, BATCH)
    page.click("#language")
    expect(page.locator("#batch-submit")).to_have_text("提交批量任务")
    assert page.evaluate("[...window.open_tabs]") == ["batch"]
    go_to(page, SINGLE)
    assert wait_for_video(page, "#single-clip video") == pytest.approx(2, abs=0.2)
    expect(page.locator("#single-preflight [data-state=done]")).to_be_visible()
    go_to(page, HISTORY)
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#history-list")).to_be_visible()
    assert page.evaluate("[...window.open_tabs]") == ["history"]
    go_to(page, BATCH)
    page.evaluate("sessionStorage.setItem('heygem_tab', 'a tab of a former version')")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#single-generate")).to_be_visible()


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
    page.wait_for_function(is_dark)
    again = page.context.new_page()
    page.close()
    again.goto(quick_server.url, wait_until="domcontentloaded")
    again.wait_for_selector("#single-generate")
    assert again.evaluate(is_dark)
    again.click("#theme")
    assert not again.evaluate(is_dark)


def test_what_gradio_says_by_itself_is_said_in_chinese(quick_server, open_page, tmp_path):
    (tmp_path / "notes.txt").write_text("no clip")
    page = open_page(quick_server, locale="zh-CN")
    go_to(page, BATCH)
    page.set_input_files("#batch-clips input[type=file]", tmp_path / "notes.txt")
    expect(page.get_by_test_id("toast-text")).to_contain_text("不接受这种文件：notes.txt。可用的类型：.mp4")
    expect(page.get_by_test_id("toast-body")).not_to_contain_text(re.compile("Error|Invalid|allowed"))


@pytest.mark.parametrize(
    ("locale", "foreign", "trim", "cancel"), [("zh-CN", ENGLISH, "剪裁", "取消"), ("en-US", CHINESE, "Trim", "Cancel")]
)
def test_players_and_their_editors_speak_the_language_of_the_page(
    quick_server, open_page, speech, clip_named, locale, foreign, trim, cancel
):
    page = open_page(quick_server, locale=locale)
    fill_single(page, speech, clip_named("1.mp4"))
    scissors = page.locator(f"#single-speech button[aria-label^={trim}]")  # clips have none
    expect(scissors).to_be_visible()
    page.wait_for_selector("#single-clip video")
    assert leftovers(page, foreign) == []
    for editor in ("#single-speech", "#single-clip"):
        names = page.locator(editor).evaluate(
            "node => [...node.querySelectorAll('[aria-label]')].map((n) => n.ariaLabel)"
        )
        assert len(names) > 3 and [name for name in names if re.search(r"\d\.\d\d", name)] == []
    scissors.click()
    for word in (trim, cancel):
        expect(page.locator("#single-speech").get_by_text(word, exact=True)).to_be_visible()
    assert leftovers(page, foreign) == []


@pytest.mark.parametrize(
    ("locale", "words"), [("zh-CN", "浏览器无法预览此编码"), ("en-US", "The browser cannot show this")]
)
def test_a_clip_that_the_browser_cannot_show_is_said_to_be_no_worse(
    quick_server, open_page, speech, clip_named, tmp_path, locale, words
):
    old = tmp_path / "old.mp4"
    with_sound = ["-i", PRESENTER, "-i", speech, "-c:v", "mpeg4", "-c:a", "aac"]
    subprocess.run([ffmpeg_binary(), "-v", "error", *with_sound, old], check=True)
    page = open_page(quick_server, locale=locale)
    said = "getComputedStyle(document.querySelector('#single-clip'), '::after').content"
    fill_single(page, speech, old)
    page.wait_for_function(f"words => {said}.includes(words)", arg=words)
    page.locator("#single-clip button.icon-button").last.click()
    expect(page.locator("#single-clip video")).to_have_count(0)
    assert page.evaluate(said) == "none"
    page.set_input_files("#single-clip input[type=file]", clip_named("1.mp4"))
    page.wait_for_function("!('unseen' in document.querySelector('#single-clip').dataset)")
