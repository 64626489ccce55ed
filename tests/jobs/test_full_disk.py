"""A disk that is really full, under queue and encoder: nothing half-written, and jobs go on when there is room."""

import os
import subprocess
from fractions import Fraction

import pytest
import torch

from heygem.frame import Frame
from heygem.jobs.disk_guard import DiskGuard, full_disk_told
from heygem.jobs.job import JobRequest, JobResult, JobStatus
from heygem.jobs.task_queue import TaskQueue
from heygem.media.colour_tags import ColourTags
from heygem.media.video_sink import VideoSink
from heygem.pipeline.progress import Stage

MB = 1_000_000


@pytest.fixture
def outputs(tmp_path):
    """An outputs folder on a disk of 4 MB of its own."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


class House:
    def __init__(self, outputs):
        self.outputs = outputs
        self.clip = outputs.parent / "clip"
        self.clip.write_bytes(b"clip")
        self.frames = 3
        guard = DiskGuard(outputs, 2 * MB)
        self.queue = TaskQueue(self.run, outputs_dir=outputs, can_claim=guard.reason_to_wait)

    def run(self, job, progress):
        """Encode noise: about 90 kB a frame."""
        path = self.outputs / job.id / "result.mp4"
        size, noise = (320, 240), torch.Generator().manual_seed(0)
        colour = ColourTags().meaning(*size)
        sink = VideoSink(path, width=320, height=240, fps=Fraction(25), tags=ColourTags(), audio=None, crf=1)
        with full_disk_told(), sink:
            for number in range(self.frames):
                data = torch.randint(0, 255, (320 * 240 * 3 // 2,), dtype=torch.uint8, generator=noise)
                sink.write(Frame(data, *size, colour))
                progress.tick(Stage.DRAWING, number, self.frames)
        return JobResult(path, None, ("", ""))

    def submit(self):
        return self.queue.submit(JobRequest(self.clip, self.clip)).id

    def files(self):
        return {path.name for path in self.outputs.rglob("*") if path.is_file() and "queue" not in path.name}


@pytest.fixture
def house(outputs):
    house = House(outputs)
    yield house
    house.queue.close(0)


def test_a_disk_that_fills_up_fails_the_job_cleanly_and_the_next_goes_on(house):
    house.frames = 500
    failed = house.submit()
    house.queue.run_next()
    job = house.queue.get(failed)
    assert (job.status, job.error.code) == (JobStatus.FAILED, "disk_full")
    assert "disk is full" in job.error.text.en and "磁盘已满" in job.error.text.zh
    assert house.files() == {"clip"}  # which is its own speech
    house.frames = 3
    done = house.submit()
    house.queue.run_next()
    assert house.queue.get(done).status is JobStatus.DONE
    assert house.queue.retry(failed).status is JobStatus.QUEUED
    house.queue.run_next()
    assert house.queue.get(failed).status is JobStatus.DONE


def test_jobs_wait_for_space_say_so_and_go_on_by_themselves(house):
    (house.outputs / "somebody's file").write_bytes(os.urandom(3 * MB))
    waiting = house.submit()
    house.queue.start()
    job = house.queue.wait(waiting, timeout_s=1.5)
    assert job.status is JobStatus.QUEUED and job.attempt == 0
    assert "2 MB" in house.queue.pause_reason.en and "2 MB" in house.queue.pause_reason.zh
    (house.outputs / "somebody's file").unlink()
    assert house.queue.wait(waiting, timeout_s=60).status is JobStatus.DONE
    assert house.queue.pause_reason is None
