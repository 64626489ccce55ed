"""The tail of the run log as HTML. A pure function."""

from __future__ import annotations

import time
from collections.abc import Sequence

from heygem.jobs.run_log import LogLine
from heygem.ui.html_parts import escape


def log_tail(lines: Sequence[LogLine]) -> str:
    """Lines as in the file, with the time of day only."""
    shown = "\n".join(
        f'<span class="time">{time.strftime("%H:%M:%S", time.localtime(line.time_s))}</span> '
        f'<span class="{escape(line.level)}">{escape(line.level)}</span> '
        f'<span class="job">{escape(line.job_id)}</span> {escape(line.message)}'
        for line in lines
    )
    return f'<pre class="hg-log" role="log" aria-label="运行日志 / Run log" tabindex="0">{shown or "…"}</pre>'
