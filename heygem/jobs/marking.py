"""How results are marked as generated, by the operator's settings: visibly, for machines, and signed.

Knows the settings and the marks; knows nothing of models or of the queue. Users choose where the label is; whether
there is one is the operator's business alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heygem.errors import Notice, SettingsError, Text
from heygem.media.aigc import aigc_fields, to_metadata
from heygem.media.c2pa_signature import C2paSigner
from heygem.settings import Settings

LABEL_OFF = Notice(
    "label_off",
    Text("可见的「AI生成」标识已由管理员关闭。", "The visible AI label is switched off by the operator."),
    Text(
        "元数据标识仍会写入；发布前须另行添加显著标识。",
        "The metadata still says it; add a visible label before you publish.",
    ),
)


@dataclass(frozen=True, slots=True)
class Marking:
    """What every result gets.

    Attributes:
        is_visible: The label is drawn into the picture.
        producer: Name or code of the service, for the metadata.
        signer: Signs the finished file, if the operator has a certificate.
    """

    is_visible: bool
    producer: str
    signer: C2paSigner | None

    @classmethod
    def of(cls, settings: Settings) -> Marking:
        """What the settings ask for.

        Raises:
            SettingsError: it cannot be done.
        """
        try:
            aigc_fields(settings.content_producer, "0")
        except ValueError as error:
            raise SettingsError(
                Text(
                    f"HEYGEM_CONTENT_PRODUCER 的值 {settings.content_producer!r} 无效。",
                    f"HEYGEM_CONTENT_PRODUCER has the value {settings.content_producer!r}: {error}.",
                ),
                hint=Text(
                    "只能用 ASCII 字符，不含空格、引号和反斜杠。",
                    "It takes ASCII without spaces, quotation marks and backslashes.",
                ),
            ) from error
        certificate, key = settings.c2pa_cert, settings.c2pa_key
        if (certificate is None) != (key is None):
            raise SettingsError(
                Text(
                    "HEYGEM_C2PA_CERT 与 HEYGEM_C2PA_KEY 须同时设置。",
                    "HEYGEM_C2PA_CERT and HEYGEM_C2PA_KEY belong together; only one of them is set.",
                )
            )
        signer = C2paSigner(certificate, key) if certificate and key else None
        return cls(settings.visible_label, settings.content_producer, signer)

    @property
    def notices(self) -> list[Notice]:
        """What the log and the user should know."""
        return [] if self.is_visible else [LABEL_OFF]

    def fields(self, content_id: str) -> dict[str, str]:
        """The seven fields of the metadata of one result."""
        return aigc_fields(self.producer, content_id)

    def facts(self, content_id: str) -> dict[str, object]:
        """What the manifest of one result says under ``label``."""
        return {"visible": self.is_visible, "aigc": self.fields(content_id), "c2pa": self.signer is not None}

    def metadata(self, content_id: str) -> dict[str, str]:
        """What the container of one result says of it, by key."""
        return to_metadata(self.fields(content_id))

    def sign(self, path: Path) -> None:
        """Sign a finished result, where there is a certificate. Nothing may change the file afterwards.

        Raises:
            EncodeError: it cannot be signed.
        """
        if self.signer is not None:
            self.signer.sign(path)
