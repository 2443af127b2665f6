"""The addresses of this machine, and one of them as a QR code."""

import io
import ipaddress
import socket
from typing import Final

import segno

_ANYWHERE: Final = ("10.255.255.255", 1)  # nothing is sent there


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def address_in_network() -> str:
    """The address by which others in the same network reach this machine; its own name where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def url_of(host: str, port: int, key: str = "") -> str:
    """The address of the page; with the key in a part that a browser sends nobody."""
    if host in ("0.0.0.0", "::", ""):
        host = address_in_network()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"#key={key}" if key else "")


def qr_code(text: str) -> str:
    """A text as a QR code of characters, for a terminal."""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
