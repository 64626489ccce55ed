"""What a file says of signatures is looked up in the file and nowhere else."""

from __future__ import annotations

import struct
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest

from heygem.media.c2pa_signature import C2paFinding, read_c2pa

PRESENTER = Path(__file__).parents[1] / "data" / "presenter.mp4"
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{}"/></rdf:RDF>
</x:xmpmeta>"""


@pytest.mark.skipif(find_spec("c2pa") is None, reason="requirements-c2pa.txt is not installed")
def test_a_signature_that_is_said_to_be_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *words: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        xmp = _XMP.format(f"http://127.0.0.1:{server.server_port}/signature.c2pa").encode()
        file = tmp_path / "hostile.mp4"
        file.write_bytes(PRESENTER.read_bytes() + struct.pack(">I", 24 + len(xmp)) + b"uuid" + _XMP_BOX + xmp)
        assert read_c2pa(file) == C2paFinding("none")
        server.shutdown()
    assert asked == []
