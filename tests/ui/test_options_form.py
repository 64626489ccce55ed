import gradio as gr
import pytest

from heygem.errors import OptionError
from heygem.pipeline.options import RenderOptions
from heygem.ui.options_form import build_options_form, to_options


@pytest.fixture
def values():
    with gr.Blocks(analytics_enabled=False):
        return [field.value for field in build_options_form([])]


def test_the_fields_start_with_the_defaults(values):
    assert to_options(*values) == RenderOptions()


def test_an_impossible_face_is_refused(values):
    values[4] = "the tall one"
    with pytest.raises(OptionError, match="the tall one"):
        to_options(*values)


def test_an_emptied_number_counts_as_zero(values):
    values[8] = None
    assert to_options(*values).pads == (0, 0, 0, 0)


def test_an_empty_label_time_is_the_whole_video_and_a_short_one_is_refused(values):
    assert to_options(*values[:-1], None).label_duration_s is None
    assert to_options(*values[:-1], 5).label_duration_s == 5
    with pytest.raises(OptionError, match="label-duration-s must be 4"):
        to_options(*values[:-1], 3.9)


def test_speakers_stand_beside_the_engines():
    with gr.Blocks(analytics_enabled=False):
        lips = build_options_form(["王芳"])[0]
    assert [value for _, value in lips.choices] == ["auto", "wav2lip", "demo", "王芳"]
