"""How the server's process ends. Its page and its real jobs are in tests/browser/."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import uvicorn

import app
from heygem.errors import DeviceLostError, Text
from heygem.jobs.file_lock import hold_outputs
from heygem.jobs.job import Job, JobRequest, JobStatus
from heygem.jobs.job_folder import take_inputs
from heygem.jobs.task_queue import TaskQueue
from heygem.lipsync.demo import DemoModel
from heygem.media.wav_file import write_wav
from heygem.model_manager import ModelManager
from heygem.pipeline.options import RenderOptions
from heygem.pipeline.progress import Silent
from heygem.settings import Settings
from heygem.ui.preflight_desk import Question


class Queue:
    def __init__(self):
        self.graces = []

    def stop(self, grace_s):
        self.graces.append(grace_s)


@pytest.fixture
def parts(monkeypatch):
    """A shutdown with a clock, a queue and a server."""
    parts = SimpleNamespace(
        now=100.0, queue=Queue(), server=SimpleNamespace(should_exit=False), shutdown=app.Shutdown()
    )
    monkeypatch.setattr("app.time.monotonic", lambda: parts.now)
    parts.shutdown.attach(parts.queue, parts.server, grace_s=20.0)
    return parts


def test_the_first_signal_gives_the_running_job_its_time_and_the_second_none(parts):
    parts.shutdown.on_signal(15, None)
    assert (parts.queue.graces, parts.server.should_exit) == ([20.0], True)
    parts.now += 1.5
    parts.shutdown.on_signal(15, None)
    assert parts.queue.graces == [20.0, 0]
    assert parts.shutdown.status == 0


def test_ctrl_c_that_comes_twice_is_one_signal(parts):
    for number in (2, 15):
        parts.shutdown.on_signal(number, None)
    assert 0 not in parts.queue.graces


def test_a_signal_during_the_start_is_not_forgotten():
    shutdown, server = app.Shutdown(), SimpleNamespace(should_exit=False)
    shutdown.on_signal(15, None)
    shutdown.attach(Queue(), server, grace_s=20.0)
    assert server.should_exit


@pytest.mark.parametrize(
    ("settings", "is_preloading"),
    [({}, True), ({"preload": False}, False), ({"ray_address": "local"}, False)],
)
def test_the_models_are_loaded_before_the_first_job_unless_they_are_not_wanted_here(settings, is_preloading):
    assert app._is_preloading(Settings(**settings)) is is_preloading


def test_models_are_loaded_when_requests_are_answered_already():
    opened = []

    async def answer(scope, receive, send):
        pass

    with app._listen(Settings(port=0)) as listener:
        server = app.Server(
            uvicorn.Config(answer, lifespan="off"), app.Shutdown(), lambda: opened.append(bool(server.started))
        )
        asyncio.run(opened_and_closed(server, listener, opened))


async def opened_and_closed(server, listener, opened):
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    assert not opened
    await server.startup([listener])
    assert opened == [True] and server.started
    await server.shutdown([listener])


def test_the_first_job_finds_the_preloaded_models_and_what_else_takes_seconds(tmp_path, caplog, monkeypatch):
    heard, listen = [], DemoModel.listen
    monkeypatch.setattr(DemoModel, "listen", lambda *args, **more: heard.append(listen(*args, **more)))
    worker = app.Worker(Settings(models_dir=tmp_path, cache_dir=tmp_path, device="cpu"))
    worker._manager = ModelManager(10**9)  # not that of this process, which has models of other tests
    with caplog.at_level("INFO", logger="heygem"):
        worker.first_look.warm_up()
        worker.first_look.warm_up()  # as a job leases them
    lines = [record.getMessage() for record in caplog.records]
    assert sum("正在加载模型" in line for line in lines) == 2  # lips and detector
    assert sum("检测到已加载模型，跳过加载步骤" in line for line in lines) == 2
    assert len(heard) == 2 and "librosa" in sys.modules


@pytest.fixture
def asked(tmp_path):
    """A worker, and an upload that its page was asked about."""
    outputs = tmp_path / "outputs"
    uploads = outputs / ".cache" / "uploads"
    uploads.mkdir(parents=True)
    clip = shutil.copyfile(Path(__file__).parent / "data" / "presenter.mp4", uploads / "clip.mp4")
    write_wav(uploads / "speech.wav", np.random.default_rng(0).standard_normal(6_400, np.float32) * 0.1, 16_000)
    worker = app.Worker(
        Settings(models_dir=tmp_path, outputs_dir=outputs, cache_dir=outputs / ".cache", device="cpu", min_free_mb=0)
    )
    worker._manager = ModelManager(10**9)
    question = Question(clip, uploads / "speech.wav", RenderOptions(enhancer="none"))
    assert worker.first_look.report(question.clip, question.speech, question.options).is_fit
    return SimpleNamespace(worker=worker, question=question, outputs=outputs)


def known(asked):
    return list((asked.outputs / ".cache" / "tracks").glob("*.npz"))


def test_what_was_found_out_ahead_is_known_to_the_job(asked, monkeypatch):
    assert asked.worker.search_ahead(asked.question, lambda: True) and len(known(asked)) == 1
    inputs = JobRequest(asked.question.clip, asked.question.speech, asked.question.options)
    request = take_inputs(inputs, asked.outputs / "0123456789ab")
    for again in ("media.intake._decode_all", "faces.haar.HaarDetector.detect"):
        monkeypatch.setattr(f"heygem.{again}", None)
    monkeypatch.setattr("heygem.model_manager.get_model_manager", lambda settings: asked.worker.manager())
    made = asked.worker.run(Job("0123456789ab", request, JobStatus.RUNNING, queued_s=0.0), Silent())
    assert made.output.stat().st_size > 0


def test_nothing_is_done_ahead_beside_a_job_or_unless_it_is_wanted(asked, monkeypatch):
    looks = []
    begun, ended = threading.Event(), threading.Event()

    def run(job, progress):
        with monkeypatch.context() as patch:
            patch.setattr(asked.worker.first_look, "search_ahead", None)
            looks.append(asked.worker.search_ahead(asked.question, lambda: True))
        begun.set()
        assert ended.wait(20)
        raise DeviceLostError(Text("", ""))

    def until_a_job_begins():
        job.start()
        return begun.wait(20)

    def do_a_job():
        with pytest.raises(DeviceLostError):
            asked.worker.run(None, Silent())

    asked.worker._run = run
    job = threading.Thread(target=do_a_job)
    assert not asked.worker.search_ahead(asked.question, until_a_job_begins)
    ended.set()
    job.join(20)
    assert looks == [False] and not known(asked)
    answers = iter([True, False])
    assert not asked.worker.search_ahead(asked.question, lambda: next(answers)) and not known(asked)
    assert asked.worker.search_ahead(asked.question, lambda: True) and known(asked)


@pytest.fixture
def own_signals():
    """Puts back what answers signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def set_environment(monkeypatch, folder):
    for name, value in {
        "PORT": 0,
        "OUTPUTS_DIR": folder / "outputs",
        "CACHE_DIR": folder / "cache",
        "LOG_FILE": folder / "run.log",
        "MIN_FREE_MB": 0,
        "AUTH": "ann:s3cret",
    }.items():
        monkeypatch.setenv(f"HEYGEM_{name}", str(value))


