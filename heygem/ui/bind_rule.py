"""Where the page may be served: to this machine alone, unless one has to sign in or the operator says otherwise.

Where nobody has to sign in, whoever reaches the address can use the machine and sees everybody's videos.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from ipaddress import ip_address

from heygem.errors import SettingsError, Text
from heygem.settings import Settings
from heygem.ui.users import Users

log = logging.getLogger(__name__)


def check_bind(settings: Settings) -> None:
    """Let an address pass that only this machine reaches, or one where users sign in, or that the operator has allowed.

    Raises:
        SettingsError: anybody could use the page, or those who may cannot be told.
    """
    users = Users.of(settings)
    if _is_loopback(settings.host):
        return
    if users is not None:
        log.warning(
            "%s",
            Text(
                f"页面对外开放：{settings.host}，需要登录。密码以明文传输，请在前面放置 HTTPS 反向代理。",
                f"The page is open to others: {settings.host}; they have to sign in."
                " Passwords travel as they are: put a proxy with HTTPS before it.",
            ),
        )
        return
    if not settings.allow_public:
        raise SettingsError(
            Text(
                f"拒绝在 {settings.host or '所有地址'} 上提供页面：无需登录，任何能访问该地址的人都可使用。",
                f"Refusing to serve on {settings.host or 'all addresses'}: nobody has to sign in, so all could use it.",
            ),
            hint=Text(
                "请用 HEYGEM_AUTH 设置登录；如确需不登录，请设置 HEYGEM_ALLOW_PUBLIC=yes。",
                "Let users sign in, with HEYGEM_AUTH; or if you mean it, set HEYGEM_ALLOW_PUBLIC=yes.",
            ),
            code="public_address",
        )
    log.warning("%s", Text(f"页面对外开放：{settings.host}。", f"The page is open to others: {settings.host}."))


def rule_of_names(settings: Settings) -> Callable[[str], bool]:
    """What tells whether a request asks for the server by a name that it has, of its header Host.

    Where users sign in, or all may come, any name does. Else a page of another site that has its own name lead to this
    machine would be taken for ours by browsers: names that nobody else can have are this machine's, and addresses.
    """
    if Users.of(settings) is not None or settings.allow_public:
        return lambda host: True

    def is_ours(host: str) -> bool:
        name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.rpartition(":")[0] or host
        return name.lower() in ("localhost", settings.host.lower()) or _is_address(name)

    return is_ours


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Whether `host`, an address or a name, means this machine and nothing but it."""
    try:
        # "" would mean all addresses to the server, and this machine to the resolver.
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host or "0.0.0.0", None)}
    except OSError:
        return True  # nothing can listen there, which is told in its place
    return all(ip_address(address.partition("%")[0]).is_loopback for address in found)
