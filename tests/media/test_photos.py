"""Photos as phones and cameras write them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.media.intake import ClipIntake
from heygem.media.limits import Limits
from heygem.media.video_source import VideoSource


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("exif", [1, 5, 6])
def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path, kind: str, exif: int):
    """Bright at the left and with a mark at the top, as seen by who turns it upright."""
    upright = np.full((96, 128, 3), 60, np.uint8)
    upright[:, :40], upright[:10] = 160, 230
    stored = {1: upright, 5: upright.transpose(1, 0, 2), 6: np.rot90(upright)}[exif]
    tags = Image.Exif()
    tags[0x112] = exif
    path = tmp_path / f"photo.{kind}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=tags)
    (frame,) = VideoSource(path).frames()
    assert (frame.width, frame.height) == (128, 96)
    seen = [float(part.float().mean()) for part in (frame.y[:8], frame.y[14:, :36], frame.y[14:, 44:])]
    assert seen[0] > seen[1] + 30 > seen[2] + 60


def test_of_a_photo_with_more_pictures_in_it_the_first_is_taken(tmp_path: Path):
    """As phones write them: the photo, and beside it what of it shines."""
    path = tmp_path / "photo.jpg"
    red = np.random.default_rng(0).integers(0, 60, (240, 320, 3), np.uint8) + np.array((150, 0, 0), np.uint8)
    Image.fromarray(red).save(path, format="MPO", save_all=True, append_images=[Image.new("L", (80, 60), 128)])
    taken = ClipIntake(Limits(max_speech_s=60, max_clip_s=60, max_file_mb=8)).take(path)
    assert taken.info.is_still and [notice.code for notice in taken.notices] == ["still_picture"]
    (frame,) = VideoSource(path).frames()
    assert (frame.width, frame.height) == (320, 240)
    assert frame.v.float().mean() > 200
