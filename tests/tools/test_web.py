"""HTTP from the sandbox: to the hosts that are named, at addresses that were checked, over TLS that is verified."""

import json
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_gym.errors import UsageError
from agent_gym.tools import Limits, Workspace
from agent_gym.tools.web import Answer, Web
from agent_gym.tools.web_requests import METHODS, Request
from agent_gym.tools.workspace_paths import Refused
from raw_server import RawServer, ok, redirect
from sandbox import HOST, at, here, web_to

SECRET = "Bearer sesame-open-4711"


def test_an_allowed_host_answers(server: RawServer) -> None:
    server.reply = lambda asked: ok(b'{"a": [1]}', "Content-Type: application/json; charset=utf-8")
    assert web_to(server).fetch("get", at(server, "?q=1")) == Answer(200, "application/json", {"a": [1]})
    lines = server.asked[0].decode().split("\r\n")
    assert lines[0] == "GET /?q=1 HTTP/1.1"
    assert {"Accept-Encoding: identity", f"Host: {HOST}:{server.port}"} <= set(lines)


@pytest.mark.parametrize(
    ("body", "sent", "media_type"),
    [
        ({"a": 1}, b'{"a":1}', "application/json"),
        ("a=1", b"a=1", "text/plain"),
        ([], b"[]", "application/json"),
        (0, b"0", "application/json"),
    ],
)
def test_a_body_is_sent_as_text_or_json(server: RawServer, body: Any, sent: bytes, media_type: str) -> None:
    web_to(server).fetch("POST", at(server), {"X-Trace": "7"}, body)
    head, _, rest = server.asked[0].partition(b"\r\n\r\n")
    assert rest == sent
    assert f"Content-Type: {media_type}" in head.decode().split("\r\n")
    assert b"X-Trace: 7" in head


ANSWERS: dict[str, tuple[bytes, Any]] = {
    "text": (ok(b"hello", "Content-Type: text/plain"), "hello"),
    "no JSON": (ok(b"{oops", "Content-Type: application/json"), "{oops"),
    "JSON too deep": (ok(b"[" * 9000 + b"]" * 9000, "Content-Type: application/json"), "[" * 9000 + "]" * 9000),
    "JSON with half a surrogate pair": (ok(b'"\\ud800"', "Content-Type: application/json"), '"\\ud800"'),
    "JSON with a number too large": (ok(b"1" * 400, "Content-Type: application/json"), "1" * 400),
    "bytes": (ok(b"\xff\x00", "Content-Type: image/png"), None),
    "compressed, unasked": (ok(b"\x1f\x8b\x08", "Content-Encoding: gzip"), None),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi"),
    "until the end": (b"HTTP/1.0 200 OK\r\n\r\nhi", "hi"),
}


@pytest.mark.parametrize(("reply", "body"), ANSWERS.values(), ids=ANSWERS)
def test_bodies_are_read_as_what_they_are(server: RawServer, reply: bytes, body: Any) -> None:
    server.reply = lambda asked: reply
    assert web_to(server).fetch("GET", at(server)).body == body


def test_a_name_is_looked_up_once_and_the_checked_address_is_reached(server: RawServer) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    web = Web(private_hosts=[f"{HOST}:{server.port}"], resolve=rebinding)
    assert web.fetch("GET", at(server)).body == "hello"
    assert asked == [HOST]
    with pytest.raises(Refused, match="has no address that may be reached"):
        web.fetch("GET", at(server))


def test_of_several_addresses_only_those_allowed_are_tried(server: RawServer) -> None:
    web = Web(
        private_hosts=[f"{HOST}:{server.port}"],
        resolve=lambda host, port: ["169.254.169.254", "93.184.216.34%0", "0.0.0.0", "127.0.0.3", "127.0.0.1"],
    )
    assert web.fetch("GET", at(server)).status == 200


def test_all_hosts_below_one_may_be_named(server: RawServer) -> None:
    web = Web(private_hosts=[f"*.example.com:{server.port}"], resolve=here)
    assert web.fetch("GET", at(server, host="a.b.EXAMPLE.com")).status == 200
    for host in ("example.com", "aexample.com", "example.com.localhost"):
        with pytest.raises(Refused, match="is not allowed here"):
            web.fetch("GET", at(server, host=host))


def test_a_redirect_is_followed_and_keeps_what_it_may(server: RawServer) -> None:
    server.reply = lambda asked: ok() if asked.startswith(b"GET /new") else redirect("/new#there")
    assert web_to(server).fetch("POST", at(server), {"X-Trace": "7"}, {"a": 1}).body == "hello"
    first, second = (asked.decode().lower() for asked in server.asked)
    assert first.startswith("post / ")
    assert second.startswith("get /new ")
    assert "x-trace: 7" in second
    assert "content-" not in second


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirect_changes_the_method_as_http_says(server: RawServer, status: int, method: str) -> None:
    server.reply = lambda asked: ok() if b"/new" in asked else redirect("/new", status)
    web_to(server).fetch("POST", at(server), body="x")
    assert server.asked[1].split(b" ")[0].decode() == method
    assert server.asked[1].endswith(b"x") == (method == "POST")


