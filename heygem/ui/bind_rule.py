"""Where the page may be served: to this machine alone, unless the operator says otherwise.

Nobody has to sign in, so whoever reaches the address can use the machine and sees everybody's videos.
"""

from __future__ import annotations

import logging
import socket
from ipaddress import ip_address

from heygem.errors import SettingsError, Text
from heygem.settings import Settings

log = logging.getLogger(__name__)


def check_bind(settings: Settings) -> None:
    """Let an address pass that only this machine reaches, or one that the operator has allowed.

    Raises:
        SettingsError: others could reach the page.
    """
    if _is_loopback(settings.host):
        return
    if not settings.allow_public:
        raise SettingsError(
            Text(
                f"拒绝在 {settings.host or '所有地址'} 上提供页面：无需登录，任何能访问该地址的人都可使用。",
                f"Refusing to serve on {settings.host or 'all addresses'}: nobody has to sign in, so all could use it.",
            ),
            hint=Text(
                "请用 127.0.0.1 并在前面放置带登录的反向代理；如确需如此，请设置 HEYGEM_ALLOW_PUBLIC=yes。",
                "Serve on 127.0.0.1 behind a proxy that asks who it is; if you mean it, set HEYGEM_ALLOW_PUBLIC=yes.",
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
