"""``python -m heygem``."""

import sys

from heygem.cli import main

sys.exit(main(sys.argv[1:]))
