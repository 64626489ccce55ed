"""Names of files as text. Knows nothing of files."""

from __future__ import annotations


def as_text(name: str) -> str:
    """A name that can be shown, kept and sent: a byte of it that is no UTF-8 becomes the sign for the unknown, �.

    Files from older systems have such names, in GBK for one. Python hands them on in a form that nothing else takes.
    """
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
