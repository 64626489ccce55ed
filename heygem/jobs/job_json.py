"""Jobs' values as JSON and back, exactly. Driven by the fields' types: a new field needs nothing here.

A field that is missing takes its default, one that no longer exists is ignored: an older version's rows can be read.
Whoever takes a value away that rows may hold, or adds a field without a default, migrates the rows.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: object, root: Path) -> str:
    """One of the dataclasses of `jobs.job` as JSON.

    Args:
        value: It may hold text, numbers, bool, None, paths, fractions, enums, tuples, named tuples and dataclasses.
        root: An absolute folder. Paths inside it are kept relative to it, so that it may be moved with all it holds.

    Raises:
        TypeError: it holds something else.
    """
    return json.dumps(_plain(value, root), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def from_json(kind: type[T], text: str, root: Path) -> T:
    """The value that `to_json` was given, of type `kind`."""
    return cast(T, _read(cast(Any, kind), text, root))


@lru_cache(maxsize=4096)  # an open page looks at the same jobs every second
def _read(kind: Any, text: str, root: Path) -> object:
    return _typed(kind, json.loads(text), root)


def _plain(value: object, root: Path) -> Any:
    if value is None or isinstance(value, bool | int | float | str):  # an enum of ours is text
        return value
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Path):
        path = value.absolute()
        return str(path.relative_to(root) if path.is_relative_to(root) else path)
    if isinstance(value, tuple):  # a named one as well: its fields keep their order
        return [_plain(item, root) for item in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), root) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON here.")


def _typed(kind: Any, plain: Any, root: Path) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return None if plain is None else _typed(_without_none(kind), plain, root)
    if origin is tuple:
        return tuple(_typed(item, value, root) for item, value in zip(_item_types(kind, plain), plain, strict=True))
    if origin is Literal or kind in (str, bool, int):
        return plain
    if kind is float:
        return float(plain)
    if kind is Path:
        return root / plain
    if isinstance(plain, dict):  # a dataclass
        hints = _hints(kind)
        return kind(**{name: _typed(hints[name], value, root) for name, value in plain.items() if name in hints})
    if issubclass(kind, tuple):  # a named one
        return kind(*(_typed(hint, value, root) for hint, value in zip(_hints(kind).values(), plain, strict=False)))
    return kind(plain)


def _without_none(kind: Any) -> Any:
    (other,) = (part for part in get_args(kind) if part is not NoneType)
    return other


def _item_types(kind: Any, plain: list[Any]) -> tuple[Any, ...]:
    types = get_args(kind)
    return (types[0],) * len(plain) if types[-1] is Ellipsis else types


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
