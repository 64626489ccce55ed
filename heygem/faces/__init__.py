"""Find faces, follow one through a clip, cut it out and put it back."""

from typing import Literal, TypeAlias

Smoothing: TypeAlias = Literal["steady", "wav2lip", "none"]
"""How boxes and landmarks are smoothed over time."""

MaskShape: TypeAlias = Literal["mouth", "lower-face", "box"]
"""What of a drawn crop is shown: mouth or lower face with soft edges, or all of it with hard ones."""
