"""A labelled result, and everything that can happen to it on its way."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from certificates import write_chain

from heygem.errors import MediaError, SettingsError
from heygem.frame import Frame
from heygem.jobs.marking import Marking
from heygem.jobs.result_manifest import manifest_of, write_manifest
from heygem.jobs.verify_result import is_labelled, verify_result
from heygem.media import c2pa_signature
from heygem.media.aigc import FIELDS, KEY
from heygem.media.colour_tags import ColourTags
from heygem.media.ffmpeg_binary import ffmpeg_binary
from heygem.media.video_sink import VideoSink
from heygem.pipeline.label import Label
from heygem.settings import Settings

needs_c2pa = pytest.mark.skipif(find_spec("c2pa") is None, reason="requirements-c2pa.txt is not installed")
WIDTH, HEIGHT = 320, 180


def write_result(path: Path, marking: Marking, corner="top-right") -> Path:
    """A second of noise, marked as the pipeline does."""
    noise = np.random.default_rng(0)
    colour = ColourTags().meaning(WIDTH, HEIGHT)
    label = Label(WIDTH, HEIGHT, colour, corner)
    sink = VideoSink(
        path, width=WIDTH, height=HEIGHT, fps=Fraction(25), tags=ColourTags(), audio=None,
        metadata=marking.metadata("job-1"),
    )  # fmt: skip
    with sink:
        for _ in range(10):
            data = torch.from_numpy(noise.integers(16, 236, WIDTH * HEIGHT * 3 // 2, np.uint8))
            frame = Frame(data, WIDTH, HEIGHT, colour)
            if marking.is_visible:
                label.draw(frame)
            sink.write(frame)
    marking.sign(path)
    signed = marking.signer is not None
    facts = {"label": {"visible": marking.is_visible, "aigc": marking.fields("job-1"), "c2pa": signed}}
    write_manifest(path, facts)
    return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("pristine") / "result.mp4", Marking.of(Settings()))


@pytest.fixture
def result(pristine: Path, tmp_path: Path) -> Path:
    """A copy to do things to, with its manifest."""
    shutil.copy(manifest_of(pristine), tmp_path)
    return Path(shutil.copy(pristine, tmp_path))


def ffmpeg(source: Path, target: Path, *options: str) -> Path:
    subprocess.run([ffmpeg_binary(), "-v", "error", "-i", source, *options, target], check=True)
    return target


def codes(path: Path) -> list[str]:
    return [check.code for check in verify_result(path)]


def found(path: Path) -> bool:
    return is_labelled(verify_result(path))


def test_a_result_bears_every_mark(result: Path) -> None:
    assert codes(result)[:3] == ["aigc_found", "label_visible", "hash_same"] and found(result)


def test_ffmpeg_reads_the_seven_fields_back(result: Path, tmp_path: Path) -> None:
    written = ffmpeg(result, tmp_path / "metadata.txt", "-f", "ffmetadata").read_text(encoding="utf-8")
    [line] = [line for line in written.splitlines() if line.startswith("AIGC=")]
    fields = json.loads(line.removeprefix("AIGC=").replace("\\=", "="))
    assert tuple(fields) == FIELDS
    assert all(isinstance(value, str) for value in fields.values())
    assert fields["Label"] == "1"
    assert fields["ContentProducer"] == fields["ContentPropagator"] == "HeyGem"
    assert fields["ProduceID"] == fields["PropagateID"] == "job-1"
    assert "comment=AI生成 / AI-generated" in written


@pytest.mark.parametrize("corner", ["top-left", "bottom-right"])
def test_the_label_is_found_in_other_corners(tmp_path: Path, corner) -> None:
    [_, label, *_] = verify_result(write_result(tmp_path / "r.mp4", Marking.of(Settings()), corner))
    assert label.code == "label_visible" and corner in label.text.en


def test_a_remux_that_drops_the_metadata_is_noticed(result: Path, tmp_path: Path) -> None:
    bare = ffmpeg(result, tmp_path / "bare.mp4", "-c", "copy")
    assert codes(bare)[:3] == ["aigc_missing", "label_visible", "manifest_none"] and not found(bare)


@pytest.mark.parametrize(("name", "options"), [("kept.mp4", ["-movflags", "use_metadata_tags"]), ("kept.mkv", [])])
def test_a_remux_that_keeps_it_is_as_good(result: Path, tmp_path: Path, name: str, options: list[str]) -> None:
    kept = ffmpeg(result, tmp_path / name, "-c", "copy", *options)
    assert codes(kept)[:3] == ["aigc_found", "label_visible", "manifest_none"] and found(kept)


@pytest.mark.parametrize("scale", ["0.5", "1.5"])
def test_a_smaller_or_larger_copy_still_shows_the_label(result: Path, tmp_path: Path, scale: str) -> None:
    copy = ffmpeg(
        result, tmp_path / "copy.mp4", "-vf", f"scale=trunc(iw*{scale}/2)*2:-2", "-crf", "32",
        "-movflags", "use_metadata_tags",
    )  # fmt: skip
    assert codes(copy)[1] == "label_visible" and found(copy)


@pytest.mark.parametrize("change", ["crop=iw:ih*0.7:0:ih*0.3", "drawbox=w=iw:h=ih*0.3:t=fill:color=gray", "boxblur=20"])
def test_a_label_that_was_cut_off_or_covered_is_missed(result: Path, tmp_path: Path, change: str) -> None:
    hidden = ffmpeg(result, tmp_path / "hidden.mp4", "-vf", change, "-movflags", "use_metadata_tags")
    assert codes(hidden)[:2] == ["aigc_found", "label_not_visible"] and not found(hidden)


def test_a_changed_byte_is_noticed(result: Path) -> None:
    content = bytearray(result.read_bytes())
    content[-100] ^= 1
    result.write_bytes(content)
    assert "hash_differs" in codes(result) and not found(result)


@pytest.mark.parametrize(("change", "code"), [({}, "aigc_found"), ({"Label": "4"}, "aigc_malformed")])
def test_the_fields_are_held_to_the_standard_in_either_form(
    result: Path, tmp_path: Path, change: dict[str, str], code: str
) -> None:
    text = json.dumps({KEY: Marking.of(Settings()).fields("job-1") | change})
    other = ffmpeg(
        result, tmp_path / "other.mp4", "-c", "copy", "-movflags", "use_metadata_tags", "-metadata", f"AIGC={text}"
    )
    assert codes(other)[0] == code and found(other) == (code == "aigc_found")


def test_a_label_that_the_operator_switched_off_is_told_and_not_missed(tmp_path: Path) -> None:
    marking = Marking.of(Settings(visible_label=False))
    assert [notice.code for notice in marking.notices] == ["label_off"]
    path = write_result(tmp_path / "off.mp4", marking)
    assert codes(path)[:3] == ["aigc_found", "label_switched_off", "hash_same"] and found(path)
    # Only for the very file that the manifest speaks of.
    with path.open("ab") as file:
        file.write(bytes(9))
    assert codes(path)[1:3] == ["label_not_visible", "hash_differs"]
    manifest_of(path).unlink()
    assert codes(path)[1:3] == ["label_not_visible", "manifest_none"] and not found(path)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("notes")
    with pytest.raises(MediaError):
        verify_result(path)


@pytest.mark.parametrize("name", ["my service", "某公司", 'a"b', "a\\b", ""])
def test_a_producer_that_the_standard_does_not_allow_is_refused_at_start(name: str) -> None:
    with pytest.raises(SettingsError, match="HEYGEM_CONTENT_PRODUCER"):
        Marking.of(Settings(content_producer=name))


def test_half_of_a_certificate_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="belong together"):
        Marking.of(Settings(c2pa_cert=tmp_path / "chain.pem"))


def test_a_certificate_without_the_package_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c2pa_signature, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="c2pa-python is missing") as refused:
        Marking.of(Settings(c2pa_cert=tmp_path / "chain.pem", c2pa_key=tmp_path / "key.pem"))
    assert "requirements-c2pa.txt" in refused.value.hint.en


@needs_c2pa
def test_a_signed_result_is_valid_until_it_is_touched(tmp_path: Path) -> None:
    certificate, key = write_chain(tmp_path)
    path = write_result(tmp_path / "signed.mp4", Marking.of(Settings(c2pa_cert=certificate, c2pa_key=key)))
    checks = verify_result(path)
    assert [check.code for check in checks] == ["aigc_found", "label_visible", "hash_same", "c2pa_valid"]
    assert "HeyGem tests" in checks[-1].text.en and "not on a list" in checks[-1].text.en
    assert is_labelled(checks)
    assert list(tmp_path.glob(".*")) == []
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    assert codes(path)[2:] == ["hash_differs", "c2pa_invalid"]
    ffmpeg(path, tmp_path / "remuxed.mp4", "-c", "copy", "-movflags", "use_metadata_tags").replace(path)
    assert codes(path)[2:] == ["hash_differs", "c2pa_missing"]


@needs_c2pa
def test_an_unusable_certificate_is_refused_at_start(tmp_path: Path) -> None:
    for name in ("one", "other", "old"):
        (tmp_path / name).mkdir()
    (certificate, key), (_, other_key) = write_chain(tmp_path / "one"), write_chain(tmp_path / "other")
    old, old_key = write_chain(tmp_path / "old", days=-1)
    assert Marking.of(Settings(c2pa_cert=certificate, c2pa_key=key)).signer is not None
    for one, its_key, why in (
        (certificate, tmp_path / "absent.pem", "No such file"),
        (certificate, certificate, "key"),
        (certificate, other_key, "the key is not the certificate's"),
        (old, old_key, "the certificate expired"),
    ):
        with pytest.raises(SettingsError, match=f"cannot be used: .*{why}"):
            Marking.of(Settings(c2pa_cert=one, c2pa_key=its_key))


@needs_c2pa
def test_a_result_that_nobody_signed_needs_no_signature(result: Path) -> None:
    assert codes(result)[3] == "c2pa_none" and found(result)
