"""An endpoint for embeddings: real HTTP on loopback, in OpenAI's dialect."""

import http.server
import json
import threading
from typing import Any, Self, cast


class Endpoint(http.server.ThreadingHTTPServer):
    """Embeds a text as its length and the number of its words, a token a character; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.status = 200

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast(Endpoint, self.server)
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, dict(self.headers), body))
        texts: list[str] = body["input"]
        data = [{"object": "embedding", "index": i, "embedding": [len(t), len(t.split())]} for i, t in enumerate(texts)]
        answer: dict[str, Any] = {
            "object": "list",
            "data": data,
            "model": body["model"],
            "usage": {"prompt_tokens": sum(map(len, texts)), "total_tokens": sum(map(len, texts))},
        }
        if server.status != 200:
            answer = {"error": {"message": f"{self.headers['Authorization']} is not welcome " + "x" * 500}}
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing is written to the terminal."""
