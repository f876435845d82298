"""The join of spend to visits: by IDs, by hand, by name, or by what a row names instead.

Nothing is matched because it is alike: who is spelled differently is proposed, and a name that may
be that of two campaigns is that of none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import together
from convergekit.marketing.campaign_ids import numbered_among
from convergekit.marketing.costs import LEVELS, Costs, fold
from convergekit.marketing.mapping import MappedRow, mapping_given
from convergekit.marketing.platforms import platforms_of
from convergekit.marketing.said import SaidByVisits
from convergekit.spend.ad_platforms import platform_of_source
from convergekit.typing import BoolArray, IntArray

#: By what a campaign was matched, the surest first.
KEYS = ("ad ID", "ad group ID", "campaign ID", "mapping", "name", "what it names")
_OF_LEVEL = dict(zip(LEVELS, KEYS, strict=False))
#: What visits say of themselves that a row of spend may say too.
SAID = ("channel", "source", "medium")
#: What a mapping may name of visits.
TARGETS = ("utm_campaign", "channel", "source", "medium")


@dataclass(frozen=True)
class Kinds:
    """Visits that say the same of where they are from, a row each.

    Attributes
    ----------
    of_visit : numpy.ndarray of int
        The kind of each visit.
    table : pandas.DataFrame
        `platform`, `channel`, `source`, `medium`, `utm_campaign`, as they are written, missing
        where a visit does not say it; and `who`, the platform or else the source, folded.
    folded : pandas.DataFrame
        The same folded, as names are compared.
    """

    of_visit: IntArray
    table: pd.DataFrame
    folded: pd.DataFrame

    @classmethod
    def of(cls, visits: SaidByVisits) -> Kinds:
        """Return the kinds of visits."""
        # A visit without a tag has a source too, such as "(direct)"; a campaign it has not.
        said = {name: visits.texts[name] for name in (*SAID, "utm_campaign")}
        said["platform"] = platforms_of(visits.texts["click_id"], visits.texts["utm_source"])
        key = together(list(said.values()), visits.count)
        kind, one = first_of_each(key)
        texts = {name: column.take(one) for name, column in said.items()}
        table = pd.DataFrame(texts).astype("str")
        # The order of the texts, not of the visits.
        table = table.sort_values(list(texts), kind="stable")
        place = np.empty(len(table), dtype=np.int64)
        place[table.index] = np.arange(len(table))
        table = table.reset_index(drop=True)
        folds = pd.DataFrame({name: fold(table[name]) for name in table}, index=table.index)
        folds["who"] = folds["platform"].fillna(folds["source"]).fillna("")
        return cls(place[kind] if len(kind) else kind, table, folds.astype("str"))


@dataclass(frozen=True)
class Matched:
    """Which visits belong to which campaign of the spend.

    Attributes
    ----------
    kinds : Kinds
    campaign : numpy.ndarray of int
        Of each visit, the campaign that it came from; -1 for none.
    key : numpy.ndarray of int
        Of each visit, by what it was matched: a place in `KEYS`, -1 for not.
    wider : pandas.DataFrame
        `campaign` and `kind`: the visits of rows that name a channel, a source or a platform, and
        no campaign.
    wider_visits : numpy.ndarray of int
        How many visits each kind has.
    reason : list of str
        Of each campaign, why its name was not used; empty if it was, or there was none.
    """

    kinds: Kinds
    campaign: IntArray
    key: IntArray
    wider: pd.DataFrame
    wider_visits: IntArray
    reason: list[str]


def match(
    costs: Costs,
    visits: SaidByVisits,
    mapping: pd.DataFrame | Mapping[object, object] | None,
) -> Matched:
    """Join spend to visits.

    Parameters
    ----------
    costs : Costs
    visits : SaidByVisits
        With IDs of the levels that `id_levels` names.
    mapping : DataFrame or mapping, optional
        As `Stitched.match_spend` takes it.
    """
    kinds = Kinds.of(visits)
    campaign, key = _by_ids(costs, visits)
    by_hand = mapping_given(mapping, costs.campaigns, kinds.table)
    mapped = _mapped(by_hand, kinds)
    named, reason = _by_name(costs, kinds, {row.campaign for row in by_hand})
    for found, how in ((mapped, KEYS.index("mapping")), (named, KEYS.index("name"))):
        of_visit = found[kinds.of_visit]
        new = (campaign < 0) & (of_visit >= 0)
        campaign, key = np.where(new, of_visit, campaign), np.where(new, how, key)
    counts = np.bincount(kinds.of_visit, minlength=len(kinds.table))
    wider = _by_what_it_names(costs.campaigns, kinds, by_hand)
    return Matched(kinds, campaign, key, wider, counts, reason)


def id_levels(costs: Costs) -> list[str]:
    """Return the levels of which the spend has IDs that tell one campaign."""
    return [level for level in LEVELS if len(_telling(costs, level))]


def _telling(costs: Costs, level: str) -> pd.DataFrame:
    """Return the IDs of a level; one of two campaigns tells neither."""
    return costs.ids[costs.ids["level"] == level].drop_duplicates("id", keep=False)


def _by_ids(costs: Costs, visits: SaidByVisits) -> tuple[IntArray, IntArray]:
    """Return of each visit the campaign whose ID it came with, and which ID that was."""
    campaign = np.full(visits.count, -1, dtype=np.int64)
    key = np.full(visits.count, -1, dtype=np.int64)
    for level in id_levels(costs):
        known = _telling(costs, level)
        texts, owner = pd.Index(known["id"]), np.append(known["campaign"].to_numpy(), -1)
        for column in visits.ids[level].values():
            found = owner[numbered_among(column, texts)]
            new = (campaign < 0) & (found >= 0)
            campaign[new], key[new] = found[new], KEYS.index(_OF_LEVEL[level])
    return campaign, key


def _mapped(by_hand: list[MappedRow], kinds: Kinds) -> IntArray:
    """Return of each kind of visits the campaign that was given by hand; -1 for none."""
    found = np.full(len(kinds.table), -1, dtype=np.int64)
    for row in by_hand:
        if "utm_campaign" in row.target:
            found[_alike(kinds.table, row.target)] = row.campaign
    return found


def _alike(table: pd.DataFrame, target: Mapping[str, str]) -> IntArray:
    """Return the kinds that are what a target names, letter by letter."""
    same = np.ones(len(table), dtype=bool)
    for name, text in target.items():
        same &= (table[name] == text).to_numpy(dtype=bool, na_value=False)
    return np.flatnonzero(same)


def _by_name(costs: Costs, kinds: Kinds, by_hand: set[int]) -> tuple[IntArray, list[str]]:
    """Return of each kind of visits the one campaign of its name, and why others are not.

    A campaign that was renamed has all its names: visits came by the one of their day.
    """
    campaigns = costs.campaigns
    names = costs.names
    for name in ("platform", *SAID):
        names = names.assign(**{name: fold(campaigns[name]).take(names["campaign"]).array})
    # What was mapped by hand does not go by its name any more.
    names = names[~names["campaign"].isin(list(by_hand))]
    theirs = kinds.folded.rename(columns=lambda name: f"visits_{name}")
    theirs["kind"] = np.arange(len(theirs))
    pairs = names.merge(theirs, left_on="name", right_on="visits_utm_campaign")
    pairs = pairs[_fits(pairs)]
    reason = [""] * len(campaigns)
    sources = pairs.groupby("campaign")["visits_who"].agg(lambda who: sorted(set(who)))
    for campaign, who in sources.items():
        of = campaigns.iloc[campaign]
        if len(who) > 1 and pd.isna(of["platform"]) and pd.isna(of["source"]):
            said = ", ".join(one or "no source" for one in who)
            reason[campaign] = f"visits of {len(who)} sources have this name: {said}"
    sure = np.array([not why for why in reason], dtype=bool)
    several = pairs[sure[pairs["campaign"].to_numpy(dtype=np.int64)]]
    owners = several.groupby("kind")["campaign"].agg(lambda at: sorted(set(at)))
    found = np.full(len(kinds.table), -1, dtype=np.int64)
    for kind, owning in owners.items():
        if len(owning) == 1:
            found[kind] = owning[0]
        for campaign in owning if len(owning) > 1 else ():
            reason[campaign] = f"{len(owning)} campaigns of the spend have this name"
    for campaign, why in enumerate(reason):
        # One whose name is doubtful anywhere is matched by it nowhere.
        if why:
            found[found == campaign] = -1
    return found, reason


def _fits(pairs: pd.DataFrame) -> pd.Series:
    """Return which pairs of one name agree in all that the spend says."""
    fits = pd.Series(True, index=pairs.index)
    own = pairs["platform"].notna()
    unsaid = pairs["visits_platform"].isna() & ~_says_source(pairs["visits_source"])
    same = pairs["platform"].eq(pairs["visits_who"]).fillna(False) | unsaid
    # A source of its own says more than the platform.
    own &= pairs["source"].isna()
    fits &= ~own | same
    for name in SAID:
        if name == "source":
            equal = _same_source(pairs["source"], pairs["visits_source"])
        else:
            equal = pairs[name].eq(pairs[f"visits_{name}"]).fillna(False)
        fits &= pairs[name].isna() | equal
    return fits.astype(bool)


def _says_source(source: pd.Series) -> pd.Series:
    return source.notna() & (source != "(not set)")


def _same_source(one: pd.Series, other: pd.Series) -> pd.Series:
    """Return where two sources are the same, or names of one platform."""
    platforms = [
        texts.map(lambda text: None if pd.isna(text) else platform_of_source(text))
        for texts in (one, other)
    ]
    alike = platforms[0].notna() & (platforms[0] == platforms[1])
    return (one.eq(other).fillna(False) | alike).astype(bool)


def _by_what_it_names(
    campaigns: pd.DataFrame, kinds: Kinds, by_hand: list[MappedRow]
) -> pd.DataFrame:
    """Return the kinds of visits of rows that name something wider than a campaign."""
    parts = []
    targets = {row.campaign: row.target for row in by_hand if "utm_campaign" not in row.target}
    for place, target in targets.items():
        parts.append(pd.DataFrame({"campaign": place, "kind": _alike(kinds.table, target)}))
    mapped = {row.campaign for row in by_hand}
    wide = campaigns["campaign"].isna() & campaigns["campaign_id"].isna()
    paid = paid_kinds(kinds.table)
    for place in np.flatnonzero(wide.to_numpy(dtype=bool)).tolist():
        row = campaigns.iloc[place]
        if place in mapped or row[["platform", *SAID]].isna().all():
            continue
        same = pd.Series(True, index=kinds.table.index)
        for name in ("channel", "medium"):
            if pd.notna(row[name]):
                same &= kinds.folded[name].eq(fold(row[[name]]).iloc[0]).fillna(False)
        if pd.notna(row["source"]):
            source = pd.Series([fold(row[["source"]]).iloc[0]] * len(same), index=same.index)
            same &= _same_source(source, kinds.folded["source"])
        elif pd.notna(row["platform"]):
            same &= kinds.folded["who"].eq(row["platform"]).fillna(False)
        if row[list(SAID)].isna().all():
            # A platform's money buys ads, and not what it sends for nothing.
            same &= paid
        at = np.flatnonzero(same.to_numpy(dtype=bool))
        parts.append(pd.DataFrame({"campaign": place, "kind": at}))
    if not parts:
        return pd.DataFrame({"campaign": [], "kind": []}, dtype="int64")
    return pd.concat(parts, ignore_index=True).astype("int64")


def first_of_each(key: IntArray) -> tuple[IntArray, IntArray]:
    """Return a number for each key, and where each number is first.

    By hashes, which are faster than to sort where few keys differ.

    Examples
    --------
    >>> number, first = first_of_each(np.array([7, 3, 7, 3, 5]))
    >>> number.tolist(), first.tolist()
    ([0, 1, 0, 1, 2], [0, 1, 4])
    """
    number, keys = pd.factorize(key)
    first = np.empty(len(keys), dtype=np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return number.astype(np.int64), first


def is_paid(channel: str) -> bool:
    """Return whether visits of a channel are bought.

    Examples
    --------
    >>> is_paid("Paid Search"), is_paid("Email")
    (True, False)
    """
    return channel.startswith("Paid ") or channel in ("Display", "Cross-network")


def paid_kinds(table: pd.DataFrame) -> BoolArray:
    """Return which kinds of visits are bought."""
    said = [isinstance(text, str) and is_paid(text) for text in table["channel"]]
    return np.array(said, dtype=bool)
