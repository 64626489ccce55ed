"""Joins models and pipeline: one clip and one recording to one video and its manifest. Knows nothing of queues."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from heygem import __version__
from heygem.batch_memory import BatchMemory
from heygem.device import Placement
from heygem.errors import JobCancelled, Notice, Text
from heygem.faces.track import gaps
from heygem.faces.track_cache import DetectionCache
from heygem.jobs.choose_engines import Chosen, ChosenEngines, choose_engines
from heygem.jobs.known_clips import KnownClips
from heygem.jobs.marking import Marking
from heygem.jobs.notices import face_notices, length_notices
from heygem.jobs.result_manifest import write_manifest
from heygem.lipsync.base import AudioWindows, LipSyncModel
from heygem.media.audio_file import AudioFile
from heygem.media.intake import TakenClip, TakenSpeech, take_speech
from heygem.media.limits import Limits
from heygem.model_manager import Lease, ModelManager
from heygem.pipeline.drawing import Engines, Speech
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.preview import render_preview
from heygem.pipeline.progress import Progress, Stage
from heygem.pipeline.render import Report, render
from heygem.pipeline.shares import WHOLE, Share
from heygem.settings import Settings
from heygem.speech.windows import MelWindows

log = logging.getLogger(__name__)

_RECORDINGS_KEPT = 4
"""Recordings whose features stay in memory: 1.5 MB a minute each."""

_HEARD = "heard"
_GROUNDWORK_BYTES = 1 << 30
"""More than one clip's faces ever take."""


@dataclass(frozen=True, slots=True)
class Produced:
    """What a job left.

    Attributes:
        output: The video.
        manifest: The file beside it that says how it was made.
        summary: Which engines and weights ran, under which licence.
        notices: What to know of the result.
        report: What the pipeline did.
        part_s: Which seconds of the whole result it shows, if it is a preview.
    """

    output: Path
    manifest: Path
    summary: Text
    notices: tuple[Notice, ...]
    report: Report
    part_s: tuple[float, float] | None


