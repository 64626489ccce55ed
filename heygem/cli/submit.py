"""``python -m heygem submit``: has another machine's server make the videos."""

from __future__ import annotations

import argparse
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx
from rich.console import Console
from rich.markup import escape

from heygem.cli.hash_password import ask_password
from heygem.disk import appearing, cannot_write
from heygem.errors import HeyGemError, InputError, QueueError, Text
from heygem.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 6
_FIRST_PAUSE_S = 1.0
"""Then twice as long, and so on: half a minute in all, in which a server starts anew."""
_TIMEOUT = httpx.Timeout(30.0, read=120.0)
_PASSING = (502, 503, 504)
"""What a server that starts anew says, or the proxy before it."""
_PIECE_BYTES = 1 << 20


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "submit",
        help="submit to a running server",
        description="Uploads a speech and clips to a running server and prints the ids of the jobs. Exit status 1: "
        "with --wait, one of them failed.",
    )
    parser.set_defaults(run=run)
    option = parser.add_argument
    option("--server", required=True, metavar="URL", help="as in http://127.0.0.1:7860")
    option("--audio", type=Path, required=True, metavar="SPEECH", help="the speech")
    option("--video", type=Path, required=True, nargs="+", metavar="CLIP", help="clips; more than one are a batch")
    option("--options", default="{}", metavar="JSON", help='as in \'{"crf": 20, "enhancer": "none"}\'; see URL/docs')
    option("--user", metavar="NAME", help="who you are there; the password is asked for, or read from a pipe")
    option("--wait", action="store_true", help="follow the jobs, and download what they make")
    option("--out", type=Path, default=Path(), metavar="DIR", help="folder for that; the current one")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Submit, and with ``--wait`` fetch the results.

    Returns:
        0, or 1 if a job failed or was cancelled.

    Raises:
        EncodeError: there can be no folder for the results; nothing was submitted.
        InputError: a file is not there, or the server refuses what was sent.
        QueueError: the server cannot be reached, or cannot take it now.
    """
    del settings
    for path in (args.audio, *args.video):
        if not path.is_file():
            raise InputError(Text(f"找不到文件 {path}。", f"There is no file {path}."), code="file_missing")
    if args.wait:
        try:
            args.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(args.out, error) from error
    auth = httpx.BasicAuth(args.user, ask_password("密码 password: ")) if args.user else None
    console = Console(highlight=False, soft_wrap=True)
    address = args.server if "://" in args.server else f"http://{args.server}"
    with httpx.Client(base_url=address, auth=auth, timeout=_TIMEOUT) as http:
        server = RemoteServer(http)
        jobs = server.submit(args.audio, args.video, args.options)
        for job in jobs:
            console.print(f"{job['id']}  {escape(job['video_name'])}")
        if not args.wait:
            return 0
        return max([_fetch(server, job, args.out, console) for job in jobs])


class RemoteServer:
    """A server's API. What is lost on the way is sent again; nothing is submitted twice.

    Args:
        http: With the server's address, and the password if it wants one.
        pause: Waits so many seconds.
    """

    def __init__(self, http: httpx.Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._pause = pause

    def submit(self, audio: Path, videos: list[Path], options: str) -> list[dict[str, Any]]:
        """Upload and queue; the jobs as the server tells them.

        Raises:
            InputError: the server refuses it.
            QueueError: it cannot be reached, or cannot take it now.
        """
        key = secrets.token_hex(16)
        route, field = ("/api/v1/jobs", "video") if len(videos) == 1 else ("/api/v1/batches", "videos")

        def send() -> dict[str, Any]:
            with ExitStack() as stack:
                files = [(name, (path.name, stack.enter_context(path.open("rb")))) for name, path in named]
                headers = {"idempotency-key": key}
                return _told(self._http.post(route, files=files, data={"options": options}, headers=headers))

        named = [("audio", audio), *((field, video) for video in videos)]
        answer = self._again(send)
        jobs: list[dict[str, Any]] = answer.get("jobs", [answer])
        return jobs

    def wait(self, job_id: str) -> dict[str, Any]:
        """The job once it has ended.

        Raises:
            QueueError: it is not there any more, or the server cannot be reached.
        """
        # A proxy may end each connection after a minute: as long as events come, the server is there.
        while (job := self._again(lambda: self._follow(job_id))) is None:
            self._pause(_FIRST_PAUSE_S)
        return job

    def download(self, job_id: str, path: Path) -> None:
        """Fetch a result: a whole file, or none.

        Raises:
            QueueError: it is not there any more, or the server cannot be reached.
        """

        def fetch(part: Path) -> None:
            with self._http.stream("GET", f"/api/v1/jobs/{job_id}/result.mp4") as answer:
                if answer.status_code != 200:
                    answer.read()
                    _told(answer)
                with part.open("wb") as file:
                    for piece in answer.iter_bytes(_PIECE_BYTES):
                        file.write(piece)

        with appearing(path) as part:
            self._again(lambda: fetch(part))

    def _follow(self, job_id: str) -> dict[str, Any] | None:
        """Listen until the job ends, then ask for it: its last event may be the one that was lost.

        Returns:
            The job, or None if it goes on and news of it came.
        """
        has_heard = False
        with self._http.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
            if answer.status_code != 200:
                answer.read()
                _told(answer)
            try:
                for line in answer.iter_lines():
                    log.info("%s", line)
                    has_heard = True
            except httpx.TransportError:
                if not has_heard:
                    raise
        job = _told(self._http.get(f"/api/v1/jobs/{job_id}"))
        if job["ended_at"] is not None:
            return job
        if has_heard:
            return None
        raise httpx.RemoteProtocolError("The events ended before the job.")

    def _again(self, do: Callable[[], T]) -> T:
        """What `do` returns, tried again while the server cannot be reached."""
        pause_s = _FIRST_PAUSE_S
        for _ in range(_TRIES - 1):
            try:
                return do()
            except (httpx.TransportError, _PassingError) as error:
                log.warning("%s: %s; again in %.0f s", type(error).__name__, error, pause_s)
            self._pause(pause_s)
            pause_s *= 2
        try:
            return do()
        except httpx.TransportError as error:
            address = self._http.base_url
            raise QueueError(
                Text(f"无法连接 {address}：{error}。", f"{address} cannot be reached: {error}."),
                hint=Text("请检查地址和网络。", "Check the address and the network."),
                code="unreachable",
            ) from error


class _PassingError(QueueError):
    """The server cannot do it now, and may soon."""


def _told(answer: httpx.Response) -> dict[str, Any]:
    """What the server answered.

    Raises:
        HeyGemError: it refused, in the server's own words.
    """
    try:
        body = answer.json()
        if answer.is_success:
            return dict(body)
        code, said, hint = body["code"], Text(**body["message"]), Text(**body["hint"])
    except (ValueError, KeyError, TypeError):  # a proxy's, or no server of ours
        code, hint = "unexpected_answer", Text("请检查 --server。", "Check --server.")
        said = Text(f"服务器回答 {answer.status_code}。", f"The server answered {answer.status_code}.")
    kind: type[HeyGemError] = InputError if answer.status_code < 429 else QueueError
    if answer.status_code in _PASSING:
        kind = _PassingError
    raise kind(said, hint=hint, code=code)


def _fetch(server: RemoteServer, job: dict[str, Any], out: Path, console: Console) -> int:
    """Wait for a job and download its result; 0, or 1 if there is none. What goes wrong costs no other job."""
    try:
        return _fetched(server, job, out, console)
    except HeyGemError as error:
        said = f"{job['video_name']}: {error} {error.hint}"
    except OSError as error:
        said = f"{job['video_name']}: {error}"
    console.print(f"[red]✗[/red] {escape(said)}")
    return 1


def _fetched(server: RemoteServer, job: dict[str, Any], out: Path, console: Console) -> int:
    ended = server.wait(job["id"])
    if ended["status"] != "done":
        error = ended["error"] or {"message": {"zh": ended["status"], "en": ""}}
        console.print(f"[red]✗[/red] {escape(job['video_name'])}: {escape(' '.join(error['message'].values()))}")
        return 1
    path = out / f"{Path(job['video_name']).stem}_heygem_{job['id']}.mp4"
    server.download(job["id"], path)
    console.print(f"[green]✓[/green] {escape(str(path))}")
    return 0
