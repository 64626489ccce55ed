"""The label that machines read: the key ``AIGC`` in a file's metadata, as GB 45438-2025, appendix E, lays it out.

Knows the seven fields and containers' metadata; knows nothing of pictures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from heygem.errors import MediaError, Text
from heygem.media.open_file import open_container

KEY = "AIGC"
FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
_MAY_BE_EMPTY = ("ReservedCode1", "ReservedCode2")
_LABELS = ("1", "2", "3")
"""Content is generated, may be, is suspected to be."""

_ALLOWED = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]*")
"""What a value may hold: no space, no quotation mark, no backslash, nothing but ASCII."""

COMMENT = "AI生成 / AI-generated"
"""For players, which show the comment of a file and not its other keys."""


def aigc_fields(producer: str, content_id: str) -> dict[str, str]:
    """The seven fields of a new file, which its producer is also the first to pass on.

    Args:
        producer: Name or code of the service.
        content_id: Unique name of the content.

    Raises:
        ValueError: one holds a character that is not allowed, or is empty.
    """
    fields = dict.fromkeys(FIELDS, "")
    fields |= {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": content_id,
        "ContentPropagator": producer,
        "PropagateID": content_id,
    }
    if fault := fault_of(fields):
        raise ValueError(fault.en)
    return fields


def to_metadata(fields: Mapping[str, str]) -> dict[str, str]:
    """What a container is to say of a file with these fields, by key."""
    return {KEY: json.dumps(dict(fields), separators=(",", ":")), "comment": COMMENT}


def read_aigc(path: Path) -> str | None:
    """What stands in a file under the key AIGC, or one that contains it; None if there is no such key.

    Raises:
        MediaError: the file cannot be read.
    """
    with open_container(path) as container:
        found = [value for key, value in container.metadata.items() if KEY in key.upper()]
    return found[0] if found else None


def parse_aigc(text: str) -> dict[str, str]:
    """The seven fields that `text` holds: bare, as tools write them, or within ``{"AIGC": ...}``, as in the standard.

    Raises:
        MediaError: with code aigc_malformed, if they are not what the standard asks for.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _malformed(Text("不是 JSON", "it is not JSON")) from error
    if isinstance(found, dict) and isinstance(found.get(KEY), dict):
        found = found[KEY]
    if not isinstance(found, dict):
        raise _malformed(Text("不是 JSON 对象", "it is not an object"))
    if fault := fault_of(found):
        raise _malformed(fault)
    return found


def fault_of(fields: Mapping[str, object]) -> Text | None:
    """What is wrong with the seven fields, in a few words; None if nothing is."""
    for name in FIELDS:
        value = fields.get(name)
        if not isinstance(value, str):
            return Text(f"缺少字段 {name} 或其值不是字符串", f"{name} is missing or not a string")
        if not _ALLOWED.fullmatch(value):
            return Text(
                f"{name} 含有不允许的字符：{value!r}", f"{name} holds a character that is not allowed: {value!r}"
            )
        if not value and name not in _MAY_BE_EMPTY:
            return Text(f"{name} 为空", f"{name} is empty")
    if fields["Label"] not in _LABELS:
        return Text(f"Label 的值 {fields['Label']!r} 无效", f"Label has the value {fields['Label']!r}")
    return None


def _malformed(fault: Text) -> MediaError:
    return MediaError(
        Text(f"AIGC 元数据不符合标准：{fault.zh}。", f"The AIGC metadata is not as the standard asks for: {fault.en}."),
        hint=Text("请使用原始文件。", "Use the original file."),
        code="aigc_malformed",
    )
