"""Connections to addresses that were checked, whose every step ends at one deadline.

`http.client` speaks HTTP; what is ours is where it connects and when it gives up. It is handed a socket that is connected
already, so it looks nothing up and connects nowhere itself.
"""

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from agent_gym.tools.web_requests import PORTS, Target

PIECE = 65_536
"""Bytes sent or read at once."""


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses that the system finds for a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def looked_up(look_up: Callable[[], Sequence[str]], deadline: float) -> Sequence[str]:
    """A look-up that is given up at the deadline: the system's own has no limit that could be set."""
    outcome = queue.SimpleQueue[Sequence[str] | None]()

    def work() -> None:
        try:
            outcome.put(look_up())
        except Exception:
            outcome.put(None)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    try:
        found = outcome.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if found is None:
        raise OSError("the name is not known")
    return found


@contextmanager
def connected(
    target: Target, addresses: Sequence[str], deadline: float, max_bytes: int, context: Callable[[], ssl.SSLContext]
) -> Generator[http.client.HTTPConnection]:
    """A connection to the first of some checked addresses that answers; the name is for the Host header and for TLS.

    Raises:
        TimeoutError: at the deadline.
        OSError: when no address answers, or more than `max_bytes` come in, whatever they are.
    """
    plain = _connect(addresses, target.port, deadline)
    # http.client reads a host in brackets as what is inside them; TLS wants it so, too.
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.default_port = PORTS[target.scheme]
    connection.auto_open = 0
    try:
        if target.scheme == "https":
            plain.settimeout(_left(deadline))
            plain = context().wrap_socket(plain, server_hostname=connection.host)
        connection.sock = cast(socket.socket, _Timed(plain, deadline, max_bytes))
        yield connection
    finally:
        plain.close()


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    for tried, address in enumerate(addresses[:-1]):
        try:
            return socket.create_connection((address, port), _left(deadline) / (len(addresses) - tried))
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), _left(deadline))


class _Timed(io.RawIOBase):
    """A socket as http.client uses one, whose every step ends at the deadline: a server that sends a byte a second does not
    begin the time anew. It counts what comes in, because http.client reads a chunk that says it has -1 bytes to the end."""

    def __init__(self, plain: socket.socket, deadline: float, room: int) -> None:
        self._plain, self._deadline, self._room = plain, deadline, room

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._plain.settimeout(_left(self._deadline))
        got = self._plain.recv_into(buffer)
        self._room -= got
        if self._room < 0:
            raise OSError("too much came in")
        return got

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            self._plain.settimeout(_left(self._deadline))
            self._plain.sendall(data[start : start + PIECE])

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._plain, self._deadline, self._room))


def _left(deadline: float) -> float:
    """Seconds until the deadline.

    Raises:
        TimeoutError: when it has passed.
    """
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left
