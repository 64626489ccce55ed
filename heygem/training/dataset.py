"""Renders the people that a lip model is trained on and measured with: many at a time, each once."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from heygem.demo.articulation import REST, WIDE_OPEN, Articulation
from heygem.demo.cast import CAST
from heygem.demo.identity import Identity
from heygem.demo.pairs import CROP_PX, render_pairs
from heygem.errors import OptionError, Text
from heygem.training.evaluation import HeldOut
from heygem.training.recipe import DataRecipe
from heygem.training.shards import Talker, Talkers, open_talkers, person_folder
from heygem.training.speeches import heard_in, random_speech

log = logging.getLogger(__name__)

_FIRST_SEED, _FIRST_HELD_OUT_SEED = 10_000, 5_000_000
_FIRST_TAKE, _FIRST_HELD_OUT_TAKE = 7_000_000, 8_000_000
"""A take of the presenter with number k of the cast has a seed that leaves k when divided by their number."""
_RECIPE_FILE = "recipe.json"
_ANCHORS = "anchors"
_SPEECH_BYTES = 80_000
"""Of one stored speech, about."""
_SPARE_BYTES = 1_000_000_000
_REPORT_EVERY_S = 5.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Dataset:
    """The folder of all that is rendered for one training.

    Attributes:
        folder: Where.
        recipe: What.
    """

    folder: Path
    recipe: DataRecipe

    @property
    def seeds(self) -> tuple[int, ...]:
        """What to train on: people, then takes of the presenters."""
        return *_counted(_FIRST_SEED, self.recipe.people), *_counted(_FIRST_TAKE, self.recipe.takes * len(CAST))

    @property
    def held_out_people(self) -> tuple[int, ...]:
        """People to measure with."""
        return _counted(_FIRST_HELD_OUT_SEED, self.recipe.held_out_people)

    @property
    def held_out_takes(self) -> tuple[int, ...]:
        """Takes of the presenters to measure with."""
        return _counted(_FIRST_HELD_OUT_TAKE, self.recipe.held_out_takes * len(CAST))

    def render(self, processes: int, progress: Callable[[str], None]) -> None:
        """Render whoever is not there yet. A stop loses only the people that were being rendered.

        Args:
            processes: How many at a time; each keeps one core busy.
            progress: Told a line now and then.

        Raises:
            OptionError: the folder holds people of another recipe, or the disk is too small.
            EspeakMissingError: espeak-ng is not installed.
        """
        self._claim_folder()
        jobs = [
            _Rendering(seed, held_out, self.folder, self.recipe)
            for held_out, seeds in ((True, (*self.held_out_people, *self.held_out_takes)), (False, self.seeds))
            for seed in seeds
            if not person_folder(self.folder, seed).exists()
        ]
        self._check_disk(jobs)
        began = reported_at = time.monotonic()
        with _one_thread_each():
            # Spawned, not forked: a fork of a process that has run torch or OpenCV may hang.
            pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
            try:
                waiting = [pool.submit(job) for job in jobs]
                for done, finished in enumerate(as_completed(waiting), start=1):
                    finished.result()
                    now = time.monotonic()
                    if now - reported_at > _REPORT_EVERY_S or done == len(jobs):
                        reported_at = now
                        left_s = (now - began) / done * (len(jobs) - done)
                        progress(f"rendering {done:,} of {len(jobs):,} people  {left_s / 60:.1f} min left")
            finally:
                pool.shutdown(cancel_futures=True)

    def open(self) -> Talkers:
        """What to train on."""
        return open_talkers(self.folder, self.seeds)

    def open_held_out(self, seeds: Sequence[int]) -> list[HeldOut]:
        """What to measure with: `held_out_people`, `held_out_takes` or some of them."""
        people = []
        for seed in seeds:
            anchors = Talker.load(person_folder(self.folder / _ANCHORS, seed))
            people.append(
                HeldOut(
                    Talker.load(person_folder(self.folder, seed)),
                    np.asarray(anchors.crops[0::2]),
                    np.asarray(anchors.crops[1::2]),
                )
            )
        return people

    def _claim_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / _RECIPE_FILE
        ours = asdict(self.recipe)
        if not file.exists():
            file.write_text(json.dumps(ours), encoding="utf-8")
        elif json.loads(file.read_text(encoding="utf-8")) != ours:
            raise OptionError(
                Text(f"{self.folder} 里的数据属于另一个训练配方。", f"{self.folder} holds data of another recipe."),
                hint=Text("请换一个 --out 文件夹。", "Use another folder for --out."),
            )

    def _check_disk(self, jobs: Sequence[_Rendering]) -> None:
        pictures = sum(4 * self.recipe.held_out_frames if job.held_out else 2 * self.recipe.pairs for job in jobs)
        needed = pictures * 3 * CROP_PX**2 + len(jobs) * self.recipe.variants * _SPEECH_BYTES
        free = shutil.disk_usage(self.folder).free
        if needed + _SPARE_BYTES > free:
            raise OptionError(
                Text(
                    f"磁盘空间不足：需要 {needed / 1e9:.1f} GB，剩余 {free / 1e9:.1f} GB。",
                    f"The disk is too small: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free.",
                )
            )


@dataclass(frozen=True, slots=True)
class _Rendering:
    """The rendering of one person, as it is sent to another process."""

    seed: int
    held_out: bool
    folder: Path
    recipe: DataRecipe

    def __call__(self) -> None:
        import cv2

        cv2.setNumThreads(1)
        rng = np.random.default_rng([self.seed, 0])
        speech = random_speech(rng, held_out=self.held_out)
        mels = heard_in(speech, self.recipe.variants, rng, clean_first=self.held_out)
        count = len(speech.articulation)
        own, other = self._consecutive(count) if self.held_out else self._scattered(count, rng)
        if self.held_out:
            mouths = np.stack([REST, WIDE_OPEN])
            anchors = _rendered(self.seed, mouths, np.zeros(len(own), np.int32), np.ones(len(own), np.int32))
            frames = np.tile(np.array([0, 1], np.int32), len(own))
            Talker(anchors, frames, mouths, mels[:0]).save(person_folder(self.folder / _ANCHORS, self.seed))
        crops = _rendered(self.seed, speech.articulation, own, other)
        frames = np.stack([own, other], axis=1).reshape(-1)
        Talker(crops, frames, speech.articulation, mels).save(person_folder(self.folder, self.seed))

    def _scattered(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Moments of a speech of `count` frames, none twice if it is long enough."""
        wanted = 2 * self.recipe.pairs
        moments = rng.choice(count, wanted, replace=count < wanted).astype(np.int32)
        return moments[0::2], moments[1::2]

    def _consecutive(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Consecutive moments, and for each the one half a speech later."""
        own = np.arange(min(count, self.recipe.held_out_frames), dtype=np.int32)
        return own, (own + count // 2) % count


def _rendered(seed: int, mouths: Articulation, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(2 P, 96, 96, 3): partners side by side."""
    first, second = render_pairs(seed, len(own), mouths[own], mouths[other], person=_presenter(seed))
    return np.stack([first, second], axis=1).reshape(-1, CROP_PX, CROP_PX, 3)


def _presenter(seed: int) -> Identity | None:
    """Who plays a take; None for the invented person with that number."""
    return CAST[seed % len(CAST)].person() if seed >= _FIRST_TAKE else None


def _counted(first: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started within it compute on one thread: there are as many of them as cores."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def everybody(talkers: Sequence[HeldOut]) -> Talkers:
    """Held-out people as `Talkers`, for what needs no truth."""
    return Talkers([person.talker for person in talkers])
