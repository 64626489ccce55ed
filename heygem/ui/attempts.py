"""How often somebody may try a password. Knows addresses and names, and nothing of what was tried."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeAlias

WINDOW_S = 60.0
"""Seconds for which a wrong try counts."""
TRIES_PER_NAME = 5
"""Wrong tries in that time, from one address for one name."""
TRIES_PER_ADDRESS = 20
"""Wrong tries in that time, from one address for whatever names."""

_MANY = 10_000
"""Entries from which those that ended are looked for and dropped."""

_Key: TypeAlias = tuple[str, ...]


class Attempts:
    """Counts tries from when they begin, so that many at once are no way around. For one thread.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[_Key, list[float]] = {}

    def begin(self, address: str, name: str) -> float:
        """Count a try.

        Returns:
            0, or the seconds after which one may try again; then this one must not be looked at.
        """
        now = self._clock()
        if len(self._begun) > _MANY:
            self._begun = {key: times for key, times in self._begun.items() if now - times[-1] < WINDOW_S}
        place = _neighbourhood(address)
        keys = {(place, name): TRIES_PER_NAME, (place,): TRIES_PER_ADDRESS}
        wait_s = max(self._wait(key, most, now) for key, most in keys.items())
        if wait_s == 0:
            for key in keys:
                self._begun.setdefault(key, []).append(now)
        return wait_s

    def was_right(self, address: str, name: str) -> None:
        """The try that was begun last was right: it does not count, and neither do this name's earlier ones."""
        place = _neighbourhood(address)
        self._begun.pop((place, name), None)
        times = self._begun.get((place,), [])
        if times:
            times.pop()
        if not times:
            self._begun.pop((place,), None)

    def _wait(self, key: _Key, most: int, now: float) -> float:
        times = [time_s for time_s in self._begun.get(key, ()) if now - time_s < WINDOW_S]
        if key in self._begun:
            self._begun[key] = times
        if not times:
            self._begun.pop(key, None)
        return 0.0 if len(times) < most else times[-most] + WINDOW_S - now


def _neighbourhood(address: str) -> str:
    """The address, or for IPv6 the network that one household or server has for itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return found.exploded[:19]
    return str(found)
