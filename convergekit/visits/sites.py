"""What kind of site a source or a referrer is: search, social, shopping, video, mail, assistant.

Google publishes which sources it takes for which, with its default channel group
(https://support.google.com/analytics/answer/9756891). `google_sources.csv` has the rows of that
list, of the day `GOOGLE_SOURCES_DATE`; ``python -m tests.visits.newer_sources`` shows the
difference to another. What the list leaves open is ours, and stands below.

A word that somebody wrote into a link is asked as a word, and a host as a host. A word such as
``ig``, ``x`` or ``meta`` in a host says nothing: ``ig.ft.com`` is a newspaper. A host is known by
itself, or by the nearest domain above it that is known.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias, get_args

from convergekit.visits.addresses import host_of, parents, public_suffix, registrable_domain

SiteKind: TypeAlias = Literal["search", "social", "shopping", "video", "mail", "assistant"]
KINDS: tuple[SiteKind, ...] = get_args(SiteKind)
#: The day of Google's list.
GOOGLE_SOURCES_DATE = "2026-09-19"
#: The day on which our own additions were looked over.
MORE_SOURCES_DATE = "2026-11-30"

#: What Google's list lacks. ``google.*`` is google.com and every national domain of that name:
#: Google's list has the word alone. Apps go by the name of their package, as in
#: ``android-app://com.google.android.gm/``.
MORE_SOURCES: dict[SiteKind, str] = {
    "search": """
        google.* bing.* yahoo.* yandex.* baidu.com duckduckgo.com ecosia startpage startpage.com
        brave search.brave.com kagi kagi.com mojeek mojeek.com swisscows.com metager.org metager.de
        qwant.* ask.com aol.com lycos.com presearch.com petalsearch.com yep.com coccoc.com ya.ru
        syndicatedsearch.goog
        com.google.android.googlequicksearchbox com.duckduckgo.mobile.android
        """,
    "social": """
        x x.com meta threads threads.net threads.com bluesky bsky bsky.app mastodon mastodon.social
        telegram telegram.me telegram.org vk ok.ru fb.com m.me ig.me insta instagr.am pin.it
        pinterest.* redd.it wa.me discord discord.com discordapp.com nextdoor nextdoor.com
        truthsocial.com hackernews tripadvisor.* yelp.* trustpilot.* snap
        com.facebook.katana com.facebook.orca com.instagram.android com.twitter.android
        com.linkedin.android com.pinterest com.reddit.frontpage com.zhiliaoapp.musically
        com.snapchat.android com.whatsapp org.telegram.messenger com.discord
        """,
    "shopping": """
        amazon.* ebay.* aliexpress aliexpress.* temu temu.com walmart.* mercadolibre.*
        mercadolivre mercadolivre.com.br etsy.me allegro allegro.pl bol bol.com zalando zalando.*
        idealo idealo.* shopping.google.com otto.de cdiscount cdiscount.com shein shein.com
        com.amazon.mshop.android.shopping com.ebay.mobile com.etsy.android
        """,
    "video": """
        youtu.be youtube-nocookie.com rumble rumble.com bilibili bilibili.com odysee.com kick.com
        com.google.android.youtube
        """,
    "mail": """
        mail.google.com gmail.com inbox.google.com outlook.com outlook.live.com outlook.office.com
        outlook.office365.com e.mail.ru mail.proton.me protonmail.com mail.aol.com
        com.google.android.gm com.microsoft.office.outlook com.yahoo.mobile.client.android.mail
        """,
    # Google names five assistants, and keeps the list of their referrers to itself.
    "assistant": """
        chatgpt chatgpt.com chat.openai.com gemini gemini.google.com bard.google.com
        claude claude.ai copilot copilot.microsoft.com copilot.cloud.microsoft
        m365.cloud.microsoft grok grok.com deepseek deepseek.com perplexity perplexity.ai
        chat.mistral.ai meta.ai poe.com you.com
        com.openai.chatgpt com.anthropic.claude com.google.android.apps.bard
        com.microsoft.copilot com.deepseek.chat ai.perplexity.app.android
        """,
}
#: Parts of a known site that are another kind of thing.
_NOT_OF_THE_SITE = (
    *("aws.amazon.com", "advertising.amazon.com", "sellercentral.amazon.com", "music.amazon.com"),
    *("developers.facebook.com", "developer.x.com", "developer.twitter.com", "help.x.com"),
)
#: A search company has mail, documents and a sign-in as well. These are its search.
_FRONTS = frozenset(
    {
        *("www", "www2", "m", "mobile", "search", "r", "images", "image", "encrypted", "html"),
        *("lite", "safe", "espanol", "malaysia"),
    }
)
#: Of two letters, but not a country's pages.
_SERVICES = frozenset({"id", "my", "tv"})
_SECOND_LEVELS = frozenset({"co", "com"})
_CAPACITY = 100_000


@cache
def google_sources() -> dict[str, SiteKind]:
    """Return Google's list: the kind of each source."""
    text = files(__package__).joinpath("google_sources.csv").read_text("utf-8")
    kinds: dict[str, SiteKind] = {kind: kind for kind in KINDS}
    return {row["source"]: kinds[row["category"]] for row in csv.DictReader(text.splitlines())}


