"""What HeyGem costs. Start with ``python -m benchmarks``; no other part of the project imports this one.

First of all imports heygem, which tells OpenMP how to wait: torch reads that once, when it is loaded.
"""

import heygem  # noqa: F401
