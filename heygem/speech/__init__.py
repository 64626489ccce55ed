"""From sound to what a lip engine hears. Reads no files."""

from typing import Literal, TypeAlias

Tail: TypeAlias = Literal["silence", "wav2lip"]
"""What windows that reach past the end of a recording hear: silence, or the last full window once more."""
