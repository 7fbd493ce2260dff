"""No URL, header, method, redirect or answer gets the sandbox to where it may not go, or to wait or read without end."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from action_strategies import bodies
from agent_gym.actions import ActionFactory
from agent_gym.tools import Workspace
from agent_gym.tools.web import Web
from agent_gym.tools.web_requests import METHODS, target_of
from agent_gym.tools.workspace_paths import Refused
from raw_server import RawServer, redirect
from sandbox import HOST, at, here, web_to
from strategies import texts

SECRET = "Bearer sesame-open-4711"


def test_nothing_is_reached_unless_hosts_are_named(canary: RawServer) -> None:
    with pytest.raises(Refused, match="the network is off"):
        Web(resolve=here).fetch("GET", at(canary, host="127.0.0.1"))


NOT_PUBLIC = [
    *("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "017700000001", "0"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "[fe80::1]"),
    *("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "10.0.0.1", "192.168.0.1", "172.16.0.1"),
    *("100.64.0.1", "224.0.0.1", "[ff02::1]", "255.255.255.255", "api.example.com", "internal"),
]


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_a_named_host_that_is_no_public_machine_is_not_reached(canary: RawServer, host: str) -> None:
    web = Web(hosts=[f"{host}:{canary.port}"], resolve=here)
    with pytest.raises(Refused, match="has no address that may be reached"):
        web.fetch("GET", at(canary, host=host))


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "fe80::1%lo", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1"]
)
def test_a_private_host_is_still_no_metadata_service(canary: RawServer, address: str) -> None:
    web = Web(private_hosts=[f"{HOST}:{canary.port}"], resolve=lambda host, port: [address])
    with pytest.raises(Refused, match="has no address that may be reached"):
        web.fetch("GET", at(canary))


URLS = {
    "a user that looks like the host": "http://api.example.com@127.0.0.1:{port}/",
    "a user with a password": "http://api.example.com:80@127.0.0.1:{port}/",
    "a user at the host": "http://user:secret@api.example.com/",
    "a backslash": "http://127.0.0.1:{port}\\@api.example.com/",
    "a backslash for slashes": "http:\\\\127.0.0.1:{port}\\",
    "a fragment": "http://127.0.0.1:{port}#@api.example.com/",
    "a query": "http://127.0.0.1:{port}?@api.example.com/",
    "a host in the path": "http://127.0.0.1:{port}/api.example.com",
    "a host that begins so": "http://api.example.com.localhost:{port}/",
    "a host that ends so": "http://xapi.example.com/",
    "a host below": "http://v1.api.example.com/",
    "a host above": "http://example.com/",
    "a dot at the end": "http://api.example.com./",
    "an odd port": "http://api.example.com:{port}/",
    "port 22": "http://api.example.com:22/",
    "the other scheme's port": "http://api.example.com:443/",
    "port 0": "http://api.example.com:0/",
    "port 65616": "http://api.example.com:65616/",
    "a port that is none": "http://api.example.com:8o/",
    "an escaped host": "http://127%2e0.0.1:{port}/",
    "an escaped slash": "http://127.0.0.1%2fapi.example.com/",
    "wide letters": "http://ａｐｉ.example.com/",
    "circled digits": "http://①②⑦.⓪.⓪.①:{port}/",
    "an ideographic dot": "http://127。0。0。1:{port}/",
    "a tab": "http://127.0.0.1\t:{port}/",
    "a blank first": " http://api.example.com/",
    "a blank in the path": "http://api.example.com/ HTTP/1.1",
    "a line end": "http://api.example.com/\r\nHost: 127.0.0.1",
    "a bare line end": "http://api.example.com/\nX: y",
    "a byte of zero": "http://api.example.com\0.localhost/",
    "no scheme": "api.example.com/",
    "no scheme, two slashes": "//api.example.com/",
    "one slash": "http:/api.example.com/",
    "three slashes": "http:///api.example.com/",
    "no host": "http://",
    "nothing": "",
    "a file": "file:///etc/passwd",
    "ftp": "ftp://api.example.com/",
    "gopher": "gopher://127.0.0.1:{port}/_GET",
    "a socket": "unix:///var/run/docker.sock",
    "data": "data:text/plain,hello",
    "javascript": "javascript:alert(1)",
    "an address with a zone": "http://[fe80::1%25lo]:{port}/",
    "an address in another notation": "http://[0:0:0:0:0:0:0:1]:{port}/",
    "an open bracket": "http://[::1/",
    "a number in brackets": "http://[0]:{port}/",
    "an address of four in brackets": "http://[127.0.0.1]:{port}/",
    "a long url": "http://api.example.com/" + "a" * 5000,
    "a label too long": f"http://{'a' * 64}.example.com/",
    "a path of letters beyond ASCII": "http://api.example.com/ß",
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_no_spelling_of_a_url_leads_elsewhere(canary: RawServer, url: str) -> None:
    web = Web(hosts=[HOST], private_hosts=["other.example.com"], methods=METHODS, resolve=here)
    with pytest.raises(Refused):
        web.fetch("GET", url.replace("{port}", str(canary.port)))


HEADERS = {
    "a line end in a value": {"X": "a\r\nHost: 127.0.0.1"},
    "a bare line end in a value": {"X": "a\nX-Other: b"},
    "a return in a value": {"X": "a\rb"},
    "a byte of zero": {"X": "a\0"},
    "a line end in a name": {"X: a\r\nY": "b"},
    "a colon in a name": {"X:": "b"},
    "a blank in a name": {"X ": "b"},
    "no name": {"": "b"},
    "a folded value": {"X": "a\r\n b"},
    "letters beyond ASCII": {"X": "ß"},
    "another line end": {"X": "a\x85b"},
    "host": {"hOsT": "127.0.0.1"},
    "length": {"Content-Length": "0"},
    "chunks": {"Transfer-Encoding": "chunked"},
    "connection": {"Connection": "keep-alive, X-Secret"},
    "upgrade": {"Upgrade": "h2c"},
    "trailers": {"TE": "trailers"},
    "expect": {"Expect": "100-continue"},
    "a proxy": {"Proxy-Authorization": "Basic eA=="},
    "compression": {"Accept-Encoding": "gzip"},
    "another method": {"X-HTTP-Method-Override": "DELETE"},
    "another path": {"X-Original-URL": "/admin"},
    "another sender": {"X-Forwarded-For": "127.0.0.1"},
    "many": {f"X-{number}": "a" for number in range(51)},
    "large": {"X": "a" * 17_000},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_no_header_steers_the_connection(canary: RawServer, headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="header"):
        web_to(canary).fetch("GET", at(canary), headers)


@pytest.mark.parametrize(
    "method", ["POST", "DELETE", "CONNECT", "TRACE", "", "GET /x HTTP/1.1\r\nX: y", "G\0ET", "ＧＥＴ", "FOO"]
)
def test_only_allowed_methods_are_sent(canary: RawServer, method: str) -> None:
    with pytest.raises(Refused, match=r"method '.*' is not allowed here; allowed: GET"):
        web_to(canary, ["GET"]).fetch(method, at(canary))


def test_bodies_are_limited_and_belong_to_methods_that_have_one(canary: RawServer) -> None:
    with pytest.raises(Refused, match="GET sends no body"):
        web_to(canary).fetch("GET", at(canary), body="x")
    with pytest.raises(Refused, match="the body is too large: 10 bytes at most"):
        web_to(canary, max_bytes=10).fetch("POST", at(canary), body="x" * 11)


def test_no_other_address_than_the_checked_one_is_reached(canary: RawServer) -> None:
    web = Web(private_hosts=[f"localhost:{canary.port}"], resolve=lambda host, port: ["127.0.0.2"], seconds=2)
    with pytest.raises(Refused, match="no answer from localhost"):
        web.fetch("GET", at(canary, host="localhost"))


def test_proxies_of_the_environment_are_not_used(server: RawServer, canary: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    assert web_to(server).fetch("GET", at(server)).body == "hello"


LOCATIONS = {
    "this machine": "http://127.0.0.1:{canary}/",
    "this machine by name": "http://localhost:{canary}/",
    "the same name elsewhere": "http://api.example.com:{canary}/",
    "no scheme": "//127.0.0.1:{canary}/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "a file": "file:///etc/passwd",
    "a user": "http://api.example.com@127.0.0.1:{canary}/",
    "a backslash": "/\\127.0.0.1:{canary}/",
    "an open bracket": "http://[::1",
    "a blank": "http://127.0.0.1 :{canary}/",
    "letters beyond ASCII": "/ß",
    "itself": "/",
}


@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
def test_every_redirect_is_checked_again(server: RawServer, canary: RawServer, location: str) -> None:
    server.reply = lambda asked: redirect(location.replace("{canary}", str(canary.port)))
    with pytest.raises(Refused):
        web_to(server).fetch("GET", at(server))
    assert len(server.asked) <= 4


def endless(piece: bytes, start: bytes = b"HTTP/1.1 200 OK\r\n") -> Callable[[bytes], Iterator[bytes]]:
    def reply(asked: bytes) -> Iterator[bytes]:
        yield start
        while True:
            yield piece

    return reply


TOO_MUCH: dict[str, Callable[[bytes], bytes | Iterator[bytes]]] = {
    "a body without end": endless(b"x" * 9999, b"HTTP/1.1 200 OK\r\n\r\n"),
    "a length beyond all": lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + b"x" * 2000,
    "chunks without end": endless(b"3e8\r\n" + b"x" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a chunk of minus one": endless(b"x" * 9999, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
    "a chunk beyond all": endless(b"x" * 9999, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
    "a chunk's size without end": endless(b"1" * 9999, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "trailers without end": endless(b"X: y\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
    "headers without end": endless(b"X: y\r\n"),
    "a header without end": endless(b"x" * 9999),
    "a status without end": endless(b"x" * 9999, b"HTTP/1.1 2"),
    "nothing but patience": endless(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "cut off": lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell",
    "a chunk that is cut off": lambda asked: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhell",
    "no HTTP": lambda asked: b"220 smtp.example.com ESMTP\r\n",
    "nothing": lambda asked: b"",
    "a status that is none": lambda asked: b"HTTP/1.1 -1 Odd\r\n\r\n",
}


@pytest.mark.parametrize("reply", TOO_MUCH.values(), ids=TOO_MUCH)
def test_no_answer_is_read_without_end_or_in_part(server: RawServer, reply: Callable[[bytes], bytes]) -> None:
    server.reply = reply
    with pytest.raises(Refused, match=r"no answer from|more than 1000 bytes|broke off"):
        web_to(server, max_bytes=1000).fetch("GET", at(server))


def test_a_byte_at_a_time_does_not_begin_the_time_anew(server: RawServer) -> None:
    def drip(asked: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while not server.done.wait(0.02):
            yield b"x"

    server.reply = drip
    with pytest.raises(Refused, match=f"{HOST} took longer than 0.2 s"):
        web_to(server, seconds=0.2).fetch("GET", at(server))


def test_a_server_that_says_nothing_is_left(server: RawServer) -> None:
    def silent(asked: bytes) -> bytes:
        server.done.wait()
        return b""

    server.reply = silent
    with pytest.raises(Refused, match="took longer"):
        web_to(server, seconds=0.1).fetch("GET", at(server))


def test_a_look_up_without_end_is_left(canary: RawServer) -> None:
    over = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        over.wait()
        return []

    with pytest.raises(Refused, match="took longer"):
        Web(hosts=[HOST], resolve=hanging, seconds=0.1).fetch("GET", f"http://{HOST}/")
    over.set()


@pytest.mark.parametrize("value", [SECRET + "\r\n", SECRET + "ß"])
def test_no_error_shows_a_header(server: RawServer, value: str) -> None:
    with pytest.raises(Refused) as caught:
        web_to(server).fetch("GET", at(server), {"Authorization": value})
    assert "sesame" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@given(
    st.text(max_size=60).map("http://h/".__add__) | st.text("htp:/.@[]%\\0127ax#? \t\r\n", max_size=40).map("http://".__add__)
)
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = target_of(text)
    except Refused:
        return
    # Python reads the same host from it; what reads another is how filters are passed.
    assert (urlsplit(text).hostname, urlsplit(text).port or 80) == (target.host.strip("[]"), target.port)
    assert target.path.startswith("/")
    assert target.path.isascii()


@given(method=texts | st.sampled_from(METHODS), url=texts, headers=st.dictionaries(texts, texts, max_size=2), body=bodies)
def test_no_request_raises(
    method: str, url: str, headers: dict[str, str], body: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace(tmp_path_factory.getbasetemp() / "web", private_hosts=["nowhere.example.com:1"])
    action = ActionFactory.api_call(method, f"http://nowhere.example.com:22{url}", headers, body)
    assert workspace.call(action.type, action.to_tool_call().parsed()).error
