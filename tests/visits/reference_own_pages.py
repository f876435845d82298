"""Own pages and arrivals, one event at a time, of rows whose hosts are spelled plainly."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

KNOWN = {"instagram.com": True, "google.com": True}
IGNORED = ("paypal.com",)


def host(address):
    return (urlsplit(address).hostname or "").removeprefix("www.") if address else ""


def domain(name):
    # The hosts of these tests have a suffix of one label.
    return ".".join(name.split(".")[-2:])


def within(name, domains):
    return any(name == one or name.endswith("." + one) for one in domains)


def heaviest(domains):
    counts = Counter(domains)
    ordered = sorted(counts, key=lambda one: (-counts[one], one in KNOWN, one))
    least = max(2, 0.05 * sum(counts.values()))
    return {
        one
        for place, one in enumerate(ordered)
        if place == 0 or (counts[one] >= least and one not in KNOWN)
    }


def reference(rows):
    """Return the own domains, the page of each row, and the host that it arrived from.

    Parameters
    ----------
    rows : list of (str, str or None, str or None, str or None)
        The event's name, a tracker's page address, a plain address, the referrer.
    """
    pages = [page or (plain if name == "PageView" else None) for name, page, plain, _ in rows]
    weighed = pages if any(pages) else [plain for _, _, plain, _ in rows]
    own = heaviest([domain(host(page)) for page in weighed if host(page)])
    if not own and any(pages):
        of_pages = [r for page, (*_, r) in zip(pages, rows, strict=True) if page and host(r)]
        sites = Counter(domain(host(r)) for r in of_pages)
        enough = [
            one
            for one in sorted(sites, key=lambda one: (-sites[one], one in KNOWN, one))
            if sites[one] > 0.5 * len(of_pages) and one not in (*KNOWN, *IGNORED)
        ]
        own = set(enough[:1])
    for name in {row[0] for row in rows}:
        plains = [plain for n, _, plain, _ in rows if n == name]
        carried = [plain for plain in plains if plain]
        on_own = [plain for plain in carried if within(host(plain), own)]
        if on_own and len(carried) >= 0.9 * len(plains) and len(on_own) >= 0.9 * len(carried):
            pages = [
                page or (plain if n == name else None)
                for page, (n, _, plain, _) in zip(pages, rows, strict=True)
            ]
    arrived = []
    for page, (*_, referrer) in zip(pages, rows, strict=True):
        name = host(referrer)
        same = host(page) and domain(host(page)) == domain(name)
        inside = within(name, own) or within(name, IGNORED) or same
        arrived.append(None if not name or inside else name)
    return own, pages, arrived
