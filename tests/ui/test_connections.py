"""How long a connection may be silent, and how many there may be."""

import asyncio
import resource
import socket
import subprocess
import sys
import threading
import time

import pytest
import uvicorn

from heygem.ui import connections
from heygem.ui.connections import PatientProtocol

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def answer_late(scope, receive, send):
    await asyncio.sleep(1.0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address(monkeypatch):
    """Of a server that looks four times a second, and takes longer to answer."""
    monkeypatch.setattr(connections, "_LOOK_S", 0.25)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(answer_late, log_config=None, lifespan="off", http=PatientProtocol))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("said", [b"", ASK], ids=["nothing", "half a request"])
def test_who_asks_for_nothing_is_not_waited_for(address, said):
    with socket.create_connection(address, timeout=60) as stranger:
        stranger.sendall(said)
        assert stranger.recv(100) == b""


def test_what_is_asked_for_may_take_its_time(address):
    with socket.create_connection(address, timeout=60) as guest:
        for _ in range(2):
            guest.sendall(ASK + b"\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                more = guest.recv(1000)
                assert more, answer
                answer += more
            assert answer.startswith(b"HTTP/1.1 200")


def test_a_process_may_open_more_files_than_a_thousand():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2048))\n"
        "from heygem.ui.connections import allow_open_files; allow_open_files()\n"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2048:
        pytest.skip("fewer files may be open here")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2048", "2048"]
