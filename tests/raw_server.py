"""A server on loopback that says exactly what a test wants, HTTP or not, and remembers what it was sent.

with RawServer(lambda asked: b"HTTP/1.1 200 OK\\r\\n\\r\\nhello") as server:
    ...
server.asked == [b"GET / HTTP/1.1\\r\\n..."]
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

Reply = Callable[[bytes], bytes | Iterable[bytes]]


def ok(body: bytes = b"hello", *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    """An answer that sends one elsewhere."""
    return ok(b"", f"Location: {location}", status=f"{status} Elsewhere")


class RawServer:
    """Answers each connection once, at `port` on 127.0.0.1 while the context lasts.

    Args:
        reply: what it was sent, to what it says: all at once, or piece by piece until nobody listens.
        tls: how it proves who it is, if at all.
    """

    def __init__(self, reply: Reply = lambda asked: ok(), tls: ssl.SSLContext | None = None) -> None:
        self.reply: Reply = reply
        self.asked: list[bytes] = []
        self.done = threading.Event()
        """Set when the test is over: a reply that waits must end then."""
        self._tls = tls

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.done.set()
        # Wakes the thread that waits for the next connection.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(connection,))
            thread.start()
            self._threads.append(thread)

    def _answer(self, connection: socket.socket) -> None:
        # Whoever hangs up in the middle of an answer has had enough of it.
        with connection, suppress(OSError):
            connection.settimeout(5)
            plain = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with plain:
                asked = _request(plain)
                self.asked.append(asked)
                reply = self.reply(asked)
                for piece in [reply] if isinstance(reply, bytes) else reply:
                    if self.done.is_set():
                        break
                    plain.sendall(piece)


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65_536)):
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(body) < length and (piece := connection.recv(65_536)):
        body += piece
    return head + b"\r\n\r\n" + body
