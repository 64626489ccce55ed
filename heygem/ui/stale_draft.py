"""What a draft names that is gone by now: uploads that were swept, and speakers that were deleted. Knows no pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import get_args

from heygem.pipeline.options import LipsChoice, RenderOptions
from heygem.ui.batch_draft import Draft, DraftClip
from heygem.weights.speakers import is_speaker_name


def freshened(draft: Draft, speakers: Collection[str]) -> Draft:
    """Without uploads that are gone, and without speakers that are none of `speakers`."""
    return _without_speakers(_without_gone(draft), deleted_speakers(draft, speakers))


def deleted_speakers(draft: Draft, speakers: Collection[str]) -> list[str]:
    """Names in a draft that stand for nobody any more, where there are `speakers`."""
    lips = (*get_args(LipsChoice), *speakers)
    clips = (clip for clip in (*draft.clips, *draft.submitted) if "lips" in clip.own)
    named = dict.fromkeys((draft.options.lips, *(clip.options.lips for clip in clips)))
    return [name for name in named if is_speaker_name(name) and name not in lips]


def _without_gone(draft: Draft) -> Draft:
    def is_there(path: Path | None) -> bool:
        return path is not None and path.is_file()

    return replace(
        draft,
        clips=tuple(clip for clip in draft.clips if is_there(clip.path)),
        submitted=tuple(clip for clip in draft.submitted if is_there(clip.path)),
        speech=draft.speech if is_there(draft.speech) else None,
    )


def _without_speakers(draft: Draft, deleted: Collection[str]) -> Draft:
    def freed(clips: tuple[DraftClip, ...]) -> tuple[DraftClip, ...]:
        return tuple(clip.without_own("lips") if clip.options.lips in deleted else clip for clip in clips)

    common = draft.options
    if common.lips in deleted:
        common = replace(common, lips=RenderOptions().lips)
    return replace(draft, clips=freed(draft.clips), submitted=freed(draft.submitted), options=common)
