"""The one door to OpenVINO: networks of torch converted once, kept on disk, compiled for this processor.

Conversion takes seconds to a minute, for a new network or new weights; a later start reads what is kept in less than a
second, without building torch's network. One form of a network serves every number format. Knows no weights files.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import openvino
import torch
from openvino.frontend import OpConversionFailure
from torch import Tensor, nn

from heygem.device import Placement, precision_name
from heygem.errors import DeviceError, Text
from heygem.heap import give_back_free_pages
from heygem.runtime.converted import ConvertedNetworks
from heygem.runtime.mapped import give_back_pages
from heygem.runtime.network import Input

log = logging.getLogger(__name__)

_MAX_BYTES = 2 << 30
"""Three sets of all networks: those of two releases, and weights of the user's own."""
_FILE = "network.xml"
_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}


class _Turns:
    """Whose turn it is to compute, and whose it was."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._latest: Callable[[], openvino.CompiledModel | None] = lambda: None

    @contextmanager
    def of(self, network: openvino.CompiledModel, *, gives_back: bool) -> Iterator[None]:
        """While `network` computes. Afterwards it may keep what it computed in, or gives it back to the next one."""
        with self._one_at_a_time:
            latest = self._latest()
            if latest is not None and latest is not network:
                latest.release_memory()
                give_back_free_pages()
            # Weak: a model that is unloaded is gone.
            self._latest = weakref.ref(network) if gives_back else lambda: None
            yield


_turns = _Turns()


class OpenVinoNetwork(nn.Module):
    """A compiled network that is called as torch's is. Safe to call from several threads; they wait for each other.

    Networks compute in turn, each with all threads. What one needs to compute in is as much as all weights in float32,
    so there it gives that back when another one's turn comes; in bfloat16 it is half, and getting it anew takes longer.

    Args:
        model: As converted.
        precision: What it computes in; float32 goes in and comes out.
        weights: The file that holds the model's weights, if it was read from one.
    """

    def __init__(self, model: openvino.Model, precision: torch.dtype, weights: Path | None = None) -> None:
        super().__init__()
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            # As many as torch uses, which is not at work meanwhile. Left to the system, since ffmpeg and OpenCV want
            # cores too: pinned threads would wait for exactly those that are taken.
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,
            "ENABLE_HYPER_THREADING": False,
        }
        self._precision = precision
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._request = self._compiled.create_infer_request()
        constants = [op.get_data() for op in model.get_ops() if op.get_type_name() == "Constant"]
        self.weight_bytes = sum(values.size for values in constants) * precision.itemsize
        """Bytes of its constants as they are computed with."""
        self._unpacked = weights
        if weights is not None:
            give_back_pages(weights)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """What the network gives for these inputs, of any number format and layout; in float32."""
        arrays = [each.float().contiguous().numpy() for each in inputs]
        with _turns.of(self._compiled, gives_back=self._precision is torch.float32):
            # Copied before the next call overwrites them.
            results = self._request.infer(arrays, share_inputs=True, share_outputs=False)
            if self._unpacked is not None:  # the first time: now the weights lie as the processor wants them
                give_back_pages(self._unpacked)
                self._unpacked = None
        outputs = tuple(torch.from_numpy(array) for array in results.to_tuple())
        return outputs[0] if len(outputs) == 1 else outputs


def openvino_network(
    make: Callable[[], nn.Module],
    inputs: Sequence[Input],
    placement: Placement,
    fingerprint: Callable[[], str],
    code: Iterable[Path],
) -> OpenVinoNetwork:
    """The network that `make` builds, computed by OpenVINO.

    Args:
        make: Builds it in fp32. Called only if it has to be converted.
        inputs: What it is called with.
        placement: Its number format, and where converted networks are kept.
        fingerprint: sha256 of the weights that `make` reads, as they are now.
        code: Files whose change makes it another network.

    Raises:
        DeviceError: OpenVINO cannot convert it.
        Exception: whatever `make` raises.
    """
    assert placement.converted_dir is not None
    kept = ConvertedNetworks(placement.converted_dir, _MAX_BYTES)
    sha256 = fingerprint()
    key = _key(inputs, sha256, code)
    folder = kept.get(key)
    if folder is None:
        net = make()
        name = type(net).__name__
        log.info(
            "正在为 OpenVINO 转换模型，每组权重只需一次 / converting %s for OpenVINO, once for these weights", name
        )
        started = time.perf_counter()
        model = _converted(net, inputs)
        log.info("转换完成 / converted %s in %.1f s", name, time.perf_counter() - started)
        if fingerprint() == sha256:  # else the file changed meanwhile, and this is not what its key says
            folder = kept.put(key, lambda folder: openvino.save_model(model, folder / _FILE, compress_to_fp16=False))
        if folder is None:
            return OpenVinoNetwork(model, placement.precision)
    model = openvino.Core().read_model(folder / _FILE)
    network = OpenVinoNetwork(model, placement.precision, (folder / _FILE).with_suffix(".bin"))
    log.info("OpenVINO %s computes in %s", version("openvino"), precision_name(placement.precision))
    return network


def _converted(net: nn.Module, inputs: Sequence[Input]) -> openvino.Model:
    examples = tuple(torch.zeros(each.example) for each in inputs)
    try:
        with torch.no_grad(), warnings.catch_warnings(), _root_logger_kept():
            # OpenVINO's converter is built on tracing. Torch calls that deprecated, and warns of sizes that become
            # constants; the tests hold the outcome against the network itself.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(net, examples, check_trace=False)  # type: ignore[no-untyped-call]
            return openvino.convert_model(traced, input=[openvino.PartialShape(list(each.shape)) for each in inputs])
    except (RuntimeError, OpConversionFailure) as error:
        name = type(net).__name__
        raise DeviceError(
            Text(f"OpenVINO 无法转换 {name}。", f"OpenVINO cannot convert {name}."),
            hint=Text("请设置 HEYGEM_RUNTIME=torch。", "Set HEYGEM_RUNTIME=torch."),
        ) from error


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """OpenVINO's converter silences the root logger and gives it a handler of its own, and leaves it so if it fails."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in set(root.handlers).difference(handlers):
            root.removeHandler(handler)


def _key(inputs: Sequence[Input], weights_sha256: str, code: Iterable[Path]) -> str:
    versions = [f"{name} {version(name)}" for name in ("openvino", "torch", "facexlib")]
    sources = [hashlib.sha256(path.read_bytes()).hexdigest() for path in code]
    parts = [weights_sha256, *versions, *(str(each.shape) for each in inputs), *sources]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
