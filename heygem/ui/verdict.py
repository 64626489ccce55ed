"""Whether the job of a clip would make a video, as far as a first look can tell. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from heygem.errors import Notice
from heygem.jobs.job import JobError
from heygem.ui.preflight_desk import INTERNAL, Answer

FACELESS = "no_face"
"""Code of the notice with which a job fails."""


class Verdict(StrEnum):
    """What is known of a clip."""

    LOOKING = "looking"
    READY = "ready"
    REMARKS = "remarks"
    BAD = "bad"
    """Its job would fail."""


def trouble_of(answer: Answer, *, with_speech: bool = True) -> JobError | None:
    """Why the job would fail, if it would.

    Args:
        answer: What was found out.
        with_speech: A speech that is refused counts as well.
    """
    report, failed = answer.report, answer.failed
    if report is None:
        return None if failed is None or failed.code == INTERNAL else failed
    speech = report.speech if with_speech else None
    refused = next((part.refused for part in (*report.clips, speech) if part is not None and part.refused), None)
    faceless = next((notice for clip in report.clips for notice in clip.notices if notice.code == FACELESS), None)
    return refused or (faceless and JobError(faceless.code, faceless.text, faceless.hint))


def remarks_of(answer: Answer) -> list[Notice]:
    """What to know of the clip, or why that is not known."""
    failed, report = answer.failed, answer.report
    notices = [] if failed is None else [Notice(failed.code, failed.text, failed.hint)]
    return notices + [notice for clip in (report.clips if report else ()) for notice in clip.notices]


def verdict_of(answer: Answer, trouble: JobError | None, remarks: Sequence[Notice]) -> Verdict:
    """What is known, in a word.

    Args:
        answer: What was found out.
        trouble: Why the job would fail.
        remarks: What else to know.
    """
    if trouble is not None:
        return Verdict.BAD
    if not answer.is_final:
        return Verdict.LOOKING
    return Verdict.REMARKS if remarks else Verdict.READY
