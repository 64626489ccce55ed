import os
import subprocess
import sys

from heygem.jobs.process_identity import is_alive, own_identity

NAME = """import sys
from heygem.jobs.process_identity import own_identity
print(own_identity(), flush=True)
sys.stdin.read()"""


def test_a_process_knows_itself():
    assert is_alive(own_identity())
    assert own_identity() == own_identity()


def test_another_process_is_alive_until_it_ends():
    with subprocess.Popen([sys.executable, "-c", NAME], stdin=-1, stdout=-1, text=True) as other:
        name = other.stdout.readline().strip()
        assert name != own_identity() and is_alive(name)
        other.kill()
        # Killed and not yet waited for, it is a zombie: nothing of it runs any more.
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(name)
    assert not is_alive(name)


def test_a_process_id_that_is_used_again_is_another_process():
    boot, pid, started = own_identity().split(":")
    assert not is_alive(f"{boot}:{pid}:{int(started) - 1}")


def test_a_process_of_another_boot_is_dead():
    boot, pid, started = own_identity().split(":")
    assert not is_alive(f"{boot[::-1]}:{pid}:{started}")
