"""Whether a node would draw what the queue's machine would: the same code, the same weights. Knows no Ray."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from heygem import __version__
from heygem.cluster.messages import Facts
from heygem.errors import NodeRefusedError, Text
from heygem.settings import PROJECT_DIR, Settings
from heygem.weights.hashes import sha256_of
from heygem.weights.locate import path_of
from heygem.weights.manifest import CHECKPOINTS


def own_facts(settings: Settings) -> Facts:
    """What this machine has. Hashes are remembered beside the weights: seconds the first time, nothing later.

    Raises:
        OSError: a file of weights cannot be read.
    """
    files = {name: path_of(checkpoint, settings.models_dir) for name, checkpoint in CHECKPOINTS.items()}
    own = {"own wav2lip": settings.wav2lip_file, "own gfpgan": settings.gfpgan_file}
    files |= {name: path for name, path in own.items() if path is not None}
    weights = {name: sha256_of(path, settings.models_dir) for name, path in files.items() if path.exists()}
    return Facts(f"{__version__}+{_code()}", weights, settings.c2pa_cert is not None)


def check_facts(node: str, theirs: Facts, ours: Facts) -> None:
    """See that a node may work for this machine.

    Args:
        node: What to call it.
        theirs: What it has.
        ours: What it has to have.

    Raises:
        NodeRefusedError: something differs; the text names it.
    """
    names = sorted(theirs.weights.keys() | ours.weights.keys())
    differ = [name for name in names if theirs.weights.get(name) != ours.weights.get(name)]
    if theirs.version != ours.version:
        text = Text(
            f"节点 {node} 的 HeyGem 版本是 {theirs.version}，本机是 {ours.version}，已拒绝。",
            f"Node {node} was refused: it runs HeyGem {theirs.version}, this machine {ours.version}.",
        )
    elif differ:
        listed = ", ".join(f"{name} ({_short(theirs, name)} / {_short(ours, name)})" for name in differ)
        text = Text(
            f"节点 {node} 的权重与本机不同，已拒绝：{listed}。",
            f"Node {node} was refused: its weights differ from this machine's: {listed}.",
        )
    elif theirs.is_signed != ours.is_signed:
        text = Text(
            f"节点 {node} 与本机的 C2PA 签名设置不同，已拒绝。",
            f"Node {node} was refused: of it and this machine only one signs results (C2PA).",
        )
    else:
        return
    raise NodeRefusedError(
        text,
        hint=Text("请在每个节点安装相同的版本和权重。", "Install the same version and weights on every node."),
    )


@cache
def _code() -> str:
    """Digest of this package's files: a version number alone says little of what somebody has checked out."""
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in (*sorted(folder.rglob("*.py")), *sorted((PROJECT_DIR / "models" / "demo").glob("*.safetensors"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _short(facts: Facts, name: str) -> str:
    return facts.weights.get(name, "-")[:8]