def test_a_redirect_to_a_method_that_is_not_allowed_is_refused(server: RawServer) -> None:
    server.reply = lambda asked: redirect("/new", 303)
    with pytest.raises(Refused, match="method 'GET' is not allowed"):
        web_to(server, ["POST"]).fetch("POST", at(server))


def test_headers_stay_behind_when_a_redirect_leads_to_another_server(server: RawServer) -> None:
    with RawServer() as other:
        server.reply = lambda asked: redirect(at(other, "/new"))
        web = Web(private_hosts=[f"{HOST}:{server.port}", f"{HOST}:{other.port}"], methods=METHODS, resolve=here)
        assert web.fetch("GET", at(server), {"Authorization": SECRET, "X-Trace": "7"}).status == 200
    assert SECRET.encode() in server.asked[0]
    assert SECRET.encode() not in other.asked[0]
    assert b"X-Trace" not in other.asked[0]


def test_a_body_is_not_taken_to_another_server(server: RawServer, canary: RawServer) -> None:
    server.reply = lambda asked: redirect(at(canary), 307)
    web = Web(private_hosts=[f"{HOST}:{server.port}", f"{HOST}:{canary.port}"], methods=METHODS, resolve=here)
    with pytest.raises(Refused, match="to another server with a body"):
        web.fetch("POST", at(server), body="x")


def test_a_redirect_from_https_to_http_is_refused() -> None:
    with pytest.raises(Refused, match="from https to http"):
        Request.of("GET", f"https://{HOST}/", {}, None).redirected(302, f"http://{HOST}/")


def test_the_fourth_redirect_is_too_many(server: RawServer) -> None:
    server.reply = lambda asked: redirect(f"/{len(server.asked)}")
    with pytest.raises(Refused, match="more than 3 redirects"):
        web_to(server).fetch("GET", at(server))
    assert len(server.asked) == 4


def test_a_name_that_nobody_knows_is_an_answer() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(Refused, match=f"no answer from {HOST}"):
        Web(hosts=[HOST], resolve=unknown).fetch("GET", f"http://{HOST}/")


def test_a_closed_port_is_an_answer() -> None:
    with RawServer() as gone:
        pass
    with pytest.raises(Refused, match=r"no answer from api.example.com \(ConnectionRefusedError\)"):
        web_to(gone).fetch("GET", at(gone))


def test_a_server_that_repeats_the_headers_shows_no_secret(server: RawServer) -> None:
    server.reply = lambda asked: ok(json.dumps({"got": asked.decode()}).encode(), "Content-Type: application/json")
    headers = {"Authorization": SECRET, "X-Api-Key": 'key-with-"quotes"', "X-Trace": "12345678"}
    answer = web_to(server).fetch("GET", at(server), headers)
    shown = json.dumps(answer.body)
    assert not any(secret in shown for secret in ("sesame", "quotes"))
    assert "12345678" in shown


@pytest.mark.parametrize(
    "host",
    ["https://api.example.com", "a b", "", "*", "*.", "api.example.com/", "user@host", "ß.com", "*.*.com", "[0]", "[::1"],
)
def test_what_is_no_host_is_the_users_fault(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host: write"):
        Web(hosts=[host])


def test_a_single_text_is_no_list_of_hosts() -> None:
    with pytest.raises(UsageError, match="hosts are a list"):
        Web(hosts="api.example.com")


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", ""])
def test_what_is_no_method_is_the_users_fault(method: str) -> None:
    with pytest.raises(UsageError, match="no methods of a workspace"):
        Web(hosts=[HOST], methods=[method])


def test_the_effect_of_a_request_is_what_the_server_made_of_it(server: RawServer, tmp_path: Path) -> None:
    port = server.port
    workspace = Workspace(tmp_path, private_hosts=[f"127.0.0.1:{port}"], methods=["GET", "POST"], limits=Limits(seconds=5))

    def note(method: str, status: str) -> str:
        server.reply = lambda asked: ok(status=status)
        result = workspace.call("api_call", {"method": method, "url": f"http://127.0.0.1:{port}/"})
        assert result.value == {"status": int(status[:3]), "media_type": "", "body": "hello"}
        return result.note

    assert note("GET", "200 OK") == "read"
    assert note("POST", "201 Created") == "changed"
    assert note("POST", "409 Conflict") == "unchanged"
    assert note("GET", "500 Oops") == "unchanged"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for api.example.com that signs itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with RawServer(tls=context) as server:
        yield server


def over_tls(server: RawServer, host: str, **options: Any) -> Answer:
    web = Web(private_hosts=[f"{host}:{server.port}"], resolve=here, **options)
    return web.fetch("GET", f"https://{host}:{server.port}/")


def test_tls_is_verified_against_the_name(tls_server: RawServer, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    assert over_tls(tls_server, HOST, tls=trusting).body == "hello"
    with pytest.raises(Refused, match=r"other.example.com cannot prove that it is that host: Hostname mismatch"):
        over_tls(tls_server, "other.example.com", tls=trusting)
    assert len(tls_server.asked) == 1


def test_a_certificate_of_nobody_known_is_refused(tls_server: RawServer) -> None:
    with pytest.raises(Refused, match="cannot prove that it is that host: self-signed certificate"):
        over_tls(tls_server, HOST)
    assert tls_server.asked == []
