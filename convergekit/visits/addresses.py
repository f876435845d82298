"""Addresses read by Python's `urllib.parse`: hosts, registrable domains, and their parameters.

Nothing is searched for in the text of an address: what stands in the value of another parameter, or
in a path, is not the address's own. Of millions of addresses few parts differ, and only those are
parsed: what stands before the path for the host, and what follows it for the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.grouping import NumberedText
from convergekit.base.text import to_arrow
from convergekit.errors import ConvergekitError
from convergekit.events.campaigns import CLICK_IDS, TAGS
from convergekit.events.nothing import AROUND, NO_VALUE

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_START = r"^\s*(?P<start>(?:[A-Za-z][A-Za-z0-9+.\-]*:)?(?://)?[^/?#\\]*)"
_REST = r"(?s)^[^?#]*(?P<rest>[?#].*)$"
_NAMES = "|".join((*TAGS, *CLICK_IDS))
_CAMPAIGN = rf"(?i)(?:{_NAMES})="
# The values of click IDs differ in every address, and only whether there is one matters.
_LONG_ID = rf"(?i)([?&#;](?:{'|'.join(CLICK_IDS)})=)[A-Za-z0-9_.\-]{{20,}}"
_LABELS = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
_NUMBERS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
#: Domains that nobody can register, https://www.rfc-editor.org/rfc/rfc6761, are hosts all the same.
_RESERVED = ("example", "invalid", "localhost", "test")
# What `&amp;` leaves before the name of the next parameter, written out once or more.
_ESCAPED = re.compile(r"^(?:amp;)+")
#: No host is longer, https://www.rfc-editor.org/rfc/rfc1035.
_LONGEST_HOST = 253
_CAPACITY = 100_000


def hosts_of(addresses: NumberedText) -> NumberedText:
    """Return the host of each address, in small letters and without ``www.``, missing for none.

    Parameters
    ----------
    addresses : NumberedText
        With or without a scheme. Without one, what stands before the path is a host if it ends in
        a public suffix: ``shop.com/tea`` has one, ``/tea`` and ``index.html`` do not.

    Examples
    --------
    >>> hosts = hosts_of(NumberedText.of(pd.Series([
    ...     "HTTPS://WWW.Shop.Example:443/tea", "shop.example./", "//user@shop.example", "/tea",
    ...     "http://[2001:db8::1]:8080/", "https://bücher.example/", "google.com", "index.html",
    ... ])))
    >>> hosts.distinct.tolist(), hosts.codes.tolist()  # doctest: +NORMALIZE_WHITESPACE
    (['shop.example', '2001:db8::1', 'xn--bcher-kva.example', 'google.com'],
     [0, 0, 0, -1, 1, 2, 3, -1])
    """
    parts = pc.extract_regex(to_arrow(addresses.distinct), _START)
    starts = _numbered(addresses, pc.struct_field(parts, "start"))
    return replaced(starts, [_host(start) for start in starts.distinct])


def domains_of(hosts: NumberedText) -> NumberedText:
    """Return the registrable domain of each host.

    Examples
    --------
    >>> domains_of(NumberedText.of(pd.Series(["a.shop.test", "b.shop.test"]))).codes.tolist()
    [0, 0]
    """
    return replaced(hosts, [registrable_domain(host) for host in hosts.distinct])


def parameters_of(addresses: NumberedText, *, whole: bool = False) -> dict[str, NumberedText]:
    """Return the campaign parameters and click IDs in the query of each address.

    Parameters
    ----------
    addresses : NumberedText
    whole : bool, default False
        Whether the values of click IDs are wanted.

    Returns
    -------
    dict of str to NumberedText
        Per name in `TAGS` and `CLICK_IDS`, the value of each address, missing where it has none.
        Names are compared without regard to case. Of a repeated parameter, the first value counts
        that is not a text that stands for nothing. The fragment counts if the query has none of
        the names, as Universal Analytics (``allowAnchor``) and Matomo read it. ``&amp;``, which a
        template has left, separates as ``&`` does; ``;`` does not.

    Notes
    -----
    The value of a click ID of twenty letters or more is returned as ``x``, unless `whole` asks for
    it: it is in every address another, and mostly it matters only whether there is one.

    Examples
    --------
    >>> found = parameters_of(NumberedText.of(pd.Series([
    ...     "https://shop.example/?UTM_Source=news&amp;utm_medium=email",
    ...     "https://shop.example/#utm_source=ads",
    ...     "https://shop.example/?next=https://other.example/?utm_source=foo",
    ... ])))
    >>> found["utm_source"].distinct.tolist(), found["utm_source"].codes.tolist()
    (['news', 'ads'], [0, 1, -1])
    >>> found["utm_medium"].codes.tolist()
    [0, -1, -1]
    """
    texts = to_arrow(addresses.distinct)
    tagged = pc.match_substring_regex(texts, _CAMPAIGN)
    parts = pc.extract_regex(pc.if_else(tagged, texts, None), _REST)
    rest = pc.struct_field(parts, "rest")
    if not whole:
        rest = pc.replace_substring_regex(rest, _LONG_ID, r"\1x")
    rests = _numbered(addresses, rest)
    read = [_parameters(text) for text in rests.distinct]
    return {name: replaced(rests, [one.get(name) for one in read]) for name in (*TAGS, *CLICK_IDS)}


def replaced(column: NumberedText, texts: Sequence[str | None]) -> NumberedText:
    """Return the column with another text, or none, in place of each distinct one.

    Examples
    --------
    >>> replaced(NumberedText.of(pd.Series(["a", "b"], dtype="str")), [None, "c"]).codes.tolist()
    [-1, 0]
    """
    return column.mapped(pd.Series(texts, dtype="str"))


def host_of(address: str) -> str | None:
    """Return the host of one address, as `hosts_of` does.

    Examples
    --------
    >>> host_of("www.shop.example/tea"), host_of("spring sale")
    ('shop.example', None)
    """
    found = re.match(_START, address)
    return _host(found["start"]) if found else None


def domains_given(option: str, domains: Sequence[str]) -> tuple[str, ...]:
    """Return the hosts that an option names.

    Raises
    ------
    ConvergekitError
        It is not a list of domains.

    Examples
    --------
    >>> domains_given("own_domains", ["www.shop.example", "https://pay.example/"])
    ('shop.example', 'pay.example')
    """
    if isinstance(domains, str) or not all(isinstance(domain, str) for domain in domains):
        raise ConvergekitError(
            f"{option} must be a list of domains, such as ['shop.example']; got {domains!r}."
        )
    found = []
    for domain in domains:
        start = re.match(_START, domain if "//" in domain else f"//{domain}")
        host = _host(start["start"]) if start else None
        if host is None or not _may_be_a_host(host):
            raise ConvergekitError(
                f"{option} names {domain!r}, which is not a domain; write it as 'shop.example'."
            )
        found.append(host)
    return tuple(dict.fromkeys(found))


def parents(host: str) -> Iterator[str]:
    """Yield the host and the domains that it is in, the nearest first.

    Examples
    --------
    >>> list(parents("m.blog.example"))
    ['m.blog.example', 'blog.example']
    """
    yield host
    if ":" in host or _NUMBERS.fullmatch(host):
        return
    while host.count(".") > 1:
        host = host.partition(".")[2]
        yield host


@lru_cache(_CAPACITY)
def registrable_domain(host: str) -> str:
    """Return the domain that somebody registered, by the Public Suffix List.

    The list is Mozilla's, https://publicsuffix.org, as the package `publicsuffixlist` brings it
    along; nothing is fetched. An IP address, and a public suffix itself, are returned as they are.

    Examples
    --------
    >>> [registrable_domain(host) for host in ("blog.shop.co.uk", "tea.myshopify.com", "10.0.0.1")]
    ['shop.co.uk', 'tea.myshopify.com', '10.0.0.1']
    """
    if ":" in host or _NUMBERS.fullmatch(host):
        return host
    return _suffixes().privatesuffix(host) or host


def public_suffix(host: str) -> str:
    """Return what the host's registrable domain stands under.

    Examples
    --------
    >>> public_suffix("www.google.com.au")
    'com.au'
    """
    return _suffixes().publicsuffix(host) or host


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _numbered(column: NumberedText, texts: pa.Array | pa.ChunkedArray) -> NumberedText:
    """Return the column with a part of each distinct text in its place."""
    return column.mapped(pd.Series(pd.array(texts, dtype="str")))


def _host(start: str) -> str | None:
    """Return the host in what stands before the path of an address."""
    text = start.strip()
    alone = "//" not in text
    try:
        found = urlsplit(f"//{text}" if alone else text)
        host = found.hostname
        if alone and ("@" in text or (found.port is None and ":" in text)):
            # Such as `mailto:`, `about:blank` or a mail address.
            return None
    except ValueError:
        return None
    host = (host or "").rstrip(".")
    if len(host) > _LONGEST_HOST:
        return None
    host = _ascii(host)
    if not host or (alone and not _is_host(host)):
        return None
    short = host.removeprefix("www.")
    return short if "." in short else host


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _is_host(text: str) -> bool:
    """Return whether a text that no scheme precedes is a host, and not a path or a word."""
    if text == "localhost" or _NUMBERS.fullmatch(text):
        return True
    if not _may_be_a_host(text):
        return False
    if text.rpartition(".")[2] in _RESERVED:
        return True
    return _suffixes().publicsuffix(text, accept_unknown=False) is not None


def _may_be_a_host(text: str) -> bool:
    return text == "localhost" or ":" in text or _LABELS.fullmatch(text) is not None


def _parameters(rest: str) -> dict[str, str]:
    """Return the campaign parameters in what follows the path of an address."""
    found = urlsplit(rest)
    anchor = found.fragment.partition("?")[2] or found.fragment
    return _of_query(found.query) or _of_query(anchor)


def _of_query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, separator="&"):
        known = _name(name)
        if known and (known not in found or (_is_nothing(found[known]) and not _is_nothing(value))):
            found[known] = value
    return found


@lru_cache(_CAPACITY)
def _name(name: str) -> str | None:
    plain = _ESCAPED.sub("", name.lower().lstrip("?"))
    return plain if plain in TAGS or plain in CLICK_IDS else None


def _is_nothing(value: str) -> bool:
    return value.strip(AROUND).lower() in NO_VALUE
