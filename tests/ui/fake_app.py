"""The real page over a real queue whose runner copies the clip instead of drawing lips. Run by the browser tests.

What a clip's name says, its job does: "steady" takes two seconds and "slow" six, where others take no time, "endless"
goes on until it is cancelled ("moving": its share changes), "bad" fails, "flaky" fails the first time. Only a "couple"
is looked at before its job: the detector, and torch with it, would take most of the time of every test.
"""

import shutil
import socket
import sys
import time
from pathlib import Path

import uvicorn

from heygem.errors import NoFaceError, Text
from heygem.jobs.disk_guard import DiskGuard
from heygem.jobs.first_look import FirstLook
from heygem.jobs.job import JobResult
from heygem.jobs.run_log import open_run_log
from heygem.jobs.task_queue import TaskQueue
from heygem.jobs.watchdog import Watchdog
from heygem.pipeline.progress import Stage
from heygem.settings import Settings
from heygem.ui.blocks import build_app
from heygem.ui.health import Health
from heygem.ui.models_view import ModelControls, ModelRow
from heygem.ui.preflight_desk import PreflightDesk
from heygem.weights.download_desk import DownloadDesk

STEP_S = 0.02


def models_of(settings):
    from heygem.model_manager import get_model_manager  # as late as in app.py: it brings torch

    return get_model_manager(settings)


def clips_of(settings):
    from heygem.jobs.known_clips import KnownClips

    return KnownClips(settings)


def main(port, folder):
    tried = set()

    def run(job, progress):
        # A page looks once a second: what it is to see of a stage has to last longer than that.
        name = job.request.video_name
        step_s = STEP_S if "slow" in name or "steady" in name else 0
        drawing_s = 0.2 if "slow" in name else step_s
        for stage in Stage:
            for frame in range(0, 100, 5):
                progress.tick(stage, frame, 100 if stage is Stage.DRAWING else None)
                time.sleep(drawing_s if stage is Stage.DRAWING else step_s)
        while "endless" in name:
            at = int(time.monotonic()) % 100 if "moving" in name else 50
            progress.tick(Stage.DRAWING, at, 100)
            time.sleep(STEP_S)
        is_first_try = job.id not in tried
        tried.add(job.id)
        if "bad" in name or ("flaky" in name and is_first_try):
            raise NoFaceError(Text("没有找到人脸。", "No face was found."), hint=Text("换一段。", "Use another clip."))
        output = folder / "outputs" / job.id / "result.mp4"
        shutil.copyfile(job.request.video, output)
        return JobResult(output, None, Text("内置模型；Apache-2.0。", "Built-in model; Apache-2.0."))

    def look(clip, speech, options):
        if clip is None or "couple" not in clip.name:
            raise NoFaceError(Text("替身不看人脸。", "The stand-in looks at no faces."))
        return first_look.report(clip, speech, options)

    settings = Settings(
        outputs_dir=folder / "outputs",
        cache_dir=folder / "outputs/.cache",
        log_file=folder / "run.log",
    )
    run_log = open_run_log(settings.log_file)
    queue = TaskQueue(run, outputs_dir=settings.outputs_dir)
    queue.start()
    models = [ModelRow("demo", "cpu/fp32", True, 5.2, 1, 7)]
    watchdog = Watchdog(stall_s=600, on_stall=queue.give_up)
    health = Health(queue, lambda: models, DiskGuard(settings.outputs_dir, 0), watchdog)
    first_look = FirstLook(settings, lambda: models_of(settings), lambda: clips_of(settings))
    desk = PreflightDesk(first_look.headers, look)
    controls = ModelControls(lambda: None, lambda: None, lambda: None, DownloadDesk(settings.models_dir))
    app = build_app(settings, queue, lambda: models, run_log.tail, health, desk, controls)
    listener = socket.create_server(("127.0.0.1", port))
    uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)).run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
