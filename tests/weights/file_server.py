"""A server on 127.0.0.1 that misbehaves on request, for the tests of downloads."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `content` under every path.

    Attributes:
        content: The file.
        honours_ranges: Answers 206 to a range; else 200 with the whole.
        shift: Bytes by which a range is answered wrongly.
        drop_after: Closes the connection after so many bytes, `drops` times.
        stall_after: Stops after so many bytes until `go_on` is set.
        status: Answers this instead.
        content_type: What it says that it sends.
        declares_length: Sends a Content-Length; else closing the connection ends the answer.
        ranges: The Range header of every request so far, None where there was none.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.honours_ranges = True
        self.shift = 0
        self.drop_after: int | None = None
        self.drops = 1_000_000
        self.stall_after: int | None = None
        self.go_on = threading.Event()
        self.status = 0
        self.content_type = "application/octet-stream"
        self.declares_length = True
        self.ranges: list[str | None] = []
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.ranges.append(wanted)
        if self.status:
            request.send_error(self.status)
            return
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        start = int(found[1]) + self.shift if found and self.honours_ranges else 0
        if found and self.honours_ranges:
            if start >= len(self.content):
                request.send_error(416)
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        else:
            request.send_response(200)
        request.send_header("Content-Type", self.content_type)
        if self.declares_length:
            request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        self._send(request, self.content[start:])

    def _send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.drop_after is not None and self.drops:
            self.drops -= 1
            body = body[: self.drop_after]
        if self.stall_after is not None:
            request.wfile.write(body[: self.stall_after])
            request.wfile.flush()
            self.go_on.wait(30)
            body = body[self.stall_after :]
        request.wfile.write(body)


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """Serve until the block ends."""
    files = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                files.answer(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    files.url = f"http://127.0.0.1:{server.server_address[1]}/net.pth"
    try:
        yield files
    finally:
        files.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
