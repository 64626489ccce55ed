from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import torch

from heygem.demo.articulation import FPS
from heygem.speech.windows import MelWindows
from heygem.training import batches as module
from heygem.training.batches import Batch, net_input, pair_batches, picture_batches, pictures, window_batches, windows
from heygem.training.shards import Talkers


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches as drawn, without other light and loudness."""
    monkeypatch.setattr(module, "augmented", lambda batch, rng: batch)


def owners(crops: torch.Tensor, people: Talkers) -> list[tuple[int, int]]:
    """Which person and which of its pictures each crop is."""
    everything = {
        person.crops[own].tobytes(): (which, own)
        for which, person in enumerate(people.talkers)
        for own in range(len(person.crops))
    }
    shown = (crops * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return [everything[crop.tobytes()] for crop in shown]


def drawn(people: Talkers, pair_share: float, count: int = 20) -> Batch:
    return next(pair_batches(people, count, pair_share, np.random.default_rng(0)))


@pytest.mark.usefixtures("plain")
def test_the_reference_of_a_pair_is_the_partner_and_lends_the_upper_half(people: Talkers) -> None:
    batch = drawn(people, pair_share=1)
    truths, references = owners(batch.truth, people), owners(batch.reference, people)
    assert references == [(which, own ^ 1) for which, own in truths]
    assert torch.equal(batch.upper, batch.reference)
    assert len(set(truths)) > 5


@pytest.mark.usefixtures("plain")
def test_a_random_reference_is_another_picture_of_the_same_person(people: Talkers) -> None:
    batch = drawn(people, pair_share=0, count=60)
    truths, references = owners(batch.truth, people), owners(batch.reference, people)
    assert [which for which, _ in truths] == [which for which, _ in references]
    assert all(truth != reference for truth, reference in zip(truths, references, strict=True))
    assert torch.equal(batch.upper, batch.truth)


@pytest.mark.usefixtures("plain")
def test_each_sample_hears_the_moment_that_it_shows(people: Talkers) -> None:
    batch = drawn(people, pair_share=1)
    for heard, (which, own) in zip(batch.mel, owners(batch.truth, people), strict=True):
        person = people.talkers[which]
        frame = person.frames[own : own + 1]
        assert any(torch.equal(heard, windows(person, variant, frame)[0]) for variant in range(2))


def test_windows_are_those_of_the_product_two_frames_early(people: Talkers) -> None:
    person = people.talkers[0]
    product = MelWindows(person.mels[1].astype(np.float32), lead_s=Fraction(2, 25))
    frames = np.array([0, 7, 49], dtype=np.int32)
    wanted = product.at([Fraction(int(frame), FPS) for frame in frames])
    assert torch.equal(windows(person, 1, frames), wanted)


def test_light_is_the_same_in_truth_and_reference() -> None:
    crops = torch.full((8, 3, 96, 96), 0.5)
    batch = module.augmented(Batch(torch.zeros(8, 1, 80, 16), crops, crops, crops), np.random.default_rng(0))
    assert torch.equal(batch.truth, batch.reference)
    assert torch.equal(batch.truth, batch.upper)
    assert batch.truth.std(0).max() > 0.01
    assert batch.mel.flatten(1).std(1).max() < 1e-6
    assert batch.mel.flatten(1).mean(1).std() > 0.1


def test_the_net_does_not_see_the_lower_half_of_the_first_picture(people: Talkers) -> None:
    crops = pictures(people.talkers[0].crops)
    face = net_input(crops, crops)
    assert torch.equal(face[:, :3, :48], crops[:, :, :48])
    assert not face[:, :3, 48:].any()
    assert torch.equal(face[:, 3:], crops)


def test_windows_and_pictures_come_with_their_own_mouths(people: Talkers) -> None:
    rng = np.random.default_rng(0)
    everything = np.concatenate([person.articulation for person in people.talkers])
    for stream in (window_batches(people, 4, rng), picture_batches(people, 4, rng)):
        for shown, mouths in islice(stream, 3):
            assert len(shown) == len(mouths) == 4
            assert all((everything == mouth).all(1).any() for mouth in mouths)
