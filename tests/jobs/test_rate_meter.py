from heygem.jobs.rate_meter import RateMeter
from heygem.pipeline.progress import Stage


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_rate_and_eta_follow_the_last_seconds():
    clock = Clock()
    meter = RateMeter(window_s=10, clock=clock)
    assert meter.tick(Stage.DRAWING, 0, 1000).rate_hz is None
    for second in range(1, 31):
        clock.now = second
        # 5 frames a second for 10 s, then 20 frames a second.
        done = 5 * second if second <= 10 else 50 + 20 * (second - 10)
        progress = meter.tick(Stage.DRAWING, done, 1000)
    assert progress.rate_hz == 20
    assert progress.eta_s == (1000 - 450) / 20


def test_a_new_stage_starts_afresh():
    clock = Clock()
    meter = RateMeter(clock=clock)
    meter.tick(Stage.TRACKING, 0, 100)
    clock.now = 1
    assert meter.tick(Stage.TRACKING, 50, 100).rate_hz == 50
    clock.now = 2
    progress = meter.tick(Stage.DRAWING, 0, 100)
    assert progress.rate_hz is None and progress.eta_s is None
    clock.now = 4
    assert meter.tick(Stage.DRAWING, 4, 100).rate_hz == 2


def test_no_eta_without_a_total():
    clock = Clock()
    meter = RateMeter(clock=clock)
    meter.tick(Stage.TRACKING, 0, None)
    clock.now = 2
    progress = meter.tick(Stage.TRACKING, 10, None)
    assert progress.rate_hz == 5 and progress.eta_s is None and progress.share is None
