"""``python -m heygem``."""

import io
import sys

from heygem.cli import main

for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
        # A name that the terminal cannot show is no reason to fail.
        stream.reconfigure(errors="backslashreplace")
sys.exit(main(sys.argv[1:]))
