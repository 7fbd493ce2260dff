"""Which machines on the internet a sandbox may reach, by address.

Everything that is not plainly a public machine is refused: this machine, its networks, clouds' metadata services, and the forms
of IPv6 that carry another address inside. The list is written out, from IANA's registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry), because what Python's `is_global`
means has changed between releases.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> Sequence[Network]:
    return [ip_network(one) for one in text.split()]


_PUBLIC = _networks("0.0.0.0/0 2000::/3")
_SPECIAL = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24"
    " 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3"
    # The address at which Azure's machines find their own host; it lies among public ones.
    " 168.63.129.16/32"
    " 2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
_PRIVATE = _networks("10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7")
_METADATA = _networks("100.100.100.200/32 fd00:ec2::254/128 fd20:ce::254/128")
"""Inside private networks; all others lie in networks that are never private."""


def is_public(text: str) -> bool:
    """Whether an address belongs to a machine that anyone on the internet can reach."""
    address = _read(text)
    return address is not None and _in(address, _PUBLIC) and not _in(address, _SPECIAL)


def is_private(text: str) -> bool:
    """Whether it belongs to this machine or a network of its owner's; metadata services are in neither class."""
    address = _read(text)
    return address is not None and _in(address, _PRIVATE) and not _in(address, _METADATA)


def _read(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
