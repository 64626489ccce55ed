"""Many jobs in one process, with the real queue, runner, decoder, lips and encoder. Prints a line of JSON per job.

PYTHONPATH=. python tests/jobs/long_run.py JOBS FOLDER tests/data/presenter.mp4
"""

import json
import os
import struct
import sys
import threading
from pathlib import Path

import numpy as np

from heygem.heap import give_back_free_pages
from heygem.jobs.job import JobRequest, JobStatus
from heygem.jobs.run_job import make_runner
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.media.wav_file import write_wav
from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings

CLIPS = 3
"""Different clips: the first jobs look for faces, the others find them in the cache."""


def write_speech(path, number):
    """0.4 s of noise, another for every job."""
    noise = np.random.default_rng(number).standard_normal(6400) * 0.09
    write_wav(path, noise, 16_000)
    return path


def write_clip(path, clip, number):
    """The clip under another hash: a box that is free at the end."""
    path.write_bytes(clip.read_bytes() + struct.pack(">I4sI", 12, b"free", number))
    return path


def look_at_this_process():
    give_back_free_pages()  # holes that the next job fills: 15 MB more or less from one look to the next
    me = Path("/proc/self")
    children = " ".join((task / "children").read_text() for task in (me / "task").iterdir())
    return {
        "rss_mb": int((me / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "fds": len(list((me / "fd").iterdir())),
        "threads": threading.active_count(),
        "children": len(children.split()),
    }


def main(jobs, folder, clip):
    settings = Settings(models_dir=folder / "models", outputs_dir=folder / "outputs", cache_dir=folder / "cache")
    watchdog = Watchdog(stall_s=600, on_stall=lambda job_id, error: os._exit(75))
    queue = TaskQueue(watchdog.watched(make_runner(settings)), outputs_dir=settings.outputs_dir)
    queue.start()
    watchdog.start()
    for number in range(jobs):
        video = write_clip(folder / "clip.mp4", clip, number % CLIPS)
        speech = write_speech(folder / "speech.wav", number)
        job = queue.wait(queue.submit(JobRequest(video, speech, RenderOptions())).id)
        assert job.status is JobStatus.DONE, job.error
        sys.stdout.write(json.dumps(look_at_this_process()) + "\n")
        sys.stdout.flush()
    queue.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
