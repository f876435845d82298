"""Why a visit is of its channel; its source, medium and campaign as Google Analytics has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.events.nothing import SAID_DIRECT
from convergekit.typing import IntArray
from convergekit.visits.addresses import registrable_domain
from convergekit.visits.channels import (
    ASKED,
    BARE,
    CHANNEL_RULES,
    DIRECT,
    NO_RULE,
    SAID_SO,
    UNASSIGNED,
    ChannelRule,
    Decided,
    decide,
)
from convergekit.visits.sites import google_sources, is_googles, kind_of_host
from convergekit.visits.traffic import SET_ASIDE

#: What click IDs alone say of source and medium: Google Analytics' words for Google Ads, and what
#: Microsoft Advertising and Yandex Direct write into links when they are asked to tag them.
_OF_CLICK_ID = {
    **dict.fromkeys(("gclid", "gbraid", "wbraid", "gad_source"), ("google", "cpc")),
    "msclkid": ("bing", "cpc"),
    "yclid": ("yandex", "cpc"),
}
_NOT_SET = "(not set)"


def reasons_of(
    visits: Mapping[str, NumberedText], rules: Sequence[ChannelRule] = CHANNEL_RULES
) -> NumberedText:
    r"""Return why each visit is of its channel: on which evidence, and by which rule.

    Parameters
    ----------
    visits : mapping of str to NumberedText
        As `channels_of` takes them; with `set_aside` of `sent_traffic`, a direct visit says
        which referrer did not count.
    rules : sequence of ChannelRule
        Tried in this order.

    Examples
    --------
    >>> said = {"utm_source": ["google", None], "utm_medium": ["cpc", None],
    ...     "utm_campaign": None, "click_id": None, "referrer": [None, "bing.com"]}
    >>> visits = pd.DataFrame(said, dtype="str")
    >>> why = reasons_of({name: NumberedText.of(visits[name]) for name in visits})
    >>> print("\n".join(why.take(np.arange(2))))
    source=google + medium=cpc: Paid Search (Google's default channel group, search sources)
    referrer=bing.com: Organic Search (Google's default channel group, search sources)
    """
    return reasons_told(decide(visits, rules), visits)


def reasons_told(decided: Decided, visits: Mapping[str, NumberedText]) -> NumberedText:
    """Return the same where it is decided which rule each visit meets."""
    texts = pd.Series("", index=range(len(decided.rule)), dtype="str")
    for place in np.unique(decided.rule).tolist():
        at = np.flatnonzero(decided.rule == place)
        texts.iloc[at] = _reason(decided, place, visits, at).array
    why = NumberedText.of(texts)
    found = NumberedText(why.codes[decided.kind], why.distinct)
    return _with_set_aside(found, decided, visits)


def sources_of(visits: Mapping[str, NumberedText]) -> dict[str, NumberedText]:
    """Return `source`, `medium` and `campaign` of each visit, as Google Analytics shows them.

    A tag goes first, then a click ID that says which ad network it is from, then the referrer:
    a search engine by its name with the medium ``organic``, an assistant with ``ai-assistant``,
    any other site with ``referral``. A visit without all of these is ``(direct)`` and ``(none)``.
    What a tagged link leaves out is ``(not set)``,
    https://support.google.com/analytics/answer/11242870.

    Parameters
    ----------
    visits : mapping of str to NumberedText
        As `channels_of` takes them.

    Examples
    --------
    >>> said = {"utm_source": ["news", None, None], "utm_medium": None, "utm_campaign": None,
    ...     "click_id": None, "referrer": [None, "google.de", None]}
    >>> visits = pd.DataFrame(said, dtype="str")
    >>> found = sources_of({name: NumberedText.of(visits[name]) for name in visits})
    >>> [found[name].take(np.arange(3)).tolist() for name in ("source", "medium")]
    [['news', 'google', '(direct)'], ['(not set)', 'organic', '(none)']]
    """
    return sources_told(decide(visits, ()), visits)


def sources_told(decided: Decided, visits: Mapping[str, NumberedText]) -> dict[str, NumberedText]:
    """Return the same where it is known which visits say the same, by whatever rules."""
    rows = [_source(*said) for said in zip(*_texts(decided, visits), strict=True)]
    found = {}
    for place, name in enumerate(("source", "medium", "campaign")):
        texts = NumberedText.of(pd.Series([row[place] for row in rows], dtype="str"))
        found[name] = NumberedText(texts.codes_at(decided.kind), texts.distinct)
    return found


def _texts(decided: Decided, visits: Mapping[str, NumberedText]) -> list[list[str | None]]:
    """Return what each kind of visit says, per column of `ASKED`; missing is None."""
    columns = []
    for name in ASKED:
        texts = [*visits[name].distinct, None]
        columns.append([texts[code] for code in decided.codes[name].tolist()])
    direct = np.zeros(len(decided.one), dtype=bool)
    if SAID_DIRECT in visits:
        direct = visits[SAID_DIRECT].codes[decided.one] >= 0
    columns.append([SAID_DIRECT if said else None for said in direct.tolist()])
    return columns


def _source(
    source: str | None,
    medium: str | None,
    campaign: str | None,
    click_id: str | None,
    referrer: str | None,
    said_direct: str | None,
) -> tuple[str, str, str]:
    if source is None and click_id in _OF_CLICK_ID:
        source, of_click = _OF_CLICK_ID[click_id]
        return source, medium or of_click, campaign or _NOT_SET
    if said_direct and click_id is None:
        return SAID_DIRECT, "(none)", campaign or SAID_DIRECT
    if source or medium or campaign or click_id:
        return source or _NOT_SET, medium or _NOT_SET, campaign or _NOT_SET
    if referrer is None:
        return SAID_DIRECT, "(none)", SAID_DIRECT
    kind = kind_of_host(referrer)
    if kind == "search":
        return _engine(referrer), "organic", "(organic)"
    if kind == "assistant":
        return referrer, "ai-assistant", "(ai-assistant)"
    return referrer, "referral", "(referral)"


def _engine(host: str) -> str:
    """Return the name of a search engine, if Google's list has it: `google` for google.de."""
    name = registrable_domain(host).partition(".")[0]
    return name if google_sources().get(name) == "search" else host


def _reason(
    decided: Decided, place: int, visits: Mapping[str, NumberedText], at: IntArray
) -> pd.Series:
    """Return why visits of some kinds meet one rule, or none."""
    bare = {
        BARE: f"no tag, no click ID, no referrer: {DIRECT}",
        SAID_SO: f"source={SAID_DIRECT}: {DIRECT} (the link says so)",
    }
    if place in bare:
        return pd.Series([bare[place]] * len(at), dtype="str")
    rule = None if place == NO_RULE else decided.rules[place]
    evidence = pd.Series([""] * len(at), dtype="str")
    for name in _evidence(rule):
        codes = decided.codes[name][at]
        texts = visits[name].distinct.array.take(codes, allow_fill=True)
        part = f"{ASKED[name]}=" + pd.Series(texts, dtype="str")
        joined = (evidence + " + ").where(evidence != "", "") + part
        evidence = joined.where(codes >= 0, evidence)
    if rule is None:
        return evidence + f": {UNASSIGNED} (no rule fits)"
    because = pd.Series([rule.because or "your rule"] * len(at), dtype="str")
    if rule.site is not None and rule.because.endswith(" sources"):
        because += _whose_list(decided, visits, at)
    return evidence + f": {rule.channel} (" + because + ")"


def _whose_list(decided: Decided, visits: Mapping[str, NumberedText], at: IntArray) -> pd.Series:
    """Return what to add where a source stands in our list, and not in Google's."""
    found = np.zeros(len(at), dtype=bool)
    for name in ("utm_source", "referrer"):
        codes = decided.codes[name][at]
        ours = [not is_googles(text) for text in visits[name].distinct]
        found |= np.array([*ours, False], dtype=bool)[codes]
    return pd.Series(np.where(found, " and ours", ""), dtype="str")


def _evidence(rule: ChannelRule | None) -> list[str]:
    """Return the columns that a rule asks; all of them for none."""
    if rule is None:
        return list(ASKED)
    asked = [name for name, field in ASKED.items() if getattr(rule, field) is not None]
    if rule.site is None:
        return asked
    # Of these, a visit has one: the referrer counts only without a tag.
    return [name for name in ASKED if name in {*asked, "utm_source", "referrer"}]


def _with_set_aside(
    found: NumberedText, decided: Decided, visits: Mapping[str, NumberedText]
) -> NumberedText:
    """Return the reasons, those of direct visits with the referrer that did not count."""
    if SET_ASIDE not in visits:
        return found
    aside = visits[SET_ASIDE]
    bare = (decided.rule == BARE)[decided.kind] & (aside.codes >= 0)
    said = pd.Series("referrer " + aside.distinct + f": {DIRECT}", dtype="str")
    both = NumberedText(
        np.where(bare, aside.codes + len(found.distinct), found.codes),
        pd.concat([found.distinct, said], ignore_index=True).astype("str"),
    )
    return both.mapped(both.distinct)
