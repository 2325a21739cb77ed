"""Where a line goes, and whom it trusts there."""

import ipaddress
import ssl
from collections.abc import Collection
from urllib.parse import urlsplit


def examine(url: str, plain: Collection[str] = ()) -> tuple[bool, bool]:
    """Whether `url` is on this machine, and whether it is encrypted.

    Raises ValueError for one that is no address, and for one that would send the key in the clear
    to anybody but this machine and the hosts in `plain`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    host.encode("idna")
    local = host == "localhost" or _is_loopback(host)
    if parts.scheme not in ("ws", "wss") or not host or parts.port == 0:
        raise ValueError(f"{url} is not an address of the form wss://host/path")
    if parts.scheme == "ws" and not local and host not in plain:
        raise ValueError(
            f"{url} would send the key and the voice in the clear; use wss://, or name the host "
            "in plain_hosts if both it and the network are yours"
        )
    return local, parts.scheme == "wss"


def trust(ca_file: str) -> ssl.SSLContext:
    """The system's certificates and those in `ca_file`; raises OSError where it cannot be read."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
