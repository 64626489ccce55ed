import struct
from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
import pytest

from heygem.errors import MediaError
from heygem.media import audio_file
from heygem.media.audio_file import AudioFile


def float_wav(path: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    data = samples.astype("<f4").tobytes()
    header = struct.pack("<IHHIIHH", 16, 3, 1, rate, rate * 4, 4, 32)
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + header
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )
    return path


def sound(path: Path, rate_hz: int = 16000) -> np.ndarray:
    return np.concatenate(list(AudioFile(path).pieces(rate_hz)))


def code_of(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        AudioFile(path)
    assert caught.value.text.zh and caught.value.text.en
    return caught.value.code


def test_length_is_exact(speech: Path):
    file = AudioFile(speech)
    assert (file.samples, file.duration, file.info.rate_hz) == (19752, Fraction(19752, 16000), 16000)


def test_samples_at_the_own_rate_pass_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audio_file, "PIECE_S", 1)
    wave = np.random.RandomState(0).uniform(-1, 1, 40001).astype(np.float32)
    path = float_wav(tmp_path / "w.wav", wave)
    pieces = list(AudioFile(path).pieces(16000))
    assert max(len(piece) for piece in pieces) <= 16000
    assert np.array_equal(np.concatenate(pieces), wave)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (48000, 1), (8000, 1), (22050, 3)])
def test_resampling_is_librosas(make, heard, monkeypatch: pytest.MonkeyPatch, rate: int, channels: int):
    monkeypatch.setattr(audio_file, "PIECE_S", 1)
    path = make(f"n{rate}.wav", "-f", "lavfi", "-i", f"anoisesrc=r={rate}:d=2.7003:a=0.5:seed=3", "-ac", str(channels))
    whole = librosa.resample(
        librosa.to_mono(heard(path, channels).T), orig_sr=rate, target_sr=16000, res_type="soxr_hq"
    )
    ours = sound(path)
    assert len(ours) == len(whole)
    assert np.abs(ours - whole).max() < 1e-4
    assert ours.dtype == np.float32


def test_a_mix_of_channels_is_their_mean(make):
    path = make("lr.wav", "-f", "lavfi", "-i", "aevalsrc=0.5|0.1:s=16000:d=0.5", "-c:a", "pcm_f32le")
    assert np.allclose(sound(path), 0.3, atol=1e-6)


def test_the_sound_of_a_video(make, speech: Path, heard):
    path = make("talk.mkv", "-f", "lavfi", "-i", "testsrc2=s=96x64:d=1", "-i", speech, "-c:a", "flac")
    assert AudioFile(path).samples == 19752
    assert np.array_equal(sound(path), heard(speech)[:, 0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_numbers(tmp_path: Path, value: float):
    wave = np.zeros(16000, np.float32)
    wave[500] = value
    assert code_of(float_wav(tmp_path / "nan.wav", wave)) == "nan_samples"


def test_too_short(tmp_path: Path):
    assert code_of(float_wav(tmp_path / "short.wav", np.zeros(3199))) == "audio_too_short"
    assert AudioFile(float_wav(tmp_path / "just.wav", np.zeros(3200))).samples == 3200


def test_a_header_that_lies_is_not_believed(tmp_path: Path):
    header = struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    path = tmp_path / "liar.wav"
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", 0xFFFFFFF0)
        + b"WAVEfmt "
        + header
        + b"data"
        + struct.pack("<I", 0xFFFFFFC0)
        + bytes(20000)
    )
    assert AudioFile(path).samples == 10000


def test_no_sound(clip: Path):
    assert code_of(clip) == "no_audio_stream"


def test_a_name_of_any_kind(tmp_path: Path, speech: Path):
    path = tmp_path / "-语 音 'a\".1.wav"
    path.write_bytes(speech.read_bytes())
    assert AudioFile(path).samples == 19752
