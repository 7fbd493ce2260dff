"""What an agent may put into an HTTP request, read strictly: a URL in its plainest form, headers that steer nothing.

target_of("https://api.example.com/v1?q=1") == Target("https", "api.example.com", 443, "/v1?q=1")
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Any, NamedTuple, Self
from urllib.parse import urljoin

import msgspec

from agent_gym.errors import UsageError
from agent_gym.tools.workspace_paths import Refused

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PORTS = {"http": 80, "https": 443}
MAX_HEADERS, MAX_HEADER_BYTES, LONGEST_URL = 50, 16_384, 4_096
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])"
_URL = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?([/?][\x21-\x7e]*)?", re.IGNORECASE)
_ENTRY = re.compile(rf"(\*\.)?({_HOST})(?::([0-9]{{1,5}}))?", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_STEERING = set(
    "host connection content-length transfer-encoding te trailer upgrade keep-alive expect accept-encoding forwarded via "
    "x-http-method x-http-method-override x-method-override x-original-url x-rewrite-url x-real-ip".split()
)
"""They belong to the connection, or ask for another method, path or sender than the one that was checked."""
_SECRET = re.compile(r"auth|cookie|key|token|secret|password|signature", re.IGNORECASE)


class Target(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two requests share that go to the same server."""
        return self.scheme, self.host, self.port


def target_of(url: str) -> Target:
    """Read a URL.

    Raises:
        Refused: when it is not plainly http or https to a host: with a user, blanks, an escaped or non-ASCII host.
    """
    plain = url.partition("#")[0]
    found = _URL.fullmatch(plain) if len(plain) <= LONGEST_URL else None
    if found is None or not _is_host(found[2]):
        raise Refused("not a plain URL: write http(s)://host[:port]/path, without user, blanks or letters beyond ASCII")
    scheme, path = found[1].lower(), found[4] or "/"
    port = int(found[3]) if found[3] else PORTS[scheme]
    if not 0 < port < 65536:
        raise Refused(f"there is no port {port}")
    return Target(scheme, found[2].lower(), port, path if path.startswith("/") else f"/{path}")


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return True
    try:
        IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class HostRule:
    """A host that may be reached: `api.example.com`, `api.example.com:8443`, or every host below one: `*.example.com`."""

    host: str
    below: bool
    port: int | None
    """None for the usual ports of http and https, and no other."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a rule.

        Raises:
            UsageError: when it is none; a URL is not a host.
        """
        found = _ENTRY.fullmatch(text)
        if found is None or not _is_host(found[2]):
            raise UsageError(f"{text!r} is not a host: write api.example.com, api.example.com:8443 or *.example.com")
        return cls(found[2].lower(), bool(found[1]), int(found[3]) if found[3] else None)

    def allows(self, target: Target) -> bool:
        """Whether the target is this host, at this port."""
        named = target.host.endswith(f".{self.host}") if self.below else target.host == self.host
        return named and target.port == (self.port or PORTS[target.scheme])


def rules_of(hosts: Iterable[str]) -> tuple[HostRule, ...]:
    """Read some rules.

    Raises:
        UsageError: when one is no host, or the list is a single text.
    """
    if isinstance(hosts, str):
        raise UsageError(f"hosts are a list: [{hosts!r}]")
    return tuple(map(HostRule.of, hosts))


@dataclass(frozen=True)
class Request:
    """A request that may be sent, if its target may be reached."""

    method: str
    target: Target
    headers: Mapping[str, str]
    data: bytes | None = None

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: Any) -> Self:
        """Read what an agent wrote; a body that is not text becomes JSON.

        Raises:
            Refused: when the URL, a header, or the body of this method may not be.
        """
        _check_headers(headers)
        if body is None:
            return cls(method, target_of(url), dict(headers))
        if method in ("GET", "HEAD"):
            raise Refused(f"{method} sends no body: put what it asks for into the URL")
        is_text = isinstance(body, str)
        data = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        kind = {} if _has(headers, "content-type") else {"Content-Type": "text/plain" if is_text else "application/json"}
        return cls(method, target_of(url), {**headers, **kind}, data)

    def redirected(self, status: int, location: str) -> Self:
        """The request that a redirect asks for; headers stay behind when it leads to another server.

        Raises:
            Refused: when it leads from https to http, or would take a body to another server.
        """
        scheme, host, port = self.target.origin
        try:
            target = target_of(urljoin(f"{scheme}://{host}:{port}{self.target.path}", location))
        except ValueError:
            raise Refused("redirected to what is no URL") from None
        if (scheme, target.scheme) == ("https", "http"):
            raise Refused("redirected from https to http")
        request = replace(self, target=target)
        if (status == 303 and self.method != "HEAD") or (status in (301, 302) and self.method == "POST"):
            kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("content-")}
            request = replace(request, method="GET", headers=kept, data=None)
        if target.origin == self.target.origin:
            return request
        if request.data is not None:
            raise Refused("redirected to another server with a body: ask that server itself")
        return replace(request, headers={})

    def hide(self, text: str) -> str:
        """A text without the secrets that the headers hold, for servers that answer with what they were sent."""
        values = [value for name, value in self.headers.items() if _SECRET.search(name)]
        secrets = {word for value in values for word in (value, *value.split()) if len(word) >= 8}
        for secret in sorted(secrets, key=len, reverse=True):
            for spelled in (secret, msgspec.json.encode(secret).decode()[1:-1]):
                text = text.replace(spelled, "[hidden]")
        return text


def _check_headers(headers: Mapping[str, str]) -> None:
    size = sum(len(name) + len(value) for name, value in headers.items())
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Refused(f"the headers are too large: {MAX_HEADERS} headers of {MAX_HEADER_BYTES} characters together at most")
    for name, value in headers.items():
        lower = name.lower()
        # Neither what is wrong with a name nor any value is shown: they may hold a key.
        if not _HEADER.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise Refused("a header is no plain text: names are words, values printable ASCII on one line")
        if lower in _STEERING or lower.startswith(("proxy-", "x-forwarded-")):
            raise Refused(f"header {name!r} may not be set")


def _has(headers: Mapping[str, str], wanted: str) -> bool:
    return any(name.lower() == wanted for name in headers)
