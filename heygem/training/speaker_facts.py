"""What is known of a speaker's model, as it lies beside the model. Knows no torch: lists are drawn from it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heygem.errors import Notice, Text

log = logging.getLogger(__name__)

FACTS = "speaker.json"
"""Name of the file in a speaker's folder."""


@dataclass(frozen=True, slots=True)
class SpeakerFacts:
    """How a model was made, and what it reached on the part of the clip that was not learnt from.

    Attributes:
        name: Of the speaker.
        clip: What the user calls the clip.
        made_s: When, seconds since the epoch.
        job: Id of the job that made it; empty where none did.
        offset_ms: By how much the clip's sound came later than its lips, which was corrected.
        r: Correlation of the drawn mouths with the truth's.
        default_r: The same of the embedded default.
        psnr_db: Of the drawn mouths against the truth.
        default_psnr_db: The same of the embedded default.
        silence_psnr_db: Of this model when it hears silence.
        shifted_psnr_db: Of this model when it hears the sound of another moment.
        samples: That it was shown until it was best.
        notices: What to know of it.
    """

    name: str
    clip: str
    made_s: float
    job: str
    offset_ms: int
    r: float
    default_r: float
    psnr_db: float
    default_psnr_db: float
    silence_psnr_db: float
    shifted_psnr_db: float
    samples: int
    notices: tuple[Notice, ...] = ()

    @property
    def summary(self) -> Text:
        """The figures, in a sentence or two."""
        offset = f"{self.offset_ms:+d}"
        return Text(
            f"说话人 {self.name}：声音相对口型 {offset} 毫秒，已校正。未学过的部分：相关系数 r {self.r:.2f}"
            f"（内置模型 {self.default_r:.2f}）；嘴部 PSNR {self.psnr_db:.2f} dB"
            f"（内置模型 {self.default_psnr_db:.2f}），"
            f"听静音 {self.silence_psnr_db:.2f}，听错开 1 秒的声音 {self.shifted_psnr_db:.2f}。",
            f"Speaker {self.name}: sound {offset} ms after the lips, corrected. On the part not learnt from: r "
            f"{self.r:.2f} (built-in model {self.default_r:.2f}); mouth PSNR {self.psnr_db:.2f} dB (built-in model "
            f"{self.default_psnr_db:.2f}), hearing silence {self.silence_psnr_db:.2f}, hearing the sound of a second "
            f"later {self.shifted_psnr_db:.2f}.",
        )


def write_facts(facts: SpeakerFacts, folder: Path) -> None:
    """Write them into a speaker's folder."""
    (folder / FACTS).write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def read_facts(folder: Path) -> SpeakerFacts | None:
    """What lies in a speaker's folder; None where nothing does, or what another version wrote."""
    try:
        return _facts(json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        log.debug("%s: no facts that can be read", folder)
        return None


def _facts(plain: Mapping[str, Any]) -> SpeakerFacts:
    notices = tuple(Notice(code, Text(*text), Text(*hint)) for code, text, hint in plain["notices"])
    return SpeakerFacts(**{**plain, "notices": notices})
