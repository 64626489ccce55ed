"""The seven fields, held to the standard."""

from __future__ import annotations

import json

import pytest

from heygem.errors import MediaError
from heygem.media.aigc import FIELDS, KEY, aigc_fields, parse_aigc, to_metadata

GOOD = aigc_fields("HeyGem", "job-1")


def test_fields_come_back_bare_and_wrapped() -> None:
    assert tuple(GOOD) == FIELDS
    assert parse_aigc(to_metadata(GOOD)[KEY]) == GOOD
    assert parse_aigc(json.dumps({KEY: GOOD})) == GOOD


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (json.dumps({key: value for key, value in GOOD.items() if key != "ReservedCode2"}), "ReservedCode2 is missing"),
        (json.dumps(GOOD | {"Label": 1}), "not a string"),
        (json.dumps(GOOD | {"Label": "4"}), "Label has the value '4'"),
        (json.dumps(GOOD | {"ProduceID": ""}), "ProduceID is empty"),
        (json.dumps(GOOD | {"ContentProducer": "my service"}), "not allowed"),
        (json.dumps(GOOD | {"ContentProducer": "某公司"}), "not allowed"),
        (json.dumps(GOOD | {"PropagateID": 'a"b'}), "not allowed"),
        (json.dumps(GOOD | {"PropagateID": "a\\b"}), "not allowed"),
        (json.dumps(GOOD | {"PropagateID": "a\n"}), "not allowed"),
        ("Label=1", "not JSON"),
        ("[1]", "not an object"),
        (json.dumps({KEY: []}), "Label is missing"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused(text: str, fault: str) -> None:
    with pytest.raises(MediaError, match=fault) as refused:
        parse_aigc(text)
    assert refused.value.code == "aigc_malformed"
