"""Addresses: parsed as browsers do, canonical, and which of them may be asked at all.

Knows no network: names are resolved, and what they resolve to is checked, by http.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from dragtor.errors import BlockedURL, LoadError

if TYPE_CHECKING:
    import ada_url

ALLOW_PRIVATE = (
    "DRAGTOR_LOAD_WEB_ALLOW_PRIVATE=true dragtor add … (lasting: load.web.allow_private: true)"
)
LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")
# Public by the registries, but leading to this machine's own surroundings.
REFUSED_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "168.63.129.16/32")
)
TRACKING = re.compile(
    r"(?:utm|mtm|hsa)_\w+|fbclid|gclid|dclid|yclid|twclid|msclkid|wbraid|gbraid|igshid|mc_cid"
    r"|mc_eid|_hsenc|_hsmi|vero_id|ref_src",
    re.I,
)
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
TUNNELS_V6 = ipaddress.IPv6Network("2001::/23")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def shown(text: str, limit: int = 120) -> str:
    """`text` fit for one line of a message: printable, not too long, without a password."""
    text = re.sub(r"//[^/?#\s]*@", "//…@", text)
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def parse_url(url: str, base: str = "") -> ada_url.URL:
    """Parse as browsers do (WHATWG); raises LoadError where the standard says failure."""
    from ada_url import URL

    try:
        return URL(url, base=base) if base else URL(url)
    except ValueError as error:  # a lone surrogate is a ValueError too
        raise LoadError(f"not a web address: {shown(url)}") from error


def clean_url(url: str) -> str:
    """`url` without its fragment and without parameters that only track the reader."""
    head, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if not TRACKING.fullmatch(part.partition("=")[0])]
    return f"{head}?{'&'.join(kept)}" if any(kept) else head


def web_address(argument: str) -> str:
    """An http or https address in its canonical form, empty for anything else.

    Raises LoadError on an address that no browser reads.
    """
    if not argument.lower().startswith(("http://", "https://")):
        return ""
    return clean_url(str(parse_url(argument).href))


def check_url(url: str, *, base: str = "", allow_private: bool = False) -> str:
    """The URL in its normal form (WHATWG, fragment kept); asks no name server.

    Raises LoadError on what is no URL, BlockedURL on one that is never requested.
    """
    parsed = parse_url(url, base)
    if parsed.protocol not in ("http:", "https:"):
        raise BlockedURL(f"only http and https are read: {shown(url)}")
    if parsed.username or parsed.password:
        raise BlockedURL(f"a URL with a user name or password is refused: {parsed.hostname}")
    host = parsed.hostname.strip("[]").rstrip(".")
    if not allow_private:
        check_host(host)
    return str(parsed.href)


def check_host(host: str) -> None:
    """Raise BlockedURL if `host` is a private address or a name kept for local use."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.lower().split(".")
        if labels[-1] in LOCAL_NAMES or ".".join(labels[-2:]) in LOCAL_NAMES:
            raise BlockedURL(f"a local name is refused: {shown(host)}", ALLOW_PRIVATE) from None
        return
    if not is_public(address):
        raise BlockedURL(f"a private address is refused: {shown(host)}", ALLOW_PRIVATE)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether `address` is an ordinary one of the public internet, in any wrapping."""
    if isinstance(address, ipaddress.IPv4Address):
        special = address.is_multicast or any(address in net for net in REFUSED_V4)
        return address.is_global and not special
    if inner := address.ipv4_mapped or address.sixtofour:
        return is_public(inner)
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in GLOBAL_V6 and address.is_global and address not in TUNNELS_V6
