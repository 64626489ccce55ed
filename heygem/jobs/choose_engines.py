"""Which models a job runs on, from its options and from which weights are there. Loads none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch

from heygem.device import Placement
from heygem.enhance import gfpgan
from heygem.enhance.base import FaceEnhancer
from heygem.errors import NOTHING, Text
from heygem.faces.detect import FaceDetector
from heygem.faces.haar import BATCH, HaarDetector
from heygem.faces.parsing import FaceParser, load_parser
from heygem.faces.retinaface import load_retinaface
from heygem.lipsync import LipEngine, lip_engine
from heygem.lipsync.base import LipSyncModel
from heygem.lipsync.demo import speaker_engine
from heygem.model_manager import ModelKey, ModelSpec
from heygem.pipeline.options import DetectorChoice, RenderOptions
from heygem.runtime.network import bytes_of
from heygem.settings import Settings
from heygem.weights.hashes import sha256_of
from heygem.weights.locate import path_of
from heygem.weights.manifest import CHECKPOINTS
from heygem.weights.speakers import LIPS, speaker_folder, speaker_names
from heygem.weights.verify import VerifiedFile, find_weights

M = TypeVar("M", covariant=True)

_HAAR_NOTE = Text(
    "没有人脸检测权重，改用 OpenCV 自带的 Haar 检测，侧脸和遮挡可能找不到。",
    "No detector weights are present, so OpenCV's Haar cascade finds the faces; it misses turned and covered ones.",
)


@dataclass(frozen=True, slots=True)
class Chosen(Generic[M]):
    """One model of a job.

    Attributes:
        spec: How the model manager finds, verifies and loads it.
        label: What people read.
        licence: What users of its weights must know.
        official: The weights are on the list of checkpoints, or come with the project.
        default_batch: Items to compute at once until the device objects.
        note: What to tell about results made with it.
    """

    spec: ModelSpec[M]
    label: Text
    licence: Text
    official: bool
    default_batch: int
    note: Text = NOTHING


@dataclass(frozen=True, slots=True)
class ChosenEngines:
    """The models of a job; no enhancer or parser where none is to run."""

    lips: Chosen[LipSyncModel]
    detector: Chosen[FaceDetector]
    enhancer: Chosen[FaceEnhancer] | None
    parser: Chosen[FaceParser] | None


def choose_engines(options: RenderOptions, settings: Settings, placement: Placement) -> ChosenEngines:
    """The models that `options` ask for.

    Raises:
        UnknownEngineError: there is no lip engine and no speaker of that name.
        WeightsMissingError: weights that were asked for by name are not there.
        WeightsRefusedError: weights are there and are not what they should be.
    """
    enhancer = _enhancer(options, settings, placement)
    return ChosenEngines(
        lips=_lips(options, settings, placement),
        detector=choose_detector(options, settings, placement),
        enhancer=enhancer,
        parser=_parser(settings, placement) if enhancer is not None else None,
    )


def _lips(options: RenderOptions, settings: Settings, placement: Placement) -> Chosen[LipSyncModel]:
    engine, own = lip_engine("wav2lip"), settings.wav2lip_file
    speakers = speaker_names(settings.models_dir)
    if options.lips in speakers:
        return _speaker_lips(options.lips, settings, placement)
    if _is_path(options.lips):
        own = Path(options.lips)
    elif options.lips != "auto":
        engine = lip_engine(options.lips, speakers)
    elif own is None and not _is_present(engine.checkpoint, settings):
        engine = lip_engine("demo")
    if engine.bundled is not None:
        return _bundled_lips(engine, engine.bundled, settings, placement)
    assert engine.checkpoint is not None
    find = partial(find_weights, engine.checkpoint, settings.models_dir, own)
    return _chosen("lips", engine.label, find, engine.load, engine.default_batch, placement, engine.note)


def _speaker_lips(name: str, settings: Settings, placement: Placement) -> Chosen[LipSyncModel]:
    file = speaker_folder(name, settings.models_dir) / LIPS
    return _bundled_lips(speaker_engine(name, file), file, settings, placement, official=False)


def _bundled_lips(
    engine: LipEngine, path: Path, settings: Settings, placement: Placement, *, official: bool = True
) -> Chosen[LipSyncModel]:
    def find() -> VerifiedFile:
        return VerifiedFile(path, sha256_of(path, settings.models_dir), official, engine.name)

    return _chosen("lips", engine.label, find, engine.load, engine.default_batch, placement, engine.note)


def _enhancer(options: RenderOptions, settings: Settings, placement: Placement) -> Chosen[FaceEnhancer] | None:
    own = settings.gfpgan_file
    if options.enhancer == "none" or options.enhancer_strength == 0:
        return None
    if _is_path(options.enhancer):
        own = Path(options.enhancer)
    elif options.enhancer == "auto" and own is None and not _is_present(gfpgan.CHECKPOINT, settings):
        return None
    find = partial(find_weights, gfpgan.CHECKPOINT, settings.models_dir, own)
    label = Text("GFPGAN 人脸增强", "GFPGAN face enhancer")
    return _chosen("enhancer", label, find, gfpgan.load_gfpgan, gfpgan.DEFAULT_BATCH, placement)


def _parser(settings: Settings, placement: Placement) -> Chosen[FaceParser] | None:
    if not _is_present("parsenet", settings):
        return None

    find = partial(find_weights, "parsenet", settings.models_dir)
    return _chosen("parser", Text("ParseNet 人脸解析", "ParseNet face parser"), find, load_parser, {}, placement)


def choose_detector(options: RenderOptions, settings: Settings, placement: Placement) -> Chosen[FaceDetector]:
    """The detector that `options` ask for.

    Raises:
        WeightsMissingError: weights that were asked for by name are not there.
        WeightsRefusedError: weights are there and are not what they should be.
    """
    name = options.detector
    if name == "auto":
        name = next((choice for choice, weights in _RETINAFACE.items() if _is_present(weights, settings)), "haar")
    if name == "haar":
        note = _HAAR_NOTE if options.detector == "auto" else NOTHING
        return _haar(note)
    backbone: Literal["resnet50", "mobile0.25"] = "resnet50" if name == "accurate" else "mobile0.25"
    find = partial(find_weights, _RETINAFACE[name], settings.models_dir)

    def load(path: Path, placement: Placement) -> FaceDetector:
        return load_retinaface(backbone, path, placement, find().sha256)

    label = Text(f"RetinaFace 人脸检测（{backbone}）", f"RetinaFace face detector ({backbone})")
    return _chosen("detector", label, find, load, {"cpu": 8, "cuda": 32}, placement)


_RETINAFACE: dict[DetectorChoice, str] = {"accurate": "retinaface-resnet50", "fast": "retinaface-mobile0.25"}
"""Weights by what ``--detector`` takes, best first."""


def _haar(note: Text) -> Chosen[FaceDetector]:
    spec: ModelSpec[FaceDetector] = ModelSpec(
        key=ModelKey("detector", "haar", "cpu", ""), fingerprint=lambda: "", load=HaarDetector, nbytes=lambda _: 0
    )
    return Chosen(
        spec, Text("Haar 人脸检测", "Haar face detector"), Text("Apache-2.0", "Apache-2.0"), True, BATCH, note
    )


def _chosen(
    kind: str,
    label: Text,
    find: Callable[[], VerifiedFile],
    load: Callable[[Path, Placement], M],
    default_batch: Mapping[str, int],
    placement: Placement,
    note: Text = NOTHING,
) -> Chosen[M]:
    file = find()
    spec = ModelSpec(
        key=ModelKey(kind, file.name, str(placement), str(file.path)),
        # Found anew each time: a file that was replaced is then what is both hashed and loaded.
        fingerprint=lambda: find().sha256,
        load=lambda: load(find().path, placement),
        nbytes=_bytes_on_device,
    )
    known = CHECKPOINTS.get(file.name)
    licence = known.licence if known is not None and file.official else NOTHING
    return Chosen(spec, label, licence, file.official, default_batch.get(placement.kind, 1), note)


def _bytes_on_device(model: object) -> int:
    """Bytes of the tensors of the networks that a model holds."""
    return sum(bytes_of(value) for value in vars(model).values() if isinstance(value, torch.nn.Module))


def _is_path(name: str) -> bool:
    """A file of weights rather than the name of an engine: it has a folder or a suffix."""
    return len(Path(name).parts) > 1 or Path(name).suffix != ""


def _is_present(checkpoint: str | None, settings: Settings) -> bool:
    """Whether a checkpoint, or one that may stand in for it, lies in the folder of models. Verified later."""
    if checkpoint is None:
        return False
    entry = CHECKPOINTS[checkpoint]
    candidates = [entry, *(CHECKPOINTS[name] for name in entry.stand_ins)]
    return any(path_of(candidate, settings.models_dir).exists() for candidate in candidates)
