from pathlib import Path

import numpy as np

from heygem.media.audio_file import AudioFile
from heygem.media.wav_file import write_wav


def test_what_was_written_is_read(tmp_path: Path) -> None:
    sound = np.sin(np.arange(8_001) / 9).astype(np.float32) * 1.2
    write_wav(tmp_path / "sound.wav", sound, 8_000)
    audio = AudioFile(tmp_path / "sound.wav")
    read = np.concatenate(list(audio.pieces(8_000)))
    assert (audio.info.rate_hz, audio.info.channels, audio.samples) == (8_000, 1, 8_001)
    np.testing.assert_allclose(read, sound.clip(-1, 1), atol=1e-4)
