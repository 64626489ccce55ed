"""Drawing and encoding at the same time, and that neither outlives the other."""

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from heygem.batch_memory import BatchMemory
from heygem.errors import JobCancelled
from heygem.faces.detections import find_faces
from heygem.faces.picture import small_jpeg
from heygem.faces.track import build_track
from heygem.frame import Frame
from heygem.lipsync.base import Drawn
from heygem.media.video_source import VideoSource
from heygem.pipeline.drawing import Drawing, Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent, Stage
from stand_ins import Parrot, Spotter

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"
BATCH = 4
COUNT = 14


class Lips(Parrot):
    """Tells when it has begun its second batch."""

    def __init__(self) -> None:
        super().__init__()
        self.is_at_second = threading.Event()

    def draw(self, faces: object, heard: object) -> Drawn:
        if self.batches:
            self.is_at_second.set()
        return super().draw(faces, heard)  # type: ignore[arg-type]


class Sink:
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


@pytest.fixture
def lips() -> Lips:
    return Lips()


@pytest.fixture
def drawing(lips: Lips) -> Drawing:
    source, detector = VideoSource(PRESENTER), Spotter()
    found = find_faces(source.frames(), detector, on_batch=lambda done: None)
    engines = Engines(detector, BatchMemory(3), lips, BatchMemory(BATCH))
    speech = Speech(None, lips.listen([], tail="silence"))  # type: ignore[arg-type]
    track = build_track(found, face="largest", smooth="none", fps=Fraction(25))
    return Drawing(source, track, speech, engines, RenderOptions(), COUNT, is_labelled=False)


def prefetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_the_next_batch_is_drawn_while_the_first_is_encoded(drawing: Drawing, lips: Lips) -> None:
    sink = Sink()

    class Encoder(Silent):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            assert lips.is_at_second.wait(timeout=30)

    drawing.draw(range(COUNT), sink, Encoder())  # type: ignore[arg-type]
    assert len(sink.frames) == COUNT
    assert lips.batches == [1, 4, 4, 4, 1]
    assert not prefetch_threads()


def test_stopping_ends_both_threads_before_it_is_told(drawing: Drawing) -> None:
    class Stopped(Silent):
        def tick(self, stage: Stage, done: int, total: int | None = None) -> None:
            if done == 3:
                raise JobCancelled

    sink = Sink()
    with pytest.raises(JobCancelled):
        drawing.draw(range(COUNT), sink, Stopped())  # type: ignore[arg-type]
    assert len(sink.frames) == 3
    assert not prefetch_threads()


def test_an_error_of_the_engine_arrives_after_the_frames_before_it(drawing: Drawing, lips: Lips) -> None:
    draw = lips.draw

    def failing(faces: object, heard: object) -> Drawn:
        if len(lips.batches) == 2:
            raise RuntimeError("boom")
        return draw(faces, heard)

    lips.draw = failing  # type: ignore[method-assign]
    sink = Sink()
    with pytest.raises(RuntimeError, match="boom"):
        drawing.draw(range(COUNT), sink, Silent())  # type: ignore[arg-type]
    assert len(sink.frames) == 1 + BATCH
    assert not prefetch_threads()


def test_who_watches_is_shown_each_frame_as_it_is_encoded(drawing: Drawing) -> None:
    class Watching(Silent):
        def __init__(self) -> None:
            self.pictures: list[bytes] = []

        def show(self, picture: Callable[[], bytes]) -> None:
            self.pictures.append(picture())

    sink, watching = Sink(), Watching()
    drawing.draw(range(3), sink, watching)  # type: ignore[arg-type]
    assert watching.pictures == [small_jpeg(frame, 480) for frame in sink.frames]
    assert len(set(watching.pictures)) == 3
