"""What is mapped by hand: which visits a campaign of the spend brought."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.text import as_text
from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.marketing.platforms import platform_named

#: How a row of a mapping names a campaign of the spend, and the visits that are its.
OF_SPEND = ("platform", "account", "campaign", "campaign_id")
OF_VISITS = ("utm_campaign", "channel", "source", "medium")
_EXAMPLE = "mapping={'Spring Sale (EU)': 'spring-sale'}"


@dataclass(frozen=True)
class MappedRow:
    """One campaign of the spend, by its place, and what its visits say of themselves."""

    campaign: int
    target: dict[str, str]


def mapping_given(
    mapping: pd.DataFrame | Mapping[Any, Any] | None,
    campaigns: pd.DataFrame,
    kinds: pd.DataFrame,
) -> list[MappedRow]:
    """Return what was mapped, checked.

    Parameters
    ----------
    mapping : DataFrame or mapping, optional
        Of names of campaigns, or pairs of a platform and a name, to a `utm_campaign` or a channel;
        or a frame with some of `OF_SPEND` and of `OF_VISITS`.
    campaigns : pandas.DataFrame
        Those of the spend.
    kinds : pandas.DataFrame
        What visits say of themselves.

    Raises
    ------
    ConvergekitError
        It maps what the spend has not, what is not one campaign, or to what no visit says.
    """
    if mapping is None:
        return []
    rows = _rows(mapping, kinds)
    places = _places(rows, campaigns)
    targets = _targets(rows, kinds)
    several = pd.Series(places).duplicated()
    if several.any():
        again = campaigns.iloc[places[int(np.flatnonzero(several.to_numpy())[0])]]
        raise ConvergekitError(
            f"mapping names the campaign {_said(again)!r} twice; give it one row."
        )
    return [MappedRow(place, target) for place, target in zip(places, targets, strict=True)]


def _rows(mapping: pd.DataFrame | Mapping[Any, Any], kinds: pd.DataFrame) -> pd.DataFrame:
    if isinstance(mapping, pd.DataFrame):
        of_spend = [name for name in OF_SPEND if name in mapping]
        of_visits = [name for name in OF_VISITS if name in mapping]
        if not {"campaign", "campaign_id"} & set(of_spend) or not of_visits:
            raise ConvergekitError(
                "mapping must have campaign or campaign_id, as the spend has it, and one of "
                f"{', '.join(OF_VISITS)}, as visits have it; got the columns "
                f"{', '.join(map(str, mapping.columns))}."
            )
        return pd.DataFrame(
            {n: as_text(mapping[n])[0].reset_index(drop=True) for n in (*of_spend, *of_visits)}
        )
    if not isinstance(mapping, Mapping):
        raise ConvergekitError(
            f"mapping must be a DataFrame or a mapping of names, such as {_EXAMPLE}; got "
            f"{mapping!r}."
        )
    rows = []
    known = {name: set(kinds[name].dropna()) for name in ("utm_campaign", "channel")}
    for of_spend, to in mapping.items():
        named = of_spend if isinstance(of_spend, tuple) else (None, of_spend)
        if len(named) != 2 or not isinstance(named[1], str) or not isinstance(to, str):
            raise ConvergekitError(
                f"mapping must map a campaign's name, or (platform, name), to a utm_campaign or a "
                f"channel, such as {_EXAMPLE}; got {of_spend!r}: {to!r}."
            )
        to_channel = to not in known["utm_campaign"] and to in known["channel"]
        target = "channel" if to_channel else "utm_campaign"
        rows.append({"platform": named[0], "campaign": named[1], target: to})
    names = ["platform", "campaign", "utm_campaign", "channel"]
    return pd.DataFrame(rows, columns=names).astype("str")


def _places(rows: pd.DataFrame, campaigns: pd.DataFrame) -> list[int]:
    """Return the campaign that each row names."""
    places = []
    for row in rows.to_dict("records"):
        same = np.ones(len(campaigns), dtype=bool)
        said = {name: row[name] for name in OF_SPEND if name in row and isinstance(row[name], str)}
        for name, text in said.items():
            text = platform_named(text) if name == "platform" else text
            same &= (campaigns[name] == text).to_numpy(dtype=bool, na_value=False)
        at = np.flatnonzero(same)
        shown = " / ".join(said.values())
        if not {"campaign", "campaign_id"} & set(said):
            raise ConvergekitError("mapping has a row without a campaign of the spend; name it.")
        if not len(at):
            names: list[Hashable] = list(campaigns["campaign"].dropna())
            raise ConvergekitError(
                f"mapping names the campaign {shown!r}, which the spend has not."
                f"{did_you_mean(shown, list(map(str, names)))}"
            )
        if len(at) > 1:
            raise ConvergekitError(
                f"mapping names {shown!r}, which {len(at)} campaigns of the spend are called; "
                "add their platform, account or campaign_id to tell them apart."
            )
        places.append(int(at[0]))
    return places


def _targets(rows: pd.DataFrame, kinds: pd.DataFrame) -> list[dict[str, str]]:
    """Return what the visits of each row say of themselves."""
    targets = []
    for row in rows.to_dict("records"):
        target = {n: row[n] for n in OF_VISITS if n in row and isinstance(row[n], str)}
        same = np.ones(len(kinds), dtype=bool)
        for name, text in target.items():
            same &= (kinds[name] == text).to_numpy(dtype=bool, na_value=False)
        if not target or not same.any():
            said = " and ".join(f"{name}={text!r}" for name, text in target.items())
            (name, text) = next(iter(target.items()), ("utm_campaign", ""))
            raise ConvergekitError(
                f"mapping: no visit has {said or 'what an empty row names'}; visits are mapped as "
                f"they spell it.{did_you_mean(text, kinds[name].dropna().unique())}"
            )
        targets.append(target)
    return targets


def _said(row: pd.Series) -> str:
    return " / ".join(row[["platform", "campaign", "campaign_id"]].dropna())
