"""What the page says of missing weights and of their downloads."""

import re
from dataclasses import replace

import pytest

from heygem.errors import DownloadError, Text
from heygem.settings import Settings
from heygem.ui.models_part import missing_weights
from heygem.ui.weights_view import weights_card
from heygem.weights.download_desk import Download
from heygem.weights.manifest import CHECKPOINTS

WAV2LIP, GFPGAN = CHECKPOINTS["wav2lip"], CHECKPOINTS["gfpgan"]


def test_what_is_missing_is_listed(tmp_path):
    settings = Settings(models_dir=tmp_path)
    missing = missing_weights(settings)
    names = ["wav2lip", "gfpgan", "retinaface-resnet50", "retinaface-mobile0.25", "parsenet"]
    assert [one.name for one in missing] == names
    (tmp_path / "Wav2Lip-SD-GAN.pt").touch()
    (tmp_path / "mobilenet0.25_Final.pth").touch()
    left = missing_weights(replace(settings, gfpgan_file=tmp_path / "own.pth"))
    assert [one.name for one in left] == ["retinaface-resnet50", "parsenet"]
    assert weights_card([], {}) == ""


def test_the_licence_stands_before_the_button():
    html = weights_card([WAV2LIP, GFPGAN], {})
    rows = html.split("<li")[1:]
    for row, words in zip(rows, ("research and personal use only", "non-commercial"), strict=True):
        assert 0 < row.index(words) < row.index('data-act="download"')
    assert html.index("non-commercial") < html.index("download-all")
    assert "python -m heygem models download gfpgan<" in html and "<details open" not in html
    assert "784 MB" in html


def test_all_are_offered_where_more_than_one_is_left():
    assert "download-all" not in weights_card([WAV2LIP], {})
    html = weights_card([WAV2LIP, GFPGAN, CHECKPOINTS["parsenet"]], {"wav2lip": Download()})
    assert "434 MB</button>" in html  # of the two others
    assert "download-all" not in weights_card([WAV2LIP, GFPGAN], {"wav2lip": Download()})


def test_a_download_shows_how_far_it_is():
    html = weights_card([WAV2LIP], {"wav2lip": Download(is_begun=True, done=217_900_932, rate=5.25e6)})
    assert 'role="progressbar"' in html and 'aria-valuenow="50"' in html and "wav2lip_gan.pth" in html
    assert "217.9 / 436 MB · 5.2 MB/s" in html and " open>" in html
    assert 'data-act="cancel"' in html and 'data-act="download"' not in html


@pytest.mark.parametrize(
    ("download", "words"),
    [
        (Download(), "waits"),
        (Download(is_begun=True, done=WAV2LIP.bytes), "verifying"),
        (Download(is_begun=True, is_ending=True, done=5), "stopping"),
    ],
)
def test_what_it_is_at_is_said(download, words):
    html = weights_card([WAV2LIP], {"wav2lip": download})
    assert words in html and "MB/s" not in html
    assert ("disabled" in html) == download.is_ending


def test_why_it_failed_is_said_beside_it_and_it_can_be_tried_again():
    error = DownloadError(Text("断网。", "Offline <b>."), hint=Text("请联网。", "Connect."))
    html = weights_card([WAV2LIP, GFPGAN], {"gfpgan": Download(error=error)})
    row = html.split("<li")[2]
    assert "Offline &lt;b&gt;." in row and "Connect." in row and 'role="alert"' in row
    assert len(re.findall('data-act="download"', html)) == 2 and " open>" in html
