import gradio as gr
import pytest

from heygem.errors import OptionError
from heygem.pipeline.options import RenderOptions
from heygem.ui.options_form import build_options_form, to_options


@pytest.fixture
def values():
    with gr.Blocks(analytics_enabled=False):
        return [field.value for field in build_options_form()]


def test_the_fields_start_with_the_defaults(values):
    assert to_options(*values) == RenderOptions()


def test_an_impossible_face_is_refused(values):
    values[4] = "the tall one"
    with pytest.raises(OptionError, match="the tall one"):
        to_options(*values)


def test_an_emptied_number_counts_as_zero(values):
    values[8] = None
    assert to_options(*values).pads == (0, 0, 0, 0)
