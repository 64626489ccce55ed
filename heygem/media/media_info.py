"""What a clip or a sound track is: the facts that all later work goes by. Knows nothing of how they are found."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from heygem.colour_space import ColourSpace
from heygem.media.colour_tags import ColourTags
from heygem.media.orientation import Orientation

ENOUGH = 0.95
"""Share of what a file promises that makes one with a missing or damaged end usable."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a clip is, and how it has to be read.

    Attributes:
        width, height: As read: turned upright, at most 3840 pixels a side if it was above 4096, padded to even.
        shown_width, shown_height: As read, before padding.
        coded_width, coded_height: As stored.
        fps: Pictures per second at which it is read, 5 to 60.
        is_variable_rate: The file has no constant rate of its own.
        duration: Seconds; from the header, or from the pictures' times where it has none.
        estimated_frames: `duration` times `fps`. Headers lie: nothing exact may go by it.
        is_still: The file holds one picture.
        codec, pix_fmt: ffmpeg's names.
        colour: What the values of the frames read from it mean.
        tags: Colour tags of the frames read from it, to be written into a result.
        source_tags: Colour tags of the file.
        is_hdr: Its brightness follows PQ or HLG; it is read tone-mapped.
        is_rgb: It is stored as red, green and blue; it is read as BT.709.
        has_alpha: It is transparent in places; it is read over black.
        orientation: How its pictures are turned.
        sample_aspect: Width of a pixel divided by its height, as shown.
        is_interlaced: Its pictures are two fields each, or some are.
        demuxer, decoder: What ffmpeg must use; a decoder of None is its own choice.
        stream_index: Number of the stream within the file.
        first_picture_s: When the first picture is shown, in seconds after the container's start.
        tracks: Pictures that the file holds beside each other, this one among them.
    """

    width: int
    height: int
    shown_width: int
    shown_height: int
    coded_width: int
    coded_height: int
    fps: Fraction
    is_variable_rate: bool
    duration: Fraction
    estimated_frames: int
    is_still: bool
    codec: str
    pix_fmt: str
    colour: ColourSpace
    tags: ColourTags
    source_tags: ColourTags
    is_hdr: bool
    is_rgb: bool
    has_alpha: bool
    orientation: Orientation
    sample_aspect: Fraction
    is_interlaced: bool
    demuxer: str
    decoder: str | None
    stream_index: int
    first_picture_s: Fraction
    tracks: int

    @property
    def is_downscaled(self) -> bool:
        """It is read smaller than it is stored."""
        return max(self.coded_width, self.coded_height) > max(self.shown_width, self.shown_height)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a sound track is.

    Attributes:
        rate_hz: Samples per second.
        channels: Of the file.
        codec: ffmpeg's name.
        duration: Seconds by the header, None where it has none. Headers lie: `AudioFile` counts.
        demuxer: What ffmpeg must use.
        stream_index: Number of the stream within the file.
        tracks: Sound tracks that the file holds, this one among them.
    """

    rate_hz: int
    channels: int
    codec: str
    duration: Fraction | None
    demuxer: str
    stream_index: int
    tracks: int