class Producer:
    """Makes videos. What one recording sounds like to a lip engine is found out once and shared by its clips.

    Args:
        models: Lends the networks.
        settings: Where weights and the cache of face tracks lie.
        placement: Device and number format.
        clips: What others know of clips; None: there are no others.
    """

    def __init__(
        self, models: ModelManager, settings: Settings, placement: Placement, clips: KnownClips | None = None
    ) -> None:
        self._models = models
        self._settings = settings
        self._placement = placement
        self._marking = Marking.of(settings)
        self._clips = clips or KnownClips(settings)
        self._heard: OrderedDict[tuple[object, ...], AudioWindows] = OrderedDict()
        self._guard = threading.Lock()

    def produce(
        self,
        video: Path,
        audio: Path,
        output: Path,
        options: RenderOptions,
        progress: Progress,
        *,
        clip_name: str = "",
        speech_name: str = "",
        content_id: str = "",
        is_preview: bool = False,
        share: Share = WHOLE,
        groundwork: Path | None = None,
    ) -> Produced:
        """Write `output`, and a manifest beside it with the suffix ``.json``.

        Args:
            video: The clip.
            audio: The recording, or a video with sound.
            output: The video to make.
            options: The user's choices.
            progress: Somebody who watches.
            clip_name: What the user calls the clip; empty: the file's name.
            speech_name: Likewise.
            content_id: Unique name of the result, for its metadata; empty: a new one.
            is_preview: Make only its hardest few seconds.
            share: What to draw, if several draw it.
            groundwork: A folder where those find and leave what needs to be found out once: the clip's faces, and what
                the lip engine hears; None: nobody shares.

        Raises:
            HeyGemError: it could not be done; nothing is left of `output`.
            ShareDrawn: as for `render`.
            JobCancelled: from `progress`.
        """
        clip_name, speech_name = clip_name or video.name, speech_name or audio.name
        content_id = content_id or uuid4().hex
        started = time.monotonic()
        progress.tick(Stage.LOADING, 0)

        speech, clip = self._judged(audio, video, progress)
        recording = speech.audio
        chosen = choose_engines(options, self._settings, self._placement)
        with self._lent(chosen) as (engines, leases):
            progress.tick(Stage.LISTENING, 0)
            heard = None if groundwork is None else groundwork / _HEARD
            windows = self._windows(recording, engines.lips, leases["lips"], options, heard)
            log.info("%s + %s: %.2f s of speech", clip_name, speech_name, float(recording.duration))
            report = (render_preview if is_preview else partial(render, share=share))(
                video,
                Speech(recording, windows),
                output,
                engines=engines,
                options=options,
                cache=self._clips.tracks if groundwork is None else DetectionCache(groundwork, _GROUNDWORK_BYTES),
                progress=progress,
                is_labelled=self._marking.is_visible,
                metadata=self._marking.metadata(content_id),
            )
            hashes = {kind: lease.sha256 for kind, lease in leases.items()}
        with _whole(output):
            self._marking.sign(output)
        part_s = _seconds_of(report, recording) if is_preview else None
        notices = [
            *speech.notices,
            *clip.notices,
            *length_notices(clip.info, recording, options.extend),
            *(Notice(f"{kind}_engine", engine.note) for kind, engine in _all(chosen).items() if engine.note.en),
            *face_notices(report.track),
            *self._marking.notices,
        ]
        facts = {
            "heygem": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            **asked_for(clip_name, speech_name, options),
            "speech_s": float(recording.duration),
            "preview": None if part_s is None else {"from_s": part_s[0], "to_s": part_s[1]},
            "label": self._marking.facts(content_id),
            "placement": str(self._placement),
            "engines": _engine_facts(chosen, hashes),
            "frames": report.frames,
            "fps": str(report.fps),
            "size": [report.width, report.height],
            "face_coverage": round(report.track.coverage, 4),
            "faceless_s": gaps(report.track, report.fps),
            "notices": [{"code": notice.code, **notice.text._asdict()} for notice in notices],
            "seconds": {
                "all": round(time.monotonic() - started, 3),
                "tracking": round(report.tracking_s, 3),
                "drawing": round(report.drawing_s, 3),
            },
        }
        with _whole(output):
            manifest = write_manifest(output, facts)
        engines_line = _engines_line(chosen, hashes)
        seconds = time.monotonic() - started
        log.info("%s: %d frames in %.1f s by %s", output.name, report.frames, seconds, engines_line.en)
        for notice in notices:
            log.warning("%s", notice.text)
        return Produced(output, manifest, engines_line, tuple(notices), report, part_s)

    def _judged(self, audio: Path, video: Path, progress: Progress) -> tuple[TakenSpeech, TakenClip]:
        """Both files, judged side by side: neither keeps the cores busy. Where both are bad, the recording is told."""
        one_at_a_time, is_unwanted = threading.Lock(), threading.Event()
        done = 0

        def tick(decoded: int) -> None:
            nonlocal done
            with one_at_a_time:
                # Counted: for the watchdog, a long clip stands still otherwise.
                done = max(done, decoded)
                progress.tick(Stage.LOADING, done)

        def on_picture(decoded: int) -> None:
            if is_unwanted.is_set():
                raise JobCancelled
            tick(decoded)

        with ThreadPoolExecutor(1, "judge") as beside:
            clip = beside.submit(copy_context().run, self._clips.intake.take, video, on_picture)
            try:
                return take_speech(audio, Limits.of(self._settings), lambda: tick(0)), clip.result()
            except BaseException:
                is_unwanted.set()  # or all of a long clip would be waited for
                raise

    @contextmanager
    def _lent(self, chosen: ChosenEngines) -> Iterator[tuple[Engines, dict[str, Lease[Any]]]]:
        with ExitStack() as stack:
            lips = stack.enter_context(self._models.lease(chosen.lips.spec))
            detector = stack.enter_context(self._models.lease(chosen.detector.spec))
            leases: dict[str, Lease[Any]] = {"lips": lips, "detector": detector}
            enhancer = parser = None
            if chosen.enhancer is not None:
                enhancer = leases["enhancer"] = stack.enter_context(self._models.lease(chosen.enhancer.spec))
            if chosen.parser is not None:
                parser = leases["parser"] = stack.enter_context(self._models.lease(chosen.parser.spec))
            yield (
                Engines(
                    detector=detector.model,
                    detector_batch=_batch(detector, chosen.detector),
                    lips=lips.model,
                    lips_batch=_batch(lips, chosen.lips),
                    enhancer=enhancer.model if enhancer else None,
                    enhancer_batch=_batch(enhancer, chosen.enhancer) if enhancer and chosen.enhancer else None,
                    parser=parser.model if parser else None,
                    identity=" ".join([str(self._placement), *(lease.sha256 for lease in leases.values())]),
                ),
                leases,
            )

    def _windows(
        self,
        recording: AudioFile,
        lips: LipSyncModel,
        lease: Lease[LipSyncModel],
        options: RenderOptions,
        shared: Path | None,
    ) -> AudioWindows:
        if shared is not None and shared.exists():
            return MelWindows.load(shared)
        file = recording.path.stat()
        key = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, lease.sha256, options.tail)
        with self._guard:
            if key in self._heard:
                self._heard.move_to_end(key)
                return self._heard[key]
        windows = lips.listen(recording.pieces(lips.sample_rate_hz), tail=options.tail)
        if shared is not None and isinstance(windows, MelWindows):  # what else may be heard, each finds out
            windows.save(shared)
        with self._guard:
            self._heard[key] = windows
            while len(self._heard) > _RECORDINGS_KEPT:
                self._heard.popitem(last=False)
        return windows


