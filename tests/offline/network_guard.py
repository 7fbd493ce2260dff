"""Nothing in the suite reaches beyond this machine, in this process or in one it starts.

An audit hook sees every connection and every look-up that Python's sockets make, whoever makes it, and cannot be taken off
again. `conftest.py` loads this module; the programs that tests start load it through `sitecustomize.py` beside it.
"""

import sys
from ipaddress import ip_address
from typing import cast

attempts: list[str] = []
"""What was tried and blocked in this process; a test that leaves one behind fails, even if its code swallowed the error."""

_SENDING = {"socket.connect", "socket.sendmsg", "socket.sendto"}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"}


class NetworkBlocked(RuntimeError):
    """A test tried to reach another machine."""


def _host(address: object) -> object:
    """The host of an internet address; None for a socket file, a message to the kernel, or no address at all."""
    return cast(tuple[object, ...], address)[0] if isinstance(address, tuple) and address else None


def _is_here(host: object) -> bool:
    name = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost"):
        return True
    try:
        found = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event in _SENDING:
        host = _host(args[1])
    elif event in _LOOKING_UP:
        host = args[0]
    else:
        return
    if not _is_here(host):
        attempts.append(f"{event} {host!r}")
        raise NetworkBlocked(f"{event} to {host!r}: tests stay on this machine; serve it on 127.0.0.1 instead")


sys.addaudithook(_guard)
