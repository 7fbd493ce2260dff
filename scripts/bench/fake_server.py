"""A model endpoint that costs next to nothing: every POST is answered after the same time with the same chat completion.

It speaks HTTP/1.1 with kept connections and nothing more, so that a client is measured and not its server. One request takes it
about 50 microseconds of CPU.

    python scripts/bench/fake_server.py --latency 0.05 --reply "Which city?"     # prints its port, serves until its input ends
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


def answer(reply: str) -> bytes:
    """The HTTP response that says `reply`."""
    body = json.dumps(
        {
            "id": "fake",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020},
        }
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Connection(asyncio.Protocol):
    """One kept connection: requests with a Content-Length, one after another."""

    def __init__(self, response: bytes, latency: float) -> None:
        self._response = response
        self._latency = latency
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            _, _, length = head.lower().partition(b"content-length:")
            self._missing = int(length.split(b"\r\n", 1)[0]) - len(body)
            self._head = b""
        if self._missing == 0:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, self._response)


async def serve(reply: str, latency: float) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    response = answer(reply)
    server = await loop.create_server(lambda: Connection(response, latency), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def running(latency: float, reply: str = "Which city should I search in?") -> Generator[str, None, None]:
    """A server in a process of its own; its base URL."""
    command = [sys.executable, __file__, "--latency", str(latency), "--reply", reply]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--reply", default="Which city should I search in?", help="the words of each answer")
    options = parser.parse_args()
    asyncio.run(serve(options.reply, options.latency))
