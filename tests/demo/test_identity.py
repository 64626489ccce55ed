from __future__ import annotations

from dataclasses import astuple

import numpy as np

from heygem.demo.identity import Identity


def same(one: Identity, other: Identity) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(astuple(one), astuple(other), strict=True))


def test_a_seed_is_one_person() -> None:
    assert same(Identity.of(7), Identity.of(7))
    assert not same(Identity.of(7), Identity.of(8))


def test_people_differ_in_skin_hair_beards_and_glasses() -> None:
    people = [Identity.of(seed) for seed in range(150)]
    assert {person.hair_style for person in people} == {"short", "parted", "swept", "fringe", "long", "bun", "buzz"}
    assert {person.beard for person in people} == {"none", "stubble", "full", "goatee"}
    assert {person.glasses for person in people} == {"none", "bold", "thin", "round"}
    assert {person.clothes for person in people} == {"tee", "blazer", "shirt", "sweater"}
    brightness = [float(person.skin.mean()) for person in people]
    assert min(brightness) < 0.15
    assert max(brightness) > 0.45


def test_colours_can_be_reflected() -> None:
    for seed in range(50):
        person = Identity.of(seed)
        for colour in (person.skin, person.lip, person.hair, person.iris, person.teeth, person.cloth):
            assert colour.dtype == np.float32
            assert colour.min() > 0
            assert colour.max() < 1
