"""start_app.sh: its functions with stand-ins for the server, the driver and pip."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "start_app.sh"


def bash(code, *args, path="", **kwargs):
    """Run code with the script's functions at hand."""
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.run(
        ["bash", "-c", f'source "{SCRIPT}"\n{code}', "bash", *map(str, args)],
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
        **kwargs,
    )


def command(folder, name, code):
    """A stand-in for a program."""
    file = folder / name
    file.write_text(f"#!/usr/bin/env bash\n{code}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("script", ["start_app.sh", "tests/run.sh", ".ci/run"])
def test_scripts_parse(script):
    done = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_option_is_told():
    done = subprocess.run(["bash", SCRIPT, "--instal-only"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no option --instal-only" in done.stderr and "没有" in done.stderr


@pytest.mark.parametrize("status", [0, 2])
def test_the_server_is_not_started_again_when_it_means_to_end(tmp_path, status):
    server = command(tmp_path, "server", f"echo run >> {tmp_path}/runs; exit {status}")
    done = bash('supervise "$1"', server)
    assert done.returncode == status
    assert (tmp_path / "runs").read_text().count("run") == 1


def test_a_server_that_dies_is_started_again(tmp_path):
    server = command(
        tmp_path, "server", f"echo run >> {tmp_path}/runs; [[ $(wc -l < {tmp_path}/runs) -ge 3 ]] || kill -9 $$"
    )
    done = bash('FIRST_PAUSE_S=0; supervise "$1"', server)
    assert done.returncode == 0
    assert (tmp_path / "runs").read_text().count("run") == 3
    assert "exit status 137" in done.stderr


def test_a_crash_loop_ends_with_the_servers_status(tmp_path):
    server = command(tmp_path, "server", f"echo run >> {tmp_path}/runs; exit 70")
    done = bash('FIRST_PAUSE_S=0; supervise "$1"', server)
    assert done.returncode == 70
    assert (tmp_path / "runs").read_text().count("run") == 5
    assert "crashed 5 times" in done.stderr and "崩溃了 5 次" in done.stderr


def test_a_fresh_process_is_had_at_once_and_is_no_crash(tmp_path):
    server = command(
        tmp_path, "server", f"echo run >> {tmp_path}/runs; [[ $(wc -l < {tmp_path}/runs) -ge 8 ]] || exit 75"
    )
    done = bash('FIRST_PAUSE_S=300; supervise "$1"', server)
    assert done.returncode == 0
    assert (tmp_path / "runs").read_text().count("run") == 8
    assert "at once" in done.stderr and "立即重启" in done.stderr


def test_wishes_for_a_fresh_process_are_limited_too(tmp_path):
    server = command(tmp_path, "server", f"echo run >> {tmp_path}/runs; exit 75")
    done = bash('supervise "$1"', server)
    assert done.returncode == 75
    assert (tmp_path / "runs").read_text().count("run") == 20
    assert "20 times within 3600 s" in done.stderr
    (tmp_path / "runs").unlink()
    server = command(
        tmp_path, "server", f"echo run >> {tmp_path}/runs; [[ $(wc -l < {tmp_path}/runs) -ge 25 ]] || exit 75"
    )
    assert bash('FRESH_WINDOW_S=-1; supervise "$1"', server).returncode == 0


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_the_server_ends_when_the_script_is_killed(tmp_path):
    server = command(
        tmp_path,
        "server",
        f"trap 'echo clean > {tmp_path}/end; exit 0' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.05; done",
    )
    script = subprocess.Popen(["bash", "-c", f'source "{SCRIPT}"; supervise "$1"; true', "bash", server])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    script.kill()
    script.wait()
    wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())))
    assert (tmp_path / "end").read_text() == "clean\n"


