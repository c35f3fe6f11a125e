"""Where the server listens, and by which addresses it is reached."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_ELSEWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses that nobody has (RFC 5737, RFC 3849). Nothing is sent: the system only looks for the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of a server."""

    host: str
    """What the user chose: a name or an address."""
    address: str
    """The address that it listens at."""
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def url(self) -> str:
        """What this machine opens."""
        if not ipaddress.ip_address(self.address).is_unspecified:
            return _url(self.host, self.port)
        # The address for "all" cannot be opened everywhere, and is no secure page.
        return _url("127.0.0.1" if ":" not in self.address else "::1", self.port)

    def url_for_others(self) -> str | None:
        """What other devices in the network open, if that is known and not `url`."""
        address = ipaddress.ip_address(self.address)
        if not address.is_unspecified:
            return None
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004  as in IPv4
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect((_ELSEWHERE[family], 9))
            return _url(way.getsockname()[0], self.port)
        return None


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
