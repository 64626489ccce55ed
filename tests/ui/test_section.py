"""Headings of the parts of a tab."""

from heygem.ui.section import clip_hint


def test_the_size_that_is_taken_is_that_of_the_settings():
    assert clip_hint(2048).en.endswith("up to 2 GB each") and clip_hint(2048).zh.endswith("2 GB")
    assert clip_hint(1500).en.endswith("up to 1500 MB each")
    assert "1 MB" in clip_hint(1).zh
