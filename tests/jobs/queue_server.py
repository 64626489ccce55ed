"""A server process without a page: the real queue, and a runner that writes a small file slowly. For test_chaos.py.

    python queue_server.py FOLDER STEP_S GRACE_S MAX_ATTEMPTS

Says "ready" when it is, and ends at SIGTERM as the server does. A job whose clip is called poison takes the process
down with it.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from heygem.errors import Text
from heygem.jobs.job import JobResult
from heygem.jobs.task_queue import TaskQueue
from heygem.pipeline.progress import Stage

CHUNK = b"0123456789abcdef" * 1024
CHUNKS = 5


def main(folder, step_s, grace_s, max_attempts):
    def run(job, progress):
        if job.request.video_name == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        output = folder / job.id / "result.bin"
        part = output.with_suffix(".part")
        with part.open("wb") as file:
            for number in range(CHUNKS):
                progress.tick(Stage.DRAWING, number, CHUNKS)
                file.write(CHUNK)
                file.flush()
                time.sleep(step_s)
            os.fsync(file.fileno())
        part.replace(output)
        return JobResult(output, None, Text("", ""))

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    queue = TaskQueue(run, outputs_dir=folder, capacity=100_000, keep=0, max_attempts=max_attempts)
    queue.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    stop.wait()
    queue.close(grace_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
