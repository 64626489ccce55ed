"""A runner for actors that renders nothing: its clip's words say what it does. Loaded by its name on the node."""

import logging
import os
import time
from pathlib import Path

from heygem.errors import NoFaceError, Text
from heygem.jobs.job import JobResult
from heygem.pipeline.progress import Stage

log = logging.getLogger("heygem.stand_in")


def make_runner(settings, share_of):
    """What `heygem.jobs.run_job.make_runner` does; the result tells who made it from what."""

    def run(job, progress):
        words = job.request.video.read_text().split()
        speech = job.request.audio.read_text()
        log.info("drawing %s", " ".join(words))
        if "no-face" in words:
            raise NoFaceError(Text("没有脸", "no face in clip"), hint=Text("换", "another"))
        if "bug" in words:
            raise ZeroDivisionError("a bug")
        if "die" in words:
            os._exit(9)
        frames = int(words[0]) if words and words[0].isdigit() else 3
        for frame in range(frames):
            progress.tick(Stage.DRAWING, frame, frames)
            time.sleep(0.02)
        output = settings.outputs_dir / job.id / "result.mp4"
        part = output.with_name(".result.part")
        part.write_text(f"{' '.join(words)}|{speech}|{os.getpid()}")
        part.replace(output)
        Path(output.with_suffix(".json")).write_text("{}")
        return JobResult(output, None, Text("好", "good"))

    return run
