from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from formula_weights import GOLDEN_DIR, formula_state, uniform, write_retinaface
from heygem.colour_space import ColourSpace
from heygem.device import Placement
from heygem.errors import WeightsRefusedError
from heygem.faces import retinaface
from heygem.faces.retinaface import Backbone, RetinaFaceDetector, anchors, load_retinaface, retinaface_network
from heygem.frame import Frame

CPU = Placement(torch.device("cpu"), torch.float32)


def grey_frame(width: int = 256, height: int = 192) -> Frame:
    data = torch.full((width * height * 3 // 2,), 128, dtype=torch.uint8)
    return Frame(data, width, height, ColourSpace())


@pytest.mark.parametrize("backbone", ["mobile0.25", "resnet50"])
def test_network_gives_the_golden_outputs(backbone: Backbone) -> None:
    golden = np.load(GOLDEN_DIR / f"retinaface_{backbone}_forward.npz")
    network = retinaface_network(backbone, formula_state(f"retinaface_{backbone}"))  # type: ignore[arg-type]
    with torch.inference_mode():
        outputs = network(uniform(5, (1, 3, 192, 256), -120, 130))
    for name, output in zip(("loc", "conf", "landms"), outputs, strict=True):
        assert np.abs(output.numpy() - golden[name]).max() <= 1e-5 * np.abs(golden[name]).max(), name


def test_anchors_are_the_golden_ones() -> None:
    golden = np.load(GOLDEN_DIR / "retinaface_priors_192x256.npz")["priors"]
    np.testing.assert_array_equal(anchors(192, 256).numpy(), golden)


def test_anchors_cover_sizes_that_no_step_divides() -> None:
    assert len(anchors(50, 70)) == 2 * (7 * 9 + 4 * 5 + 2 * 3)


class OneFace(nn.Module):
    """Sees a face at one anchor of every picture after the first, and a weaker copy of it beside."""

    def __init__(self, anchor: int, score: float = 0.99) -> None:
        super().__init__()
        self.anchor = anchor
        self.score = score
        self.seen: list[Tensor] = []

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self.seen.append(inputs)
        n, count = len(inputs), len(anchors(inputs.shape[2], inputs.shape[3]))
        confidences = torch.zeros(n, count, 2)
        confidences[1:, self.anchor, 1] = self.score
        confidences[1:, self.anchor + 2, 1] = self.score - 0.1
        landmarks = torch.zeros(n, count, 10)
        landmarks[..., 0] = -2.0
        return torch.zeros(n, count, 4), confidences, landmarks


def test_faces_are_answered_in_frame_pixels_once_and_by_frame() -> None:
    # Row 3, column 5, side 32 of step 8: around (44, 28) of a 640 x 480 picture, which stands for 1280 x 960.
    network = OneFace(2 * (3 * 80 + 5) + 1)
    first, second = RetinaFaceDetector(network, CPU, "one").detect([grey_frame(1280, 960)] * 2)
    assert first == []
    [face] = second
    np.testing.assert_allclose(face.box, [56, 24, 120, 88], atol=1e-3)
    np.testing.assert_allclose(face.landmarks[0], [88 - 2 * 0.1 * 64, 56], atol=1e-3)
    np.testing.assert_allclose(face.landmarks[1], [88, 56], atol=1e-3)
    assert face.score == pytest.approx(0.99)


def test_doubtful_faces_are_no_faces() -> None:
    assert RetinaFaceDetector(OneFace(40, score=0.6), CPU, "one").detect([grey_frame()] * 2) == [[], []]


def test_network_is_shown_bgr_less_the_mean() -> None:
    frame = grey_frame()
    frame.v[:] = 255  # red
    network = OneFace(0)
    RetinaFaceDetector(network, CPU, "one").detect([frame])
    blue, green, red = (network.seen[0] + torch.tensor([104.0, 117.0, 123.0])[:, None, None]).mean(dim=(0, 2, 3))
    assert red > 200 > green
    assert abs(float(blue) - 130.4) < 1  # the grey of luma 128 in the limited range


def test_running_out_of_memory_is_not_hidden() -> None:
    class Hungry(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("too much")

    with pytest.raises(torch.OutOfMemoryError):
        RetinaFaceDetector(Hungry(), CPU, "hungry").detect([grey_frame()])


def test_small_network_computes_in_fp32_and_says_who_it_is(tmp_path: Path) -> None:
    bf16 = Placement(torch.device("cpu"), torch.bfloat16)
    file = tmp_path / "small.pth"
    write_retinaface(file, "mobile0.25", prefix=True)
    detector = load_retinaface("mobile0.25", file, bf16, "ab" * 32)
    assert detector.identity.startswith("retinaface-mobile0.25-abababababab/fp32/")
    assert len(detector.detect([grey_frame()] * 2)) == 2
    assert detector.identity != load_retinaface("mobile0.25", file, bf16, "cd" * 32).identity


def test_large_network_follows_the_placement(tmp_path: Path) -> None:
    bf16 = Placement(torch.device("cpu"), torch.bfloat16)
    file = tmp_path / "large.pth"
    write_retinaface(file, "resnet50")
    detector = load_retinaface("resnet50", file, bf16, "ab" * 32)
    assert "/bf16/" in detector.identity
    assert len(detector.detect([grey_frame(64, 64)])) == 1


def test_no_frames_no_faces() -> None:
    assert RetinaFaceDetector(OneFace(0), CPU, "one").detect([]) == []


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsRefusedError, match=r"RetinaFace resnet50"):
        retinaface_network("resnet50", formula_state("retinaface_mobile0.25"))
    incomplete = formula_state("retinaface_mobile0.25")
    incomplete.pop("ClassHead.0.conv1x1.bias")
    with pytest.raises(WeightsRefusedError, match=r"RetinaFace mobile0\.25"):
        retinaface_network("mobile0.25", incomplete)


def test_boxes_are_decoded_by_the_offsets() -> None:
    boxes, landmarks = retinaface.decode(
        torch.tensor([[1.0, -1.0, 5 * float(np.log(2)), 0.0]]),
        torch.full((1, 10), 0.5),
        torch.tensor([[0.5, 0.5, 0.2, 0.4]]),
    )
    np.testing.assert_allclose(boxes[0], [0.52 - 0.2, 0.46 - 0.2, 0.52 + 0.2, 0.46 + 0.2], atol=1e-6)
    np.testing.assert_allclose(landmarks[0], [[0.51, 0.52]] * 5, atol=1e-6)
