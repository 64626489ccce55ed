"""The list of official checkpoints. models/README.md is the same list for people; a test holds the two together.

The publishers name no hashes. Those here are on record in several public manifests that agree with one another.
"""

from __future__ import annotations

from dataclasses import dataclass

from heygem.errors import Text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One official file of weights.

    Attributes:
        name: What ``python -m heygem models`` calls it.
        filename: Its name in the folder of models, and at its source.
        bytes: Its size.
        sha256: Its content, 64 hexadecimal digits.
        urls: The source and then its mirrors, in the order in which they are tried; none where only a person with a
            browser can fetch it.
        page: Where a person finds it.
        licence: What its users must know.
        purpose: What it is for.
        other_filenames: Names under which the same file is passed on.
        other_sha256: Other editions of the same trained network, just as long, that are accepted too.
        stand_ins: Names of checkpoints that serve as well where this one is absent.
    """

    name: str
    filename: str
    bytes: int
    sha256: str
    urls: tuple[str, ...]
    page: str
    licence: Text
    purpose: Text
    other_filenames: tuple[str, ...] = ()
    other_sha256: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    @property
    def accepted_sha256(self) -> tuple[str, ...]:
        """Every content that is accepted as official."""
        return (self.sha256, *self.other_sha256)


_WAV2LIP_LICENCE = Text("仅限研究与个人使用，禁止商用（LRS2）", "research and personal use only, not commercial (LRS2)")
_GFPGAN_LICENCE = Text(
    "Apache-2.0；含 StyleGAN2、DFDNet 的非商用部分", "Apache-2.0; with non-commercial parts of StyleGAN2 and DFDNet"
)
_MIT = Text("MIT", "MIT")

CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint
    for checkpoint in (
        Checkpoint(
            name="wav2lip",
            filename="wav2lip_gan.pth",
            bytes=435_801_865,
            sha256="ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8",
            urls=(
                "https://huggingface.co/camenduru/Wav2Lip/resolve/main/checkpoints/wav2lip_gan.pth",
                "https://huggingface.co/numz/wav2lip_studio/resolve/main/Wav2lip/wav2lip_gan.pth",
                "https://huggingface.co/Nekochu/Wav2Lip/resolve/main/wav2lip_gan.pth",
            ),
            page="https://github.com/Rudrabha/Wav2Lip",
            licence=_WAV2LIP_LICENCE,
            purpose=Text("口型驱动", "draws mouths"),
            stand_ins=("wav2lip-sd",),
        ),
        Checkpoint(
            name="wav2lip-sd",
            filename="Wav2Lip-SD-GAN.pt",
            bytes=145_829_145,
            sha256="180cfd49d31d47f195d5bfc62830ffe2c40724b7bbbce6faadc73ac6ab1a3b8e",
            urls=(),
            page="https://drive.google.com/file/d/15G3U08c8xsCkOqQxE38Z2XXDnPcOptNk/view",
            licence=_WAV2LIP_LICENCE,
            purpose=Text(
                "口型驱动，wav2lip 缺失时代替（TorchScript）", "draws mouths, where wav2lip is absent (TorchScript)"
            ),
        ),
        Checkpoint(
            name="gfpgan",
            filename="GFPGANv1.4.pth",
            bytes=348_632_874,
            sha256="e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad",
            urls=(
                "https://github.com/TencentARC/GFPGAN/releases/download/v1.3.0/GFPGANv1.4.pth",
                "https://github.com/TencentARC/GFPGAN/releases/download/v1.3.4/GFPGANv1.4.pth",
            ),
            page="https://github.com/TencentARC/GFPGAN/releases",
            licence=_GFPGAN_LICENCE,
            purpose=Text("人脸增强", "restores the drawn face"),
        ),
        Checkpoint(
            name="retinaface-resnet50",
            filename="detection_Resnet50_Final.pth",
            bytes=109_497_761,
            sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
            urls=(
                "https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_Resnet50_Final.pth",
                "https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/detection_Resnet50_Final.pth",
            ),
            page="https://github.com/xinntao/facexlib/releases",
            licence=_MIT,
            purpose=Text("人脸检测（精确）", "finds faces (accurate)"),
        ),
        Checkpoint(
            name="retinaface-mobile0.25",
            filename="detection_mobilenet0.25_Final.pth",
            bytes=1_789_735,
            sha256="2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
            urls=(
                "https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_mobilenet0.25_Final.pth",
                "https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/detection_mobilenet0.25_Final.pth",
            ),
            page="https://github.com/xinntao/facexlib/releases",
            licence=_MIT,
            purpose=Text("人脸检测（快速）", "finds faces (fast)"),
            other_filenames=("mobilenet0.25_Final.pth",),
            other_sha256=("38ec7bb3c9cbfe2f40edabc05fab970a6d648747cbc534092be85d5eb9b37ed0",),
        ),
        Checkpoint(
            name="parsenet",
            filename="parsing_parsenet.pth",
            bytes=85_331_193,
            sha256="3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
            urls=(
                "https://github.com/xinntao/facexlib/releases/download/v0.2.2/parsing_parsenet.pth",
                "https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/parsing_parsenet.pth",
            ),
            page="https://github.com/xinntao/facexlib/releases",
            licence=_MIT,
            purpose=Text("增强人脸的贴回遮罩", "the mask that an enhanced face is pasted with"),
        ),
    )
}
