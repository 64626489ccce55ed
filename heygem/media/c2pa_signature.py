"""The door to c2pa: signs a finished file, and reads what was signed. Knows nothing of how the file was made.

Optional: ``requirements-c2pa.txt`` brings the package. A remux destroys the signature and any change breaks it, so a
file is signed last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from heygem import __version__
from heygem.disk import appearing
from heygem.errors import EncodeError, SettingsError, Text

# Filmed, with a part that a trained model drew.
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_FORMAT = "video/mp4"
_UNTRUSTED = "signingCredential.untrusted"

# A file may name an address where its signature is said to be; whoever sent it would have us call there.
_STAYS_HERE = {"verify": {"remote_manifest_fetch": False}}
_ELSEWHERE = "Remote:"


@dataclass(frozen=True, slots=True)
class C2paFinding:
    """What a file's signature is.

    Attributes:
        state: valid; invalid, the file was changed or the signature is damaged; none, there is no signature.
        issuer: Who signed, if anybody.
        is_trusted: The signer's root certificate is on a list that the package knows.
    """

    state: Literal["valid", "invalid", "none"]
    issuer: str = ""
    is_trusted: bool = False


def is_installed() -> bool:
    """Whether the package is there."""
    return find_spec("c2pa") is not None


class C2paSigner:
    """Signs files with a certificate of the operator's.

    Args:
        certificate: PEM: the signer's certificate first, then those that lead to its root.
        key: PEM, unencrypted: the signer's private key.

    Raises:
        SettingsError: the package is not installed, or a file cannot be used.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        if not is_installed():
            raise SettingsError(
                Text(
                    "设置了 C2PA 证书，但没有安装 c2pa-python。",
                    "A C2PA certificate is set, but c2pa-python is missing.",
                ),
                hint=Text(
                    "请运行 .venv/bin/pip install -r requirements-c2pa.txt。",
                    "Run .venv/bin/pip install -r requirements-c2pa.txt.",
                ),
                code="c2pa_missing",
            )
        import c2pa

        try:
            self._certificate, self._key = certificate.read_bytes(), key.read_bytes()
            self._algorithm = _algorithm(self._certificate, self._key)
            self._new_signer().close()
        except (OSError, ValueError, TypeError, c2pa.C2paError) as error:
            raise SettingsError(
                Text(
                    f"C2PA 证书 {certificate} 或私钥 {key} 无法使用：{error}。",
                    f"The C2PA certificate {certificate} or key {key} cannot be used: {error}.",
                ),
                hint=Text(
                    "需要 PEM 格式的证书链与未加密的私钥。",
                    "It takes a chain of certificates and an unencrypted key, both PEM.",
                ),
                code="c2pa_unusable",
            ) from error

    def sign(self, path: Path) -> None:
        """Sign the mp4 at `path`, all or nothing.

        Raises:
            EncodeError: it cannot be signed; the file is as it was.
        """
        import c2pa

        claim = {
            "claim_generator_info": [{"name": "HeyGem", "version": __version__}],
            "title": path.name,
            "format": _FORMAT,
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": _SOURCE_TYPE}]},
                }
            ],
        }
        try:
            with (
                appearing(path) as part,
                self._new_signer() as signer,
                c2pa.Builder(json.dumps(claim)) as builder,
                path.open("rb") as source,
                part.open("w+b") as target,
            ):
                builder.sign(signer, _FORMAT, source, target)
        except (c2pa.C2paError, OSError) as error:
            raise EncodeError(
                Text(f"“{path.name}”无法签名：{error}。", f"{path.name!r} cannot be signed: {error}."),
                hint=Text("请检查 C2PA 证书是否过期。", "Check that the C2PA certificate has not expired."),
                code="signing_failed",
            ) from error

    def _new_signer(self) -> Any:
        import c2pa

        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(self._algorithm, self._certificate, self._key, None))


def read_c2pa(path: Path) -> C2paFinding:
    """The signature in a file, and none that is said to be elsewhere; `is_installed` has to be so."""
    import c2pa

    try:
        with (
            path.open("rb") as file,
            c2pa.Context.from_dict(_STAYS_HERE) as context,
            c2pa.Reader(_FORMAT, file, context=context) as reader,
        ):
            said = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return C2paFinding("none")
    except c2pa.C2paError as error:
        return C2paFinding("none" if str(error).startswith(_ELSEWHERE) else "invalid")
    active = said["manifests"][said["active_manifest"]]
    issuer = str(active.get("signature_info", {}).get("issuer", ""))
    faults = {status["code"] for status in said.get("validation_status", [])}
    is_valid = said.get("validation_state") in ("Valid", "Trusted")
    return C2paFinding("valid" if is_valid else "invalid", issuer, is_valid and _UNTRUSTED not in faults)


def _algorithm(certificate: bytes, key: bytes) -> str:
    """Name of the signature that goes with a private key; ValueError if it cannot sign with that certificate."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    private, signer = load_pem_private_key(key, None), load_pem_x509_certificate(certificate)
    # Otherwise every job would find this out for itself, at its end.
    if private.public_key() != signer.public_key():
        raise ValueError("the key is not the certificate's")
    if signer.not_valid_after_utc < datetime.now(UTC):
        raise ValueError(f"the certificate expired on {signer.not_valid_after_utc:%Y-%m-%d}")
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.key_size in (256, 384, 521):
        return {256: "es256", 384: "es384", 521: "es512"}[private.key_size]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise ValueError("C2PA knows no signature with this kind of key")