def test_old_crashes_do_not_count(tmp_path):
    server = command(
        tmp_path, "server", f"echo run >> {tmp_path}/runs; [[ $(wc -l < {tmp_path}/runs) -ge 8 ]] || exit 1"
    )
    done = bash('FIRST_PAUSE_S=0; CRASH_WINDOW_S=-1; supervise "$1"', server)
    assert done.returncode == 0
    assert (tmp_path / "runs").read_text().count("run") == 8


def wait_until(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("did not happen")


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_and_then_the_script(tmp_path, number):
    server = command(
        tmp_path,
        "server",
        f"trap 'echo clean > {tmp_path}/end; exit 0' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.05; done",
    )
    script = subprocess.Popen(
        ["bash", "-c", f'source "{SCRIPT}"; supervise "$1"', "bash", server],
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in a shell's background ignore SIGINT, and what they start could not trap it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    script.send_signal(number)
    assert script.wait(20) == 0
    script.stderr.close()
    assert (tmp_path / "end").read_text() == "clean\n"
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_server_that_will_not_stop_is_killed(tmp_path):
    server = command(tmp_path, "server", f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.05; done")
    script = subprocess.Popen(["bash", "-c", f'source "{SCRIPT}"; STOP_LIMIT_S=1; supervise "$1"', "bash", server])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    script.terminate()
    assert script.wait(20) == 137
    assert not is_alive(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(("grace", "limit"), [("", 40), ("20", 40), ("300.5", 320), ("090", 110), ("soon", 40)])
def test_a_server_has_the_time_that_it_gives_its_job(monkeypatch, grace, limit):
    monkeypatch.setenv("HEYGEM_STOP_GRACE_S", grace)
    assert bash("echo $STOP_LIMIT_S").stdout == f"{limit}\n"


def test_a_signal_between_two_starts_ends_the_script(tmp_path):
    server = command(tmp_path, "server", f"echo run >> {tmp_path}/runs; exit 1")
    script = subprocess.Popen(
        ["bash", "-c", f'source "{SCRIPT}"; FIRST_PAUSE_S=300; supervise "$1"', "bash", server],
        stderr=subprocess.PIPE,
        text=True,
    )
    while "again in 300 s" not in script.stderr.readline():
        pass
    script.terminate()
    assert script.wait(20) == 0
    script.stderr.close()
    assert (tmp_path / "runs").read_text() == "run\n"


@pytest.mark.parametrize(
    ("driver", "chosen"), [("570.86.10", "requirements-cuda12.txt"), ("580.65.06", "requirements.txt")]
)
def test_an_old_driver_gets_the_older_torch(tmp_path, driver, chosen):
    command(tmp_path, "nvidia-smi", f"echo {driver}; echo {driver}")
    done = bash("choose_requirements", path=tmp_path)
    assert done.stdout.strip() == chosen
    assert ("CUDA 12" in done.stderr) == (chosen != "requirements.txt")


def test_a_broken_driver_or_none_gets_what_is_fast_on_a_cpu(tmp_path):
    command(tmp_path, "nvidia-smi", "echo 'NVIDIA-SMI has failed' ; exit 9")
    assert bash("choose_requirements", path=tmp_path).stdout.strip() == "requirements-cpu.txt"


def test_a_driver_that_hangs_is_told_and_not_waited_for(tmp_path):
    command(tmp_path, "nvidia-smi", f"echo $$ > {tmp_path}/pid; exec sleep 300")
    done = bash("DRIVER_LIMIT_S=1; choose_requirements", path=tmp_path)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert done.stdout.strip() == "requirements-cpu.txt"
    assert "does not answer" in done.stderr and "没有响应" in done.stderr


def test_no_suitable_python_is_told(tmp_path):
    for name in ("python3.11", "python3.12", "python3", "python"):
        command(tmp_path, name, "exit 1")
    done = bash("find_python", path=tmp_path)
    assert done.returncode == 1
    assert "No Python 3.11 or 3.12" in done.stderr and "没有找到" in done.stderr


@pytest.fixture
def checkout(tmp_path):
    """A folder with a space in its name, where python makes a .venv whose python notes what pip is asked for."""
    tools, folder = tmp_path / "tools", tmp_path / "my checkout"
    tools.mkdir()
    folder.mkdir()
    (folder / "requirements-cpu.txt").write_text("zero\n")
    (folder / "requirements.txt").write_text("one\n")
    (folder / "requirements-base.txt").write_text("two\n")
    inner = (
        'if [[ "$*" == *version_info* ]]; then exit "$(cat ../is_other)"; fi; '
        'if [[ "$*" == *install* ]]; then while [[ -e ../slow ]]; do sleep 0.05; done; '
        "echo pip >> ../calls; status=$(cat ../pip_status); "
        '[[ $status != killed ]] || kill -9 $PPID; exit "$status"; fi'
    )
    code = f"""if [[ "$1 $2" == "-m venv" ]]; then
  rm -rf .venv; mkdir -p .venv/bin; echo venv >> ../calls
  printf '%s\\n' '#!/usr/bin/env bash' '{inner}' > .venv/bin/python
  chmod +x .venv/bin/python
fi"""
    command(tools, "python3.11", code)
    command(tools, "nvidia-smi", "exit 9")
    (tmp_path / "pip_status").write_text("0")
    (tmp_path / "is_other").write_text("0")
    (tmp_path / "calls").write_text("")

    def install():
        (tmp_path / "calls").write_text("")
        done = bash("install", path=tools, cwd=folder)
        return done.returncode, (tmp_path / "calls").read_text().split()

    return folder, install, tmp_path / "pip_status"


def test_the_second_start_leaves_pip_alone(checkout):
    folder, install, _ = checkout
    assert install() == (0, ["venv", "pip"])
    assert install() == (0, [])
    for name in ("requirements-cpu.txt", "requirements.txt", "requirements-base.txt"):
        (folder / name).write_text("three\n")
        assert install() == (0, ["pip"])
        assert install() == (0, [])


def test_an_installation_that_was_killed_is_made_anew(checkout):
    _, install, pip_status = checkout
    pip_status.write_text("killed")
    assert install() == (-9, ["venv", "pip"])
    pip_status.write_text("0")
    assert install() == (0, ["venv", "pip"])
    assert install() == (0, [])


def test_an_installation_that_failed_is_tried_again_and_ends_the_start(checkout):
    _, install, pip_status = checkout
    pip_status.write_text("1")
    assert install() == (1, ["venv", "pip"])
    pip_status.write_text("0")
    assert install() == (0, ["pip"])


def test_a_broken_environment_is_made_anew(checkout):
    folder, install, _ = checkout
    install()
    (folder / ".venv/bin/python").unlink()
    assert install() == (0, ["venv", "pip"])


def test_an_environment_of_another_python_is_made_anew(checkout):
    folder, install, pip_status = checkout
    install()
    (folder / "requirements.txt").write_text("three\n")
    (pip_status.parent / "is_other").write_text("1")
    assert install() == (0, ["venv", "pip"])


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed")
def test_a_second_start_waits_for_the_installation_of_the_first(checkout):
    folder, install, pip_status = checkout
    slow, calls = pip_status.parent / "slow", pip_status.parent / "calls"
    slow.touch()
    code = f'source "{SCRIPT}"; PATH="{pip_status.parent / "tools"}:$PATH"; install'
    starts = [subprocess.Popen(["bash", "-c", code], cwd=folder, stderr=subprocess.PIPE, text=True)]
    wait_until((folder / ".venv/.installing").exists)
    starts.append(subprocess.Popen(["bash", "-c", code], cwd=folder, stderr=subprocess.PIPE, text=True))
    assert "另一个安装正在进行" in starts[1].stderr.readline()
    slow.unlink()
    assert [(start.communicate(timeout=60), start.returncode)[1] for start in starts] == [0, 0]
    assert calls.read_text().split() == ["venv", "pip"]
    assert install() == (0, [])