def _seconds_of(report: Report, recording: AudioFile) -> tuple[float, float]:
    """From when to when in the whole result, which ends with the speech, a preview goes."""
    start, stop = report.first / report.fps, (report.first + report.frames) / report.fps
    return round(float(start), 3), round(float(min(stop, recording.duration)), 3)


def asked_for(clip_name: str, speech_name: str, options: RenderOptions) -> dict[str, Any]:
    """What a manifest says of what was asked for: what the files were called, and the options."""
    return {
        "clip": clip_name,
        "speech": speech_name,
        "options": json.loads(json.dumps(asdict(options), default=str)),
    }


@contextmanager
def _whole(output: Path) -> Iterator[None]:
    """Take a result away that lacks what belongs to it."""
    try:
        yield
    except BaseException:
        output.unlink(missing_ok=True)
        raise


def _batch(lease: Lease[Any], chosen: Chosen[Any]) -> BatchMemory:
    """The batch size that the device is known to bear, or the model's default."""
    lease.batch.start_at(chosen.default_batch)
    return lease.batch


def _all(chosen: ChosenEngines) -> dict[str, Chosen[Any]]:
    engines: dict[str, Chosen[Any] | None] = {
        "lips": chosen.lips,
        "detector": chosen.detector,
        "enhancer": chosen.enhancer,
        "parser": chosen.parser,
    }
    return {kind: engine for kind, engine in engines.items() if engine is not None}


def _engine_facts(chosen: ChosenEngines, hashes: dict[str, str]) -> dict[str, dict[str, object]]:
    return {
        kind: {
            "name": engine.spec.key.name,
            "placement": engine.spec.key.placement,
            "label": engine.label.en,
            "sha256": hashes[kind],
            "official": engine.official,
            "licence": engine.licence.en,
        }
        for kind, engine in _all(chosen).items()
    }


def _engines_line(chosen: ChosenEngines, hashes: dict[str, str]) -> Text:
    """Which engines and weights ran, in one line."""
    zh, en = [], []
    for kind, engine in _all(chosen).items():
        digest = hashes[kind][:8]
        zh.append(f"{engine.label.zh}{'' if engine.official else '（自备权重，非官方）'} {digest}".strip())
        en.append(f"{engine.label.en}{'' if engine.official else ' (own weights, not official)'} {digest}".strip())
    return Text("、".join(zh) + "。", ", ".join(en) + ".")