def test_a_second_server_on_the_same_results_is_refused(tmp_path, monkeypatch, own_signals, capsys):
    set_environment(monkeypatch, tmp_path)
    monkeypatch.setattr("app._open_log", lambda settings: None)
    (tmp_path / "outputs").mkdir()
    with hold_outputs(tmp_path / "outputs"):
        assert app.main() == app.EXIT_BAD_START
    assert "Another server works in" in capsys.readouterr().err


def test_a_folder_for_inputs_that_is_not_there_ends_the_start(tmp_path, monkeypatch, own_signals, capsys):
    set_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("HEYGEM_INPUT_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr("app._open_log", lambda settings: None)
    assert app.main() == app.EXIT_BAD_START
    assert f"names {tmp_path / 'gone'}, which is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(("before", "is_answered"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)])
def test_a_closed_terminal_is_a_signal_to_stop_unless_it_is_to_be_ignored(
    monkeypatch, own_signals, before, is_answered
):
    signal.signal(signal.SIGHUP, before)
    monkeypatch.setenv("HEYGEM_PORT", "none")  # it gets no further
    assert app.main() == app.EXIT_BAD_START
    assert (signal.getsignal(signal.SIGHUP) is not before) is is_answered


@pytest.mark.filterwarnings("default")
def test_a_lost_device_ends_the_process_with_75_and_its_job_waits_for_the_next(tmp_path, monkeypatch, own_signals):
    environments = []

    def run(job, progress):
        environments.append(dict(os.environ))
        raise DeviceLostError(Text("显卡出错。", "The device failed."))

    outputs, clip = tmp_path / "outputs", tmp_path / "clip"
    clip.write_text("clip")
    queue = TaskQueue(run, outputs_dir=outputs)
    job = queue.submit(JobRequest(clip, clip))
    set_environment(monkeypatch, tmp_path)
    monkeypatch.setattr("app.make_runner", lambda settings, clips: run)
    # Should it go on serving, it is told to stop, and its status is another.
    patience = threading.Timer(60, lambda: os.kill(os.getpid(), signal.SIGTERM))
    patience.start()
    status = app.main()
    patience.cancel()
    assert status == app.EXIT_PROCESS_LOST == 75
    assert (queue.get(job.id).status, queue.get(job.id).attempt) == (JobStatus.QUEUED, 1)
    assert "s3cret" not in str(environments[0]) and "HEYGEM_PORT" in environments[0]
    assert "The device failed." in (tmp_path / "run.log").read_text(encoding="utf-8")
    queue.close()
