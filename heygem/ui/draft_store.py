"""Where drafts are kept, so that a refreshed page, another tab or a restarted server has them again.

A draft lies beside the uploads that it names and goes when they go, a day later. Knows nothing of what is in it.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from heygem.errors import OptionError
from heygem.jobs.job_json import from_json, to_json
from heygem.ui.batch_draft import Draft

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{32}")
_IN_MEMORY = 100


def known_id(draft_id: object) -> str:
    """That id if it may be one, else a new one: browsers say what they remember, which may be anything."""
    return draft_id if isinstance(draft_id, str) and _ID.fullmatch(draft_id) else secrets.token_hex(16)


class DraftStore:
    """Keeps drafts by ids that nobody can guess. For any thread.

    Args:
        uploads_dir: Where uploads lie; what is old there is swept.
    """

    def __init__(self, uploads_dir: Path) -> None:
        self._root = uploads_dir.resolve()
        self._folder = self._root / "drafts"
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Draft] = OrderedDict()

    def get(self, draft_id: str) -> Draft:
        """The draft; an empty one where there is none."""
        with self._lock:
            return self._get(draft_id)

    def change(self, draft_id: str, change: Callable[[Draft], Draft]) -> tuple[Draft, Draft]:
        """Change a draft, with nobody else doing so meanwhile.

        Args:
            draft_id: Which; of an id that cannot be one nothing is kept.
            change: Makes the new one of the old one; what it raises is raised, and nothing is changed.

        Returns:
            The draft before and after.
        """
        with self._lock:
            before = self._get(draft_id)
            after = change(before)
            if after != before and _ID.fullmatch(draft_id):
                self._known[draft_id] = after
                self._write(draft_id, after)
            return before, after

    def _get(self, draft_id: str) -> Draft:
        if not _ID.fullmatch(draft_id):
            return Draft()
        if draft_id not in self._known:
            self._known[draft_id] = self._read(draft_id)
            while len(self._known) > _IN_MEMORY:
                self._known.popitem(last=False)
        self._known.move_to_end(draft_id)
        return self._known[draft_id]

    def _read(self, draft_id: str) -> Draft:
        try:
            return from_json(Draft, self._file(draft_id).read_text(encoding="utf-8"), self._root)
        except FileNotFoundError:
            return Draft()
        except (OSError, ValueError, TypeError, KeyError, OptionError) as error:  # or an older version took the option
            log.warning("a draft cannot be read and begins anew: %s", error)
            return Draft()

    def _write(self, draft_id: str, draft: Draft) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = self._file(draft_id).with_suffix(".part")
            part.write_text(to_json(draft, self._root), encoding="utf-8")
            part.replace(self._file(draft_id))
        except (OSError, UnicodeError) as error:  # or a file of the server has a name that is no text
            # The page goes on with what is in memory; only a restart of the server would lose it.
            log.warning("a draft cannot be kept: %s", error)

    def _file(self, draft_id: str) -> Path:
        return self._folder / f"{draft_id}.json"
