"""A result beside the clip that it was made from, in step. A pure function and its script."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from heygem.jobs.job import Job
from heygem.ui import text
from heygem.ui.html_parts import bilingual, both, escape
from heygem.ui.job_parts import video_url

COMPARE_JS = """
const [of_clip, of_result] = [0, 1].map((at) => () => element.querySelectorAll('video')[at]);
// Where the clip was when the result is at a time: it is longer than the clip if the speech is.
const place = (time, length, extend) => {
  if (extend === 'loop') return time % length;
  if (extend === 'freeze') return Math.min(time, length);
  const turn = time % (2 * length);
  return Math.min(turn, 2 * length - turn);
};
const follow = () => {
  const [clip, result] = [of_clip(), of_result()];
  if (!clip || !clip.duration) return;
  const extend = clip.dataset.extend;
  const time = result.currentTime + Number(clip.dataset.start);
  const at = place(time, clip.duration, extend);
  const is_forward = place(time + 0.01, clip.duration, extend) > at;
  if (result.paused || !is_forward) clip.pause(); else if (clip.paused) clip.play().catch(() => {});
  if (!clip.seeking && Math.abs(clip.currentTime - at) > (clip.paused ? 0.02 : 0.15)) clip.currentTime = at;
};
let frame = 0;
const step = () => {
  follow();
  cancelAnimationFrame(frame);  // or each seeking while it plays would begin one more round
  if (of_result() && !of_result().paused) frame = requestAnimationFrame(step);
};
for (const name of ['play', 'pause', 'seeked', 'loadedmetadata'])
  element.addEventListener(name, (event) => { if (event.target === of_result()) step(); }, true);
// Where it was sent while it was still on its way elsewhere, nobody else would send it again.
element.addEventListener('seeked', (event) => { if (event.target === of_clip()) follow(); }, true);
element.addEventListener('toggle', (event) => {
  for (const video of element.querySelectorAll('video')) {
    if (event.target.open) { video.preload = 'auto'; video.load(); } else video.pause();
  }
}, true);
"""
"""For the card: the clip follows the result, wherever it is played or sought."""


def compare_card(job: Job | None, clip: Path | None) -> str:
    """Both players, folded away; empty while there is no result, or no clip.

    Args:
        job: The job that is shown.
        clip: The upload that it was made from, while that is there: a job that is done keeps none.
    """
    if job is None or job.result is None or clip is None:
        return ""
    before, after = both(text.BEFORE), both(text.AFTER)
    extend = escape(job.request.options.extend)
    start_s = job.result.part_s[0] if job.result.part_s else 0
    return (
        f'<details class="hg-card hg-compare"><summary>{bilingual(text.COMPARE)}</summary><div class="hg-pair">'
        f'<figure><video muted playsinline preload="none" data-extend="{extend}" data-start="{start_s}" '
        f'aria-label="{before}" src="gradio_api/file={escape(quote(str(clip)))}"></video>'
        f"<figcaption>{bilingual(text.BEFORE)}</figcaption>"
        f'</figure><figure><video controls playsinline preload="none" aria-label="{after}" src="{video_url(job)}">'
        f"</video><figcaption>{bilingual(text.AFTER)}</figcaption></figure></div></details>"
    )
