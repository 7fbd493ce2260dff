"""HTTP for an agent that is not trusted with the network.

Off until hosts are named. A name is resolved once, its addresses are checked, and the connection is made to an address that was
checked: there is no second look-up for a hostile name server to answer differently. TLS is verified against the name. Every
redirect is checked as if it were asked for. Proxies named in the environment are not used. What is *not* covered: a named host
that forwards requests to others.

    Web(hosts=["api.example.com"]).fetch("GET", "https://api.example.com/v1/items")
"""

import http.client
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

import msgspec

from agent_gym.actions.json_text import fault_of
from agent_gym.errors import UsageError
from agent_gym.tools.web_addresses import is_private, is_public
from agent_gym.tools.web_connection import PIECE, addresses_of, connected, looked_up
from agent_gym.tools.web_requests import METHODS, Request, Target, rules_of
from agent_gym.tools.workspace_paths import Refused

MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)

Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port to the addresses it has, as text."""


class Answer(NamedTuple):
    """What a server said."""

    status: int
    media_type: str
    """The body's media type, empty when it named none."""
    body: Any
    """The JSON value, else the text, else None for bytes that are no text."""


class Web:
    """Requests to a few hosts.

    Args:
        hosts: `api.example.com` (the usual ports), `api.example.com:8443`, `*.example.com` (all below it, not itself).
        methods: of `METHODS`.
        private_hosts: hosts that may have private or loopback addresses; they need not be named in `hosts` too. Metadata
            services, link-local and multicast addresses stay out of reach.
        seconds: for one call, from the look-up to the last byte of the last redirect.
        max_bytes: of a body, sent or received.
        resolve: how names become addresses.
        tls: whom to trust, if not the system's authorities.

    Raises:
        UsageError: when a host or a method is none.
    """

    def __init__(
        self,
        hosts: Iterable[str] = (),
        methods: Iterable[str] = ("GET",),
        private_hosts: Iterable[str] = (),
        *,
        seconds: float = 10.0,
        max_bytes: int = 1_000_000,
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._private = rules_of(private_hosts)
        self._allowed = (*rules_of(hosts), *self._private)
        self.methods = (methods,) if isinstance(methods, str) else tuple(methods)
        if unknown := set(self.methods) - set(METHODS):
            raise UsageError(f"no methods of a workspace: {', '.join(sorted(unknown))}; there are: {', '.join(METHODS)}")
        self.seconds, self.max_bytes = seconds, max_bytes
        self._resolve = resolve or addresses_of
        self._tls = tls

    def __bool__(self) -> bool:
        """Whether anything may be reached."""
        return bool(self._allowed and self.methods)

    def fetch(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        """Send a request, follow its redirects.

        Raises:
            Refused: when that is not allowed, takes too long, answers too much, or fails; shows no header and no path.
        """
        if not self:
            raise Refused("the network is off: no host is allowed here")
        deadline = time.monotonic() + self.seconds
        request = Request.of(method.upper(), url, headers or {}, body)
        if len(request.data or b"") > self.max_bytes:
            raise Refused(f"the body is too large: {self.max_bytes} bytes at most")
        for _ in range(MAX_REDIRECTS + 1):
            self._check(request)
            try:
                answer = self._send(request, deadline)
            except TimeoutError:
                raise Refused(f"{request.target.host} took longer than {self.seconds:g} s") from None
            except ssl.SSLCertVerificationError as error:
                raise Refused(f"{request.target.host} cannot prove that it is that host: {error.verify_message}") from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Refused(f"no answer from {request.target.host} ({type(error).__name__})") from None
            if isinstance(answer, Answer):
                return answer
            request = answer
        raise Refused(f"more than {MAX_REDIRECTS} redirects")

    def _check(self, request: Request) -> None:
        if request.method not in self.methods:
            raise Refused(f"method {request.method[:20]!a} is not allowed here; allowed: {', '.join(self.methods)}")
        if not any(rule.allows(request.target) for rule in self._allowed):
            raise Refused(f"host {request.target.host[:100]} at port {request.target.port} is not allowed here")

    def _send(self, request: Request, deadline: float) -> Answer | Request:
        addresses = self._addresses(request.target, deadline)
        # Twice the body, for chunks, and what headers may take.
        room = 2 * self.max_bytes + 1_000_000
        with connected(request.target, addresses, deadline, room, self._context) as connection:
            own = {"Connection": "close", "User-Agent": "agent-gym"}
            connection.request(request.method, request.target.path, request.data, {**own, **request.headers})
            with connection.getresponse() as response:
                location = response.getheader("Location")
                if response.status in REDIRECTS and location is not None:
                    return request.redirected(response.status, location)
                return _read(request, response, self.max_bytes)

    def _addresses(self, target: Target, deadline: float) -> list[str]:
        """The addresses of the target that may be reached."""
        private = any(rule.allows(target) for rule in self._private)
        named = target.host.strip("[]")
        found = [named] if _is_address(named) else looked_up(lambda: self._resolve(named, target.port), deadline)
        reachable = [address for address in found if is_public(address) or (private and is_private(address))]
        if not reachable:
            raise Refused(f"{target.host[:100]} has no address that may be reached from here")
        return reachable

    def _context(self) -> ssl.SSLContext:
        self._tls = self._tls or ssl.create_default_context()
        return self._tls


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _read(request: Request, response: http.client.HTTPResponse, max_bytes: int) -> Answer:
    data = bytearray()
    while len(data) <= max_bytes and (piece := response.read(PIECE)):
        data += piece
    if len(data) > max_bytes:
        raise Refused(f"{request.target.host} answered more than {max_bytes} bytes")
    if response.length:
        raise Refused(f"the answer of {request.target.host} broke off")
    kind = request.hide(response.getheader("Content-Type") or "").partition(";")[0].strip().lower()[:100]
    try:
        text = request.hide(data.decode())
    except UnicodeDecodeError:
        return Answer(response.status, kind, None)
    return Answer(response.status, kind, _json_or_text(text) if kind.endswith("json") else text)


def _json_or_text(text: str) -> Any:
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text
    return text if fault_of(value) else value
