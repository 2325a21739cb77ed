"""The provider's address, and whether a line may be opened to it."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


class Address:
    """Where a line leads: `wss://host/path`, or `ws://` on this machine alone."""

    def __init__(self, url: str, plain: Collection[str] = ()) -> None:
        """Raises ValueError, which says what is wrong with `url`.

        `plain`: other hosts that may be reached without encryption.
        """
        form = f'"{url}" is not an address of the form wss://host/path'
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            host.encode("idna")
            port = parts.port
        except ValueError as error:
            raise ValueError(form) from error
        if parts.scheme not in ("ws", "wss") or not host or port == 0:
            raise ValueError(form)
        self.local = host == "localhost" or _is_loopback(host)
        """Whether it is on this machine."""
        self.encrypted = parts.scheme == "wss"
        if not self.encrypted and not self.local and host not in plain:
            clear = f'"{url}" would send the key and the voice in the clear; use wss://'
            own = "name the host in plain_hosts if both it and the network are yours"
            raise ValueError(f"{clear}, or {own}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
