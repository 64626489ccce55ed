"""Any part of a result, drawn from what is found out once for the whole. Knows nothing of queues or segments."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from types import MappingProxyType

from heygem.batch_memory import BatchMemory
from heygem.enhance.base import FaceEnhancer
from heygem.faces.detect import FaceDetector
from heygem.faces.face import FaceTrack
from heygem.faces.parsing import FaceParser
from heygem.faces.picture import small_jpeg
from heygem.frame import Frame
from heygem.lipsync.base import AudioWindows, LipSyncModel
from heygem.media.audio_file import AudioFile
from heygem.media.ffmpeg_args import Sound
from heygem.media.picture_sums import PictureSums
from heygem.media.video_sink import VideoSink
from heygem.media.video_source import VideoSource
from heygem.pipeline.label import labelled
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.prefetch import prefetch
from heygem.pipeline.progress import Progress, Stage, Viewer
from heygem.pipeline.stages import PARSE_EVERY, Shot, sharpen, speak, with_faces
from heygem.pipeline.tracking import Searcher

_AHEAD_BYTES = 32 * 1024 * 1024
"""Frames held ahead of the networks, and as many ahead of the encoder: 24 at 720p, 10 at 1080p."""

_SHOWN_PX = 480
"""Long side of what a `Viewer` sees."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The loaded models that one job uses, each with the batch size that its device is known to bear."""

    detector: FaceDetector
    detector_batch: BatchMemory
    lips: LipSyncModel
    lips_batch: BatchMemory
    enhancer: FaceEnhancer | None = None
    enhancer_batch: BatchMemory | None = None
    parser: FaceParser | None = None
    identity: str = ""
    """Weights, device and number format. What engines of another identity drew is never joined to what these draw."""

    @property
    def searcher(self) -> Searcher:
        """Who looks for faces, on the device that the lips are on."""
        return Searcher(self.detector, self.detector_batch, self.lips.device)


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording and what the lip engine hears of it. Shared by every clip that it is put to."""

    audio: AudioFile
    windows: AudioWindows


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that decides what the frames of one result look like.

    Each part is drawn from a fresh start, so that it comes out the same whoever drew the parts before it, and when.

    Attributes:
        source: The clip.
        track: Where the face is, for every frame of the clip.
        speech: What is said.
        engines: The loaded models.
        options: The user's choices.
        count: Frames of the file.
        is_labelled: The visible label is drawn.
        first: Number of the file's first frame in the result: 0 but for a preview.
    """

    source: VideoSource
    track: FaceTrack
    speech: Speech
    engines: Engines
    options: RenderOptions
    count: int
    is_labelled: bool
    first: int = 0

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self.source.info.fps

    @property
    def frames_ahead(self) -> int:
        """Frames that one stage may be ahead of the next."""
        return max(2, _AHEAD_BYTES // (self.source.info.width * self.source.info.height * 3 // 2))

    def frames_in(self, seconds: Fraction) -> int:
        """About so many seconds in frames, so that face masks are parsed where they would be without parts."""
        return max(1, ceil(seconds * self.fps / PARSE_EVERY)) * PARSE_EVERY

    def decoded(self, part: range, sums: PictureSums | None = None) -> Generator[tuple[int, Frame], None, None]:
        """The clip's frames for `part` of the result, each with its number in the clip, read ahead on a thread.

        Args:
            part: Numbers of frames of the result, in one piece.
            sums: What is known of the clip's pictures; it makes a late start quick.
        """
        frames = self.source.extended(len(part), self.options.extend, len(self.track), start=part.start, sums=sums)
        return prefetch(frames, self.frames_ahead)

    def sink(
        self, path: Path, audio: AudioFile | Sound | None = None, metadata: Mapping[str, str] = MappingProxyType({})
    ) -> VideoSink:
        """A file for frames of the result; all files of one result can be joined.

        Raises:
            EncodeError: as for `VideoSink`.
        """
        info = self.source.info
        return VideoSink(
            path,
            width=info.width,
            height=info.height,
            fps=info.fps,
            tags=info.tags,
            sample_aspect=info.sample_aspect,
            audio=audio,
            crf=self.options.crf,
            codec=self.options.codec,
            metadata=metadata,
        )

    def draw(
        self,
        part: range,
        sink: VideoSink,
        progress: Progress,
        decoded: Iterator[tuple[int, Frame]] | None = None,
    ) -> None:
        """Draw the frames of `part` into `sink`.

        Args:
            part: Numbers of frames of the result, in one piece.
            sink: Where they go.
            progress: Told of each frame by its number in the file; shown it, if a `Viewer`.
            decoded: The clip's frames from the part's first one on, if the part before left them; else they are read.

        Raises:
            MediaError: the clip cannot be read any more.
            ModelError: the device cannot run the models.
            EncodeError: the frames cannot be written.
            JobUnwound: from `progress`.
        """
        if decoded is None:
            with closing(self.decoded(part)) as own:
                self.draw(part, sink, progress, own)
            return
        viewer = progress if isinstance(progress, Viewer) else None
        # Drawn on a thread of its own: the next batch is drawn while this one gets its label and the encoder takes it.
        with closing(prefetch(self._shots(islice(decoded, len(part)), part.start), self.frames_ahead)) as shots:
            for shot in self._labelled(shots):
                sink.write(shot.frame)
                if viewer is not None:
                    viewer.show(partial(small_jpeg, shot.frame, _SHOWN_PX))
                progress.tick(Stage.DRAWING, shot.index + 1 - self.first, self.count)

    def _shots(self, decoded: Iterable[tuple[int, Frame]], first: int) -> Iterator[Shot]:
        """The frames of the result from number `first` on, in order, without the label."""
        engines, options = self.engines, self.options
        shots = with_faces(decoded, self.track, engines.lips.device, first=first)
        shots = speak(shots, self.speech.windows, engines.lips, engines.lips_batch, fps=self.fps, options=options)
        if engines.enhancer is None or engines.enhancer_batch is None or options.enhancer_strength == 0:
            return shots
        return sharpen(
            shots, engines.enhancer, engines.parser, engines.enhancer_batch, strength=options.enhancer_strength
        )

    def _labelled(self, shots: Iterable[Shot]) -> Iterable[Shot]:
        if not self.is_labelled:
            return shots
        return labelled(
            shots,
            self.options.label_position,
            fps=self.fps,
            duration_s=self.options.label_duration_s,
            sample_aspect=self.source.info.sample_aspect,
        )
