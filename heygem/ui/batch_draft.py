"""A batch that is being put together: its clips in order, and what each is to have of its own. Immutable values.

Knows neither where a draft is kept nor what is found out about its files.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from heygem.errors import InputError
from heygem.jobs.batch_list import BatchLine
from heygem.jobs.job import JobRequest
from heygem.pipeline.options import RenderOptions
from heygem.ui import text


@dataclass(frozen=True, slots=True)
class DraftClip:
    """One clip of a draft."""

    id: str
    """Of its place in the list: the same file may be there twice, with other options."""
    path: Path
    name: str
    """What the user calls it."""
    own: tuple[str, ...] = ()
    """The options, by their names, in which it does not follow the common ones."""
    options: RenderOptions = field(default_factory=RenderOptions)
    """Where those are; the others mean nothing."""
    speech: Path | None = None
    """A speech of its own; None: the common one."""
    speech_name: str = ""

    @classmethod
    def of(cls, path: Path, name: str, own: Mapping[str, Any] | None = None) -> DraftClip:
        """A new place in a list."""
        own = own or {}
        return cls(secrets.token_hex(4), path, name, tuple(own), RenderOptions(**own))

    def effective(self, common: RenderOptions) -> RenderOptions:
        """The options that its job gets, where all clips have the `common` ones."""
        if not self.own:  # as most, and every page asks once a second for each
            return common
        return replace(common, **{name: getattr(self.options, name) for name in self.own})

    def with_own(self, **changes: Any) -> DraftClip:
        """With options of its own.

        Raises:
            OptionError: one is out of range.
        """
        options = replace(self.options, **changes)
        return replace(self, own=tuple(dict.fromkeys((*self.own, *changes))), options=options)

    def without_own(self, *names: str) -> DraftClip:
        """As all the others in the options called `names`."""
        return replace(self, own=tuple(name for name in self.own if name not in names))


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before it is submitted. The form of the single tab is one, too, of one clip at the most."""

    clips: tuple[DraftClip, ...] = ()
    speech: Path | None = None
    """The common speech, an upload."""
    options: RenderOptions = field(default_factory=RenderOptions)
    """The common options."""
    submitted: tuple[DraftClip, ...] = ()
    """The clips of the last submission, should they be wanted again."""

    def clip(self, clip_id: str) -> DraftClip | None:
        """The clip of that id, if it is there."""
        return next((clip for clip in self.clips if clip.id == clip_id), None)

    def with_clips(self, clips: Sequence[DraftClip]) -> Draft:
        """With more of them at the end."""
        return replace(self, clips=(*self.clips, *clips))

    def without(self, clip_ids: Sequence[str]) -> Draft:
        """With all clips but those."""
        return replace(self, clips=tuple(clip for clip in self.clips if clip.id not in clip_ids))

    def changed(self, changed: DraftClip) -> Draft:
        """With `changed` where the clip of its id is."""
        return replace(self, clips=tuple(changed if clip.id == changed.id else clip for clip in self.clips))

    def moved(self, clip_id: str, steps: int) -> Draft:
        """With a clip `steps` places further down, as far as the list goes."""
        clip = self.clip(clip_id)
        return self if clip is None else self._at(clip, self.clips.index(clip) + steps)

    def moved_to(self, clip_id: str, place_of: str) -> Draft:
        """With a clip in the place where another is now."""
        clip, other = self.clip(clip_id), self.clip(place_of)
        return self if clip is None or other is None else self._at(clip, self.clips.index(other))

    def listed(self, lines: Sequence[BatchLine], uploads_dir: Path) -> Draft:
        """As a list of jobs says, followed by the uploads that it does not name: they may be in a mended list.

        What an earlier list said is forgotten.
        """
        named = {line.video for line in lines}
        listed = [
            replace(
                DraftClip.of(line.video, line.video.name, line.given),
                speech=None if line.audio == self.speech else line.audio,
                speech_name="" if line.audio is None else line.audio.name,
            )
            for line in lines
        ]
        others = [clip for clip in self.uploads(uploads_dir) if clip.path not in named]
        return replace(self, clips=(*listed, *others))

    def uploads(self, uploads_dir: Path) -> list[DraftClip]:
        """The clips that are uploads, and no files of the server."""
        return [clip for clip in self.clips if clip.path.is_relative_to(uploads_dir)]

    def requests(self, speech: Path | None, options: RenderOptions) -> list[JobRequest]:
        """A job for each clip.

        Args:
            speech: The common one.
            options: The common ones.

        Raises:
            InputError: a clip has no speech.
        """
        found = []
        for clip in self.clips:
            own = clip.speech or speech
            if own is None:
                raise InputError(text.SPEECH_OR_CLIPS_MISSING, code="file_missing")
            found.append(JobRequest(clip.path, own, clip.effective(options), clip.name, own.name))
        return found

    def twins(self) -> frozenset[str]:
        """Ids of clips that make the same video as one before them."""
        made = {clip.id: (clip.path, clip.speech, clip.effective(self.options)) for clip in self.clips}
        seen: Counter[object] = Counter()
        found = set()
        for clip_id, what in made.items():
            if seen[what]:
                found.add(clip_id)
            seen[what] += 1
        return frozenset(found)

    def _at(self, clip: DraftClip, place: int) -> Draft:
        others = [other for other in self.clips if other.id != clip.id]
        others.insert(max(0, place), clip)
        return replace(self, clips=tuple(others))
