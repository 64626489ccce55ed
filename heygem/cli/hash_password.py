"""``python -m heygem hash-password``: a line for HEYGEM_AUTH_FILE."""

from __future__ import annotations

import argparse
import getpass
import sys

from heygem.errors import InputError, Text
from heygem.passwords import hash_password
from heygem.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its argument."""
    parser = commands.add_parser(
        "hash-password",
        help="make a line for HEYGEM_AUTH_FILE",
        description="Asks for a password, or reads a line from a pipe, and prints user:hash for HEYGEM_AUTH_FILE.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("user", metavar="USER", help="who is to sign in with it")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the line.

    Returns:
        0.

    Raises:
        InputError: the name cannot be used, or the password is empty or was not repeated.
    """
    del settings
    if not args.user.isprintable() or ":" in args.user or args.user.strip() != args.user or args.user[:1] in ("", "#"):
        raise InputError(Text("用户名不能为空，也不能含冒号。", "A name has a letter at least, and no colon."))
    password = ask_password("密码 password: ")
    if sys.stdin.isatty() and ask_password("再输入一次 again: ") != password:
        raise InputError(Text("两次输入的密码不同。", "The two passwords differ."))
    if not password:
        raise InputError(Text("密码不能为空。", "The password is empty."))
    sys.stdout.write(f"{args.user}:{hash_password(password)}\n")
    return 0


def ask_password(prompt: str) -> str:
    """A password from the terminal, unseen; or the next line of a pipe."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
