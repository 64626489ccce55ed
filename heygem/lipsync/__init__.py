"""Lip engines. Each public module here except `base` holds one, as ``ENGINE``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from heygem.errors import Text, UnknownEngineError
from heygem.lipsync.base import LipEngine

__all__ = ["LipEngine", "lip_engine", "lip_engines"]


@cache
def lip_engines() -> dict[str, LipEngine]:
    """Every lip engine by name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name != "base")
    engines: list[LipEngine] = [import_module(f"{__name__}.{name}").ENGINE for name in names]
    return {engine.name: engine for engine in engines}


def lip_engine(name: str, speakers: Sequence[str] = ()) -> LipEngine:
    """The lip engine of that name.

    Args:
        name: Of an engine of this package.
        speakers: What else could have been named, for the error.

    Raises:
        UnknownEngineError: there is none.
    """
    engines = lip_engines()
    if name not in engines:
        names = ", ".join([*engines, *speakers])
        raise UnknownEngineError(
            Text(f"没有名为 {name!r} 的口型引擎。", f"There is no lip engine {name!r}."),
            hint=Text(f"可用：auto、{names}，或权重文件的路径。", f"Use auto, {names}, or the path of a weights file."),
        )
    return engines[name]
