import re
from dataclasses import replace

from sample_jobs import ESCAPED, HOSTILE, done, failed, job, running, waiting

from heygem.errors import Text
from heygem.jobs.job import JobProgress, JobStatus
from heygem.pipeline.progress import Stage
from heygem.ui import icons
from heygem.ui.batch_view import batch_card, batch_tiles
from heygem.ui.job_parts import Refusal

HALF = JobProgress(Stage.DRAWING, 1, 2)


def test_a_batch_counts_what_is_made_and_names_what_runs():
    jobs = [done(), failed(), running(HALF, name="third.mp4"), waiting()]
    html = batch_card(jobs, now_s=101.0)
    assert ">1<small>/4</small>" in html and "third.mp4" in html
    assert 'aria-valuenow="38"' in html and ">38%<" in html  # (1 + 0.5) / 4
    for status in ("done", "failed", "running", "queued"):
        assert f'class="hg-chip {status}"' in html


def test_the_bar_of_a_batch_tells_what_was_made_from_what_was_not():
    def widths(*jobs):
        return re.findall(r'<i class="(\w+)" style="width:([\d.]+)%"', batch_card(jobs, 0))

    stopped = job(JobStatus.CANCELLED, progress=HALF)
    html = batch_card([stopped, stopped], 0)
    assert ">0<small>/2</small>" in html and 'aria-valuenow="0"' in html and ">0%<" in html
    assert widths(stopped) == [("done", "0.0"), ("running", "0.0"), ("failed", "0.0"), ("cancelled", "100.0")]
    mixed = [done(), running(HALF), failed(), job(JobStatus.INTERRUPTED), waiting()]
    assert widths(*mixed) == [("done", "20.0"), ("running", "10.0"), ("failed", "40.0"), ("cancelled", "0.0")]


def test_a_batch_offers_what_can_be_done_with_all_of_it():
    stopped = [job(JobStatus.CANCELLED, batch_id="b1"), job(JobStatus.INTERRUPTED, batch_id="b1")]
    html = batch_card([done(batch_id="b1"), failed(batch_id="b1"), *stopped, waiting(batch_id="b1")], 0)
    assert 'href="batches/b1/results.zip" download' in html
    assert "已完成的 1 个 (ZIP)，还缺 4 个" in html and "1 done (ZIP), 4 missing" in html
    assert 'data-act="retry-batch" data-job="b1"' in html and "Retry failed:</span> 2<" in html
    assert 'data-act="cancel-batch" data-job="b1"' in html and "data-ask-en" in html


def test_a_batch_offers_nothing_that_cannot_be_done():
    assert "data-act" not in (html := batch_card([done(), done()], 0)) and "Download all 2 (ZIP)" in html
    assert "results.zip" not in batch_card([failed(), waiting()], 0)


def test_a_refusal_of_the_batch_stands_in_its_card():
    refusal = Refusal("b1", Text("满了", "The queue is full"))
    assert "The queue is full" in batch_card([failed(batch_id="b1")], 0, refusal)
    assert "The queue is full" not in batch_card([failed(batch_id="b2")], 0, refusal)


def test_tiles_play_results_and_tell_failures():
    tiles = batch_tiles([done(poster="p.jpg"), failed(), waiting()], playing="0123456789ab").split("<article ")[1:]
    assert 'data-act="play"' in tiles[0] and 'src="results/0123456789ab/poster.jpg"' in tiles[0]
    assert "download=1" in tiles[0] and "aria-current" in tiles[0]
    assert "No face" in tiles[1] and 'data-code="no_face"' in tiles[1] and 'data-act="retry"' in tiles[1]
    assert 'data-act="play"' not in tiles[1] + tiles[2] and 'data-act="cancel"' in tiles[2]


def test_tiles_stay_as_they_are_while_a_clip_is_drawn():
    # A grid of fifty clips is sent again only when one of them is in another state.
    now, later = (batch_tiles([running(JobProgress(Stage.DRAWING, done, 9, 2.0, 3.0))]) for done in (1, 2))
    assert now == later


def test_a_running_tile_says_so_and_shows_one_picture_that_was_drawn():
    def tiles(pictures):
        return batch_tiles([running(replace(HALF, pictures=pictures))])

    assert "生成中…" in tiles(0) and "Generating…" in tiles(0) and "<img" not in tiles(0)
    assert icons.RUNNING in tiles(0) and icons.WAITING not in tiles(0)
    assert 'src="results/0123456789ab/newest.jpg" alt=""' in tiles(1)
    assert tiles(1) == tiles(2)  # and not another one each second


def test_tiles_without_a_picture_look_as_different_as_their_states_are():
    jobs = [waiting(), running(), failed(), job(JobStatus.CANCELLED)]
    assert (
        len({re.search('<div class="hg-poster.*?</svg>', tile)[0] for tile in map(batch_tiles, [[j] for j in jobs])})
        == 4
    )


def test_names_are_escaped():
    jobs = [running(HALF, name=HOSTILE), done(name=HOSTILE), failed(name=HOSTILE)]
    for html in (batch_tiles(jobs), batch_card(jobs, 0)):
        assert "<script" not in html and ESCAPED in html
