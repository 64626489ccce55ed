"""The open tab is remembered; what comes of it is seen in tests/browser/test_language_page.py."""

import pytest

from heygem.ui.open_tab import OPEN_TAB_SCRIPT

pytestmark = pytest.mark.filterwarnings("default")


def test_the_page_is_told_once_gradio_s_config_is_there_and_before_gradio_reads_it(http):
    html = http.get("/").text
    assert html.index("window.gradio_config = {") < html.index(OPEN_TAB_SCRIPT.decode()) < html.index("</head>")


def test_every_tab_is_remembered_when_it_opens(http):
    config = http.get("/config").json()
    tabs = {part["id"]: part["props"]["id"] for part in config["components"] if part["type"] == "tabitem"}
    told = {
        event["targets"][0][0]: event["js"] for event in config["dependencies"] if event["targets"][0][1] == "select"
    }
    assert len(tabs) == 3 and told.keys() == tabs.keys()
    assert all(f"'{name}'" in told[number] for number, name in tabs.items())
