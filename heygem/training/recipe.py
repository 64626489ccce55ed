"""How the embedded default is trained: every number of the recipe, and nothing that a machine decides."""

from __future__ import annotations

from dataclasses import dataclass, field

from heygem.nets.blocks import Widths

LEAD_FRAMES = 2
"""How many frames (of 25 a second) before a frame its mel window starts. Measured: audio alone tells the jaw with r .80
so, .78 with a lead of one frame and .74 with none."""

WIDTHS = Widths(
    face=(16, 16, 32, 48, 80, 128, 128),
    audio=(16, 32, 48, 80, 128),
    decoder=(128, 128, 128, 96, 64, 32, 16),
    head=16,
)
"""2.6 million parameters: 5.2 MB in fp16."""


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """What is rendered.

    Attributes:
        people: Invented people to train on; each speaks one text.
        takes: Texts that each presenter of the bundled clips speaks beside them, each in another light.
        pairs: Pairs of pictures of each text.
        held_out_people: People, voices and texts that are only measured on.
        held_out_takes: Texts of each presenter that are only measured on.
        held_out_frames: Consecutive frames of each held-out text.
        variants: How often each speech is stored, each time through another room and microphone.
    """

    people: int = 1200
    takes: int = 48
    pairs: int = 20
    held_out_people: int = 12
    held_out_takes: int = 2
    held_out_frames: int = 75
    variants: int = 4


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part of the loss counts, beside the weighted L1, which counts 1.

    Attributes:
        gradient: L1 of differences between neighbouring pixels.
        warped: L1 of the reference fetched along the flow, without new colours.
        flow: Total variation of the flow, in crop pixels.
        opening: Squared error of the mouth opening that the expert reads; decays to 0 with training. At .15 the model
            paints blobs that please the expert, with none it ignores the sound.
        adversarial: Hinge loss of the discriminator, in the last part only.
        features: L1 of the discriminator's features, times `adversarial`.
    """

    gradient: float = 0.7
    warped: float = 0.25
    flow: float = 0.003
    opening: float = 0.012
    adversarial: float = 0.01
    features: float = 10.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole training.

    Attributes:
        widths: Of the generator.
        data: What is rendered.
        loss: Weights of the parts of the loss.
        pretraining_windows: Mel windows that the audio tower is shown beforehand.
        expert_pictures: Pictures that the opening expert is shown.
        samples: Pictures that the generator is shown.
        batch: Samples per step and process.
        rate: Learning rate at the start; falls with a cosine.
        warm_up_steps: Over which fresh optimizers reach their rate.
        finishing_share: Part of the samples at the end for which a discriminator looks on.
        finishing_rate: Learning rate at the start of that part.
        pair_share: Part of the samples whose reference is the same pose with another mouth; the others get any other
            picture of the person.
        seed: Of all that is drawn by chance.
    """

    widths: Widths = WIDTHS
    data: DataRecipe = field(default_factory=DataRecipe)
    loss: LossWeights = field(default_factory=LossWeights)
    pretraining_windows: int = 600_000
    expert_pictures: int = 60_000
    samples: int = 1_500_000
    batch: int = 16
    rate: float = 2.5e-3
    warm_up_steps: int = 150
    finishing_share: float = 0.25
    finishing_rate: float = 1.2e-3
    pair_share: float = 0.7
    seed: int = 0


FULL = Recipe()
"""What the embedded default is made by."""

QUICK = Recipe(
    data=DataRecipe(people=48, takes=0, pairs=20, held_out_people=12, held_out_takes=0, held_out_frames=75),
    loss=LossWeights(opening=0.05),
    pretraining_windows=150_000,
    expert_pictures=15_000,
    samples=24_000,
    batch=8,
    warm_up_steps=50,
)
"""Minutes on four cores: shows that every step works, makes a poor model."""