@cache
def _known() -> dict[str, SiteKind]:
    ours = {name: kind for kind, names in MORE_SOURCES.items() for name in names.split()}
    return ours | google_sources()


def kind_of_source(source: str) -> SiteKind | None:
    """Return the kind of site that a `utm_source` names.

    Examples
    --------
    >>> [kind_of_source(text) for text in ("Google Shopping", "ig", "www.bing.com", "newsletter")]
    ['shopping', 'social', 'search', None]
    """
    word = source.strip().lower()
    found = _known().get(word)
    if found or "." not in word:
        return found
    host = host_of(word)
    return kind_of_host(host) if host else None


@lru_cache(_CAPACITY)
def kind_of_host(host: str) -> SiteKind | None:
    """Return the kind of site that a host is of; a mail, docs or sign-in page is not a search.

    Examples
    --------
    >>> [kind_of_host(host) for host in ("google.com.au", "docs.google.com", "m.blog.naver.com")]
    ['search', None, 'social']
    >>> [kind_of_host(host) for host in ("google.com.look-alike.example", "ig.ft.com", "ebay.fr")]
    [None, None, 'shopping']
    """
    plain = host.lower().removeprefix("www.")
    for domain in parents(plain):
        if domain in _NOT_OF_THE_SITE:
            return None
        kind = _known().get(domain) if "." in domain else None
        kind = kind or _of_all_countries(domain)
        if kind:
            return kind if kind != "search" or _is_front(plain, domain) else None
    return None


@lru_cache(_CAPACITY)
def is_googles(source: str) -> bool:
    """Return whether Google's list has a source or a host, or the name of the site, as we do.

    Examples
    --------
    >>> [is_googles(text) for text in ("facebook", "de-de.facebook.com", "google.de", "meta")]
    [True, True, True, False]
    """
    word = source.strip().lower()
    known = google_sources()
    if word in known or "." not in word:
        return word in known
    host = host_of(word) or word
    return any(domain in known for domain in (*parents(host), *_names(host)))


def _names(host: str) -> tuple[str, ...]:
    name = registrable_domain(host).partition(".")[0]
    return (name,) if f"{name}.*" in _known() else ()


def _of_all_countries(domain: str) -> SiteKind | None:
    """Return the kind of a brand that has a domain in many countries."""
    name = domain.partition(".")[0]
    kind = _known().get(f"{name}.*")
    if kind is None or registrable_domain(domain) != domain:
        return None
    first, _, last = public_suffix(domain).partition(".")
    national = len(first) == 2 and not last
    below = first in _SECOND_LEVELS and len(last) == 2
    return kind if (first, last) == ("com", "") or national or below else None


def _is_front(host: str, domain: str) -> bool:
    labels = host.removesuffix(domain).rstrip(".").split(".")
    return all(
        label in _FRONTS or not label or (len(label) == 2 and label not in _SERVICES)
        for label in labels
    )
