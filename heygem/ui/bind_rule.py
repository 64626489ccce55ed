"""Where the page may be served: to this machine alone, unless one has to sign in or the operator says otherwise.

Where nobody has to sign in, whoever reaches the address can use the machine and sees everybody's videos.
"""

from __future__ import annotations

import logging
import socket
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


def _is_loopback(host: str) -> bool:
    """Whether `host`, an address or a name, means this machine and nothing but it."""
    try:
        # "" would mean all addresses to the server, and this machine to the resolver.
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host or "0.0.0.0", None)}
    except OSError:
        return True  # nothing can listen there, which is told in its place
    return all(ip_address(address.partition("%")[0]).is_loopback for address in found)
