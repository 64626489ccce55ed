"""HeyGem: one recording of speech and any number of clips in; videos in which the person speaks it out."""

import ctypes
import os
import sys

from heygem.allowance import are_limited, processors

__version__ = "0.1.0"

# Torch counts the machine's processors, not those that a container is allowed; OpenVINO and HeyGem take torch's word.
if are_limited():
    os.environ.setdefault("OMP_NUM_THREADS", str(processors()))

# OpenMP's idle threads spin by default, which makes torch's many small operations 15 times dearer as soon as ffmpeg
# wants the cores too. Read when torch loads OpenMP, hence here, before anything imports torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The same of numpy's matrices, all of which are small here. The threads of its OpenBLAS spin while they wait for each
# other: beside other work, measuring the offset of a clip took four of them minutes, and takes one 0.4 s.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# OpenVINO would tell its makers of every conversion, from a process that it forks for that: nothing leaves this machine
# unasked, and a fork beside a thread that imports may stand still for ever. Without this module it keeps silent.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

# The C library gives threads heaps of their own, up to eight for each core, and each keeps what it once held: ten
# minutes of video took 57 MB more than ten seconds; with two heaps they take 35 MB more, at the same speed. Heaps that
# are there stay: hence here, before there are threads.
_M_ARENA_MAX = -8
if (_mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:  # glibc's
    _mallopt(_M_ARENA_MAX, 2)
