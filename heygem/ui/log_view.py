"""The tail of the run log as HTML, and what can be done with it. Pure functions and scripts."""

from __future__ import annotations

import time
from collections.abc import Sequence

from heygem.errors import Text
from heygem.jobs.run_log import LogLine
from heygem.ui import icons, text
from heygem.ui.html_parts import bilingual, both, escape

FOLLOW_JS = """
let follows = true, top = 0;
const log = () => element.querySelector('pre');
element.addEventListener('scroll', (event) => {
  const box = event.target;
  follows = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
  top = box.scrollTop;
}, true);
watch('value', () => requestAnimationFrame(() => { if (log()) log().scrollTop = follows ? log().scrollHeight : top; }));
"""
"""For the log: it follows its end, and stays where it is while the reader has scrolled up."""

FILTER_JS = """
const card = element.closest('#log-card'), style = document.head.appendChild(document.createElement('style'));
const [level, job] = element.querySelectorAll('select');
const all = job.options[0];
const language = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';
for (const option of element.querySelectorAll('option')) option.text = option.dataset[language];
const filter = () => {
  card.dataset.level = level.value;
  style.textContent = job.value && `#log .line:not([data-job="${CSS.escape(job.value)}"]) { display: none; }`;
};
job.addEventListener('focus', () => {
  const picked = job.value;
  const ids = new Set([...card.querySelectorAll('.line')].map((line) => line.dataset.job).concat(picked));
  job.replaceChildren(all, ...[...ids].filter((id) => id && id !== '-').reverse().map((id) => new Option(id)));
  job.value = picked;
});
level.addEventListener('change', filter);
job.addEventListener('change', filter);
"""
"""For the head of the log: hides lines in the browser, so that each reader sees what he asked for."""

_LEVELS = {"": text.ALL_LEVELS, "WARNING": text.FROM_WARNING, "ERROR": text.ERRORS_ONLY}


def log_head() -> str:
    """The title, the filters and the link to the whole file."""
    levels = "".join(_option(value, words) for value, words in _LEVELS.items())
    whole = both(text.LOG_FILE)
    return (
        f'<header class="hg-log-head"><h3>{bilingual(text.RUN_LOG)}</h3>'
        f'<select aria-label="{both(text.LEVEL)}">{levels}</select>'
        f'<select aria-label="{both(text.JOB)}">{_option("", text.ALL_JOBS)}</select>'
        f'<a class="hg-icon" href="log" download="heygem.log" title="{whole}" aria-label="{whole}">{icons.DOWNLOAD}</a>'
        "</header>"
    )


def log_tail(lines: Sequence[LogLine]) -> str:
    """Lines as in the file, with the time of day only."""
    shown = "".join(
        f'<span class="line {escape(line.level)}" data-job="{escape(line.job_id)}">'
        f'<span class="time">{time.strftime("%H:%M:%S", time.localtime(line.time_s))}</span> '
        f'<span class="level">{escape(line.level)}</span> '
        f'<span class="job">{escape(line.job_id)}</span> {escape(line.message)}</span>'
        for line in lines
    )
    return f'<pre class="hg-log" role="log" aria-label="{both(text.RUN_LOG)}" tabindex="0">{shown or "…"}</pre>'


def log_line_of(job_id: str, lines: Sequence[LogLine]) -> str:
    """The last complaint of a job; empty without one. How far it is, the page says in words of its own."""
    complaints = [line for line in lines if line.job_id == job_id and line.level != "INFO"]
    line = next(reversed(complaints), None)
    if line is None:
        return ""
    return f'<div class="hg-log-line {escape(line.level)}" title="{both(text.RUN_LOG)}">{escape(line.message)}</div>'


def _option(value: str, words: Text) -> str:
    """The script leaves one language: elements within an option cannot be hidden."""
    zh, en = escape(words.zh), escape(words.en)
    return f'<option value="{value}" data-zh="{zh}" data-en="{en}">{both(words)}</option>'
