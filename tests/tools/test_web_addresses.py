"""Which addresses a sandbox may reach."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_gym.tools.web_addresses import is_private, is_public

PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1"]
OWN = {
    "this machine": "127.0.0.1",
    "all of this machine": "127.255.255.254",
    "this machine, six": "::1",
    "a home": "192.168.1.1",
    "an office": "10.0.0.1",
    "between": "172.16.0.1",
    "a carrier": "100.64.0.1",
    "a network of one's own, six": "fd12:3456::1",
}
NEVER = {
    "nothing": "0.0.0.0",
    "nothing, six": "::",
    "this network": "0.1.2.3",
    "metadata": "169.254.169.254",
    "metadata, containers": "169.254.170.2",
    "metadata, six": "fd00:ec2::254",
    "metadata, six, another": "fd20:ce::254",
    "metadata at a carrier's address": "100.100.100.200",
    "metadata in a protocol's block": "192.0.0.192",
    "a cloud's host": "168.63.129.16",
    "link-local, six": "fe80::1",
    "link-local with a zone": "fe80::1%eth0",
    "multicast": "224.0.0.1",
    "multicast, six": "ff02::1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "a book's example": "192.0.2.1",
    "a book's example, six": "2001:db8::1",
    "a benchmark": "198.18.0.1",
    "four in six": "::ffff:127.0.0.1",
    "a public four in six": "::ffff:8.8.8.8",
    "four in six, old": "::127.0.0.1",
    "translated": "64:ff9b::7f00:1",
    "translated at home": "64:ff9b:1::a00:1",
    "six to four": "2002:7f00:1::",
    "teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "site-local": "fec0::1",
    "discarded": "100::1",
    "no address": "example.com",
    "a number": "2130706433",
    "three parts": "127.0.1",
    "empty": "",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_machine_may_be_reached(address: str) -> None:
    assert (is_public(address), is_private(address)) == (True, False)


@pytest.mark.parametrize("address", OWN.values(), ids=OWN)
def test_ones_own_networks_are_private(address: str) -> None:
    assert (is_public(address), is_private(address)) == (False, True)


@pytest.mark.parametrize("address", NEVER.values(), ids=NEVER)
def test_everything_else_is_never_reached(address: str) -> None:
    assert (is_public(address), is_private(address)) == (False, False)


@given(st.ip_addresses())
def test_what_is_public_is_global_to_python_too(address: IPv4Address | IPv6Address) -> None:
    found = str(address)
    assert not (is_public(found) and is_private(found))
    if is_public(found):
        assert address.is_global
