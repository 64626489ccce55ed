"""Looks for every mark that a result should bear: in the picture, in the metadata, beside the file, and signed.

Knows the marks; knows nothing of how results are made. Works on a file from anywhere: what is not beside it, such as
the manifest of a result that was downloaded, is told and not held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import torch

from heygem.errors import NOTHING, MediaError, Text
from heygem.frame import Frame
from heygem.jobs.result_manifest import manifest_of, read_manifest, sha256_of_result
from heygem.media.aigc import parse_aigc, read_aigc
from heygem.media.c2pa_signature import C2paFinding, is_installed, read_c2pa
from heygem.media.probe import VideoInfo
from heygem.media.video_source import VideoSource
from heygem.pipeline.label import Label
from heygem.pipeline.options import LabelPosition

_FRAMES_LOOKED_AT = 5
_VISIBLE = 0.5
"""Likeness from which the label counts as seen: results and their copies have above 0.7, other pictures below 0.35."""


@dataclass(frozen=True, slots=True)
class Check:
    """One mark that was looked for.

    Attributes:
        code: Stable name for scripts of what was found.
        ok: The mark is there; False: it should be and is not; None: it need not be.
        text: What was found, one sentence.
        hint: What to do about it.
    """

    code: str
    ok: bool | None
    text: Text
    hint: Text = NOTHING


def is_labelled(checks: Sequence[Check]) -> bool:
    """Whether no mark is missing or wrong."""
    return all(check.ok is not False for check in checks)


def verify_result(path: Path) -> list[Check]:
    """Look for every mark of the video at `path`.

    Raises:
        MediaError: it cannot be read as a video.
    """
    source = VideoSource(path)
    with closing(source.frames()) as frames:
        first = list(islice(frames, _FRAMES_LOOKED_AT))
    manifest = read_manifest(path)
    is_same = None if manifest is None else manifest["file"].get("sha256") == sha256_of_result(path)
    return [
        _metadata(path),
        _picture(first, source.info, manifest if is_same else None),
        _content(path, is_same),
        _signature(path, source.info, manifest),
    ]


def _metadata(path: Path) -> Check:
    written = read_aigc(path)
    if written is None:
        return Check(
            "aigc_missing",
            False,
            Text("缺少 AIGC 元数据。", "The AIGC metadata is missing."),
            Text(
                "可能经过重新封装；用 ffmpeg 时请加 -movflags use_metadata_tags。",
                "It may have been remuxed; ffmpeg keeps it with -movflags use_metadata_tags.",
            ),
        )
    try:
        fields = parse_aigc(written)
    except MediaError as error:
        return Check(error.code, False, error.text, error.hint)
    said = f"ContentProducer {fields['ContentProducer']}, ProduceID {fields['ProduceID']}"
    return Check("aigc_found", True, Text(f"AIGC 元数据完整：{said}。", f"The AIGC metadata is whole: {said}."))


def _picture(frames: Sequence[Frame], info: VideoInfo, manifest: dict[str, Any] | None) -> Check:
    """Args: frames: the first ones. info: of their clip. manifest: of exactly this file, if there is one."""
    # Their mean: what moves or is noise goes, what stays is the label.
    luma = torch.stack([frame.y for frame in frames]).float().mean(0).numpy()
    likeness = {
        corner: Label(info.width, info.height, info.colour, corner, sample_aspect=info.sample_aspect).likeness(luma)
        for corner in get_args(LabelPosition)
    }
    best = max(likeness, key=lambda corner: likeness[corner])
    if likeness[best] >= _VISIBLE:
        return Check(
            "label_visible",
            True,
            Text(
                f"可见标识在 {best}，吻合度 {likeness[best]:.2f}。",
                f"The visible label is at the {best}, with a likeness of {likeness[best]:.2f}.",
            ),
        )
    if manifest is not None and manifest["label"].get("visible") is False:
        return Check(
            "label_switched_off",
            None,
            Text("可见标识已由管理员关闭。", "The visible label was switched off by the operator."),
            Text("发布前须另行添加显著标识。", "Add a visible label before you publish."),
        )
    return Check(
        "label_not_visible",
        False,
        Text("开头画面中没有可见标识。", "The first pictures bear no visible label."),
        Text("画面可能被裁剪、遮盖或替换。", "The picture may have been cropped, covered or replaced."),
    )


def _content(path: Path, is_same: bool | None) -> Check:
    beside = manifest_of(path).name
    if is_same is None:
        return Check(
            "manifest_none",
            None,
            Text(
                f"旁边没有清单 {beside}，无法核对内容。", f"There is no manifest {beside} to compare the content with."
            ),
        )
    if is_same:
        return Check("hash_same", True, Text(f"与 {beside} 的 sha256 一致。", f"The sha256 is the one in {beside}."))
    return Check(
        "hash_differs",
        False,
        Text(f"sha256 与 {beside} 不一致。", f"The sha256 differs from the one in {beside}."),
        Text("文件在生成之后被改动过。", "The file was changed after it was made."),
    )


def _signature(path: Path, info: VideoInfo, manifest: dict[str, Any] | None) -> Check:
    was_signed = manifest is not None and manifest["label"].get("c2pa") is True
    if not is_installed():
        return Check(
            "c2pa_unchecked",
            None,
            Text("未检查 C2PA 签名：没有安装 c2pa-python。", "C2PA was not looked at: c2pa-python is not installed."),
            Text(
                "请运行 .venv/bin/pip install -r requirements-c2pa.txt。",
                "Run .venv/bin/pip install -r requirements-c2pa.txt.",
            )
            if was_signed
            else NOTHING,
        )
    found = read_c2pa(path) if info.demuxer == "mov" else C2paFinding("none")
    if found.state == "valid":
        trust = (
            Text("受信任", "trusted") if found.is_trusted else Text("不在信任列表中", "not on a list of trusted ones")
        )
        return Check(
            "c2pa_valid",
            True,
            Text(
                f"C2PA 签名有效，签名者 {found.issuer}（{trust.zh}）。",
                f"The C2PA signature is valid; the signer is {found.issuer} ({trust.en}).",
            ),
        )
    if found.state == "invalid":
        return Check(
            "c2pa_invalid",
            False,
            Text("C2PA 签名无效。", "The C2PA signature is not valid."),
            Text("文件在签名之后被改动过。", "The file was changed after it was signed."),
        )
    if was_signed:
        return Check("c2pa_missing", False, Text("C2PA 签名已丢失。", "The C2PA signature is gone."))
    return Check("c2pa_none", None, Text("没有 C2PA 签名。", "There is no C2PA signature."))
