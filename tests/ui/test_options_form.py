import gradio as gr
import pytest

from heygem.errors import OptionError
from heygem.pipeline.options import RenderOptions
from heygem.ui.options_form import build_options_form, from_options, lips_field, to_options
from heygem.ui.text import LABELS


@pytest.fixture
def values():
    with gr.Blocks(analytics_enabled=False):
        _, form = build_options_form(list)
        return [field.value for field in form]


def test_the_fields_start_with_the_defaults(values):
    assert to_options(*values) == RenderOptions()


def test_an_impossible_face_is_refused(values):
    values[4] = "the tall one"
    with pytest.raises(OptionError, match="the tall one"):
        to_options(*values)


def test_an_emptied_number_counts_as_zero(values):
    values[8] = None
    assert to_options(*values).pads == (0, 0, 0, 0)


def test_no_label_time_is_the_whole_video_as_is_said_and_a_short_one_is_refused(values):
    assert to_options(*values[:-1], None).label_duration_s is to_options(*values[:-1], 0).label_duration_s is None
    assert "0 为整段" in LABELS["label_duration_info"].zh and "0: the whole" in LABELS["label_duration_info"].en
    assert to_options(*values[:-1], 5).label_duration_s == 5
    with pytest.raises(OptionError, match=r"标识时长（秒） 必须在 4 到 .*Label shown for \(s\) must be 4 to 86400"):
        to_options(*values[:-1], 3.9)


def test_scripts_call_an_option_otherwise_than_the_page_does():
    with pytest.raises(OptionError, match=r"label-duration-s 必须在.*label-duration-s must be 4"):
        RenderOptions(label_duration_s=3.9)


def test_speakers_are_asked_for_again_when_the_form_is_unfolded():
    speakers = ["王芳"]
    with gr.Blocks(analytics_enabled=False) as page:
        _, form = build_options_form(lambda: speakers)
    assert [value for _, value in form.lips.choices] == ["auto", "wav2lip", "demo", "王芳"]
    speakers.append("Ada")
    [unfold] = page.fns.values()
    assert [event for _, event in unfold.targets] == ["expand"] and unfold.outputs == [form.lips]
    assert [value for _, value in unfold.fn("王芳").choices] == ["auto", "wav2lip", "demo", "王芳", "Ada"]


def test_the_lips_stay_unless_their_speaker_is_gone():
    assert [lips_field(value, ["王芳"]).value for value in ("王芳", "demo", "Ada", "/w/own.pth")] == [
        "王芳", "demo", "auto", "/w/own.pth",
    ]  # fmt: skip


def test_the_options_of_a_job_fill_the_form():
    options = RenderOptions(
        lips="王芳", enhancer="none", enhancer_strength=0.3, mask="box", face="2", extend="loop", smooth="none",
        pads=(1, 2, 3, 4), sync_offset_ms=-40, crf=22, label_position="bottom-left", label_duration_s=5,
    )  # fmt: skip
    filled = from_options(options, ["王芳"])
    values = [getattr(value, "value", value) for value in filled]
    assert to_options(*values) == options
    assert [value for _, value in filled[0].choices] == ["auto", "wav2lip", "demo", "王芳"]


def test_weights_that_a_script_chose_can_be_chosen_again():
    lips, enhancer, *_ = from_options(RenderOptions(lips="/w/own.pth", enhancer="/w/other.pth"), [])
    assert (lips.value, lips.choices[-1][1]) == ("/w/own.pth", "/w/own.pth")
    assert (enhancer.value, enhancer.choices[-1][1]) == ("/w/other.pth", "/w/other.pth")
