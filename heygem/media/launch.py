"""Becomes another program, confined: run as a script, by path, in a bare interpreter; 12 ms.

The limits are set here and not between fork and exec of the server: that runs Python in a copy of a process with many
threads, which may hang, and copies the page tables of a process with models in memory.

Imports nothing of HeyGem. The child is killed when the thread that started it ends, which is how Linux defines it.

Usage: launch.py PARENT_PID ADDRESS_SPACE FILE_SIZE CPU_S PROGRAM ARGUMENT...; a limit of 0 is none.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the limits and become the program."""
    parent, address_space, file_size, cpu_s = (int(word) for word in sys.argv[1:5])
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit(1)  # it died before the line above
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: address_space or None,
        resource.RLIMIT_FSIZE: file_size or None,
        resource.RLIMIT_CPU: cpu_s or None,
    }
    for kind, limit in limits.items():
        if limit is not None:
            _, highest = resource.getrlimit(kind)
            lowered = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
            resource.setrlimit(kind, (lowered, lowered))
    # Python ignores this signal and a child would go on ignoring it; SIGXFSZ stays ignored: complaints just end there.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
