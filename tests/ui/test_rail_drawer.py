"""The button and the head of the rail where it is a drawer."""

from sample_jobs import done, running, waiting

from heygem.ui.rail_drawer import rail_button, rail_head


def test_the_button_counts_what_runs_or_waits_and_says_what_it_opens():
    html = rail_button([done(job_id="a"), running(job_id="b"), waiting(job_id="c")])
    assert "<b>2</b>" in html and 'aria-expanded="false"' in html and 'aria-controls="rail"' in html
    assert "队列与日志" in html and "Queue and log" in html
    assert "<b>" not in rail_button([done()])


def test_the_head_can_be_closed_by_name():
    html = rail_head()
    assert 'id="rail-close"' in html and 'aria-label="关闭队列与日志 / Close queue and log"' in html
