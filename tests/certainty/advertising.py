"""Where visits are from and what orders are worth, in worlds whose generators say neither.

The random numbers are of their own, so that the worlds stay those that were measured before. Each
world has its own reason why people come as they do, and each makes it differ between those whose
identity is found and those whose is not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Source, medium and campaign by channel, and which share of the visits of the channel they are.
_TAGS = {
    "search": [("google", "cpc", "brand"), ("google", "cpc", "generic")],
    "social": [("facebook", "paid_social", "spring"), ("facebook", "paid_social", "lookalike")],
    "email": [("newsletter", "email", "weekly")],
    "partner": [("partner.example", "referral", None)],
    "direct": [(None, None, None)],
}
_NAMES = list(_TAGS)
_PAUSE = 1800.0


def advertised(table: pd.DataFrame, world: str, seed: int) -> pd.DataFrame:
    """Return rows in order of time with tags on the first of each visit, and prices on orders."""
    rng = np.random.default_rng([74, seed, len(world)])
    visits = _visits(table)
    channel = {"agents": _habits, "households": _stages, "towns": _weeks}[world](rng, visits)
    # A page's address tells a visit, whatever it is tagged with.
    address = np.full(len(table), None, dtype=object)
    address[visits["row"].to_numpy()] = "https://shop.example/"
    table["properties.$url"] = pd.Series(address, dtype="object")
    tags = np.full((len(table), 3), None, dtype=object)
    for row, one in zip(visits["row"].to_numpy(), channel, strict=True):
        kinds = _TAGS[_NAMES[one]]
        tags[row] = kinds[int(rng.random() * len(kinds))]
    for at, name in enumerate(("utm_source", "utm_medium", "utm_campaign")):
        table[f"profile_properties.{name}"] = pd.Series(tags[:, at], dtype="object")
    table["properties.total_price"] = _prices(rng, table, world)
    return table


def _visits(table: pd.DataFrame) -> pd.DataFrame:
    """Return the visits: the row of the first event, whose, when, which, and if it reaches a till.

    A browser's events of one person without a long pause; without a cookie they are a visit too.
    """
    browser = table[(table["source"] == "browser") & table["event_name"].notna()]
    browser = browser.assign(row=np.flatnonzero(table.index.isin(browser.index)))
    cookie = browser["alias.cookie"].fillna("none")
    pause = browser.groupby([browser["person"], cookie])["second"].diff().fillna(np.inf) > _PAUSE
    number = pause.groupby([browser["person"], cookie]).cumsum()
    keys = [browser["person"], cookie.rename("cookie"), number.rename("number")]
    grouped = browser.assign(till=browser["event_name"].eq("Started Checkout")).groupby(keys)
    visits = grouped.agg(row=("row", "first"), second=("second", "first"), till=("till", "any"))
    visits = visits.reset_index().sort_values("second", kind="stable")
    return visits.assign(place=visits.groupby("person").cumcount())


def _habits(rng: np.random.Generator, visits: pd.DataFrame) -> np.ndarray:
    """Agents: everybody has channels of their own, and those who come often come by themselves."""
    person = visits["person"].to_numpy()
    habit = rng.dirichlet([0.5, 0.4, 0.3, 0.2, 0.6], size=int(person.max()) + 1)
    drawn = (rng.random(len(person))[:, None] > habit[person].cumsum(axis=1)).sum(axis=1)
    direct = rng.random(len(person)) < visits["place"].to_numpy() / (4 + visits["place"].to_numpy())
    return np.where(direct, _NAMES.index("direct"), np.minimum(drawn, 4))


def _stages(rng: np.random.Generator, visits: pd.DataFrame) -> np.ndarray:
    """Households: first visits are bought, those that buy come by search, later ones by letters."""
    odds = np.array([[0.3, 0.4, 0.02, 0.13, 0.15], [0.25, 0.1, 0.3, 0.05, 0.3]])
    chosen = odds[np.minimum(visits["place"].to_numpy(), 1)]
    chosen = chosen + visits["till"].to_numpy()[:, None] * np.array([0.3, 0, 0.1, 0, 0])
    chosen = chosen / chosen.sum(axis=1, keepdims=True)
    drawn = (rng.random(len(chosen))[:, None] > chosen.cumsum(axis=1)).sum(axis=1)
    return np.minimum(drawn, 4)


def _weeks(rng: np.random.Generator, visits: pd.DataFrame) -> np.ndarray:
    """Towns: a browser has its ways, and each week another channel is loud."""
    browser = pd.factorize(visits["cookie"])[0]
    ways = rng.dirichlet([0.8, 0.8, 0.4, 0.2, 0.8], size=int(browser.max()) + 1)
    week = (visits["second"].to_numpy() // (7 * 86_400)).astype(int)
    loud = rng.dirichlet([1.5, 1.5, 1.0, 0.5, 1.0], size=int(week.max()) + 1)
    chosen = (ways[browser] + loud[week]) / 2
    drawn = (rng.random(len(chosen))[:, None] > chosen.cumsum(axis=1)).sum(axis=1)
    return np.minimum(drawn, 4)


def _prices(rng: np.random.Generator, table: pd.DataFrame, world: str) -> pd.Series:
    """Return what orders are worth: some people spend more, on every order."""
    people = int(table["person"].max()) + 1
    taste = {
        "agents": rng.lognormal(3.2, 0.7, people),
        "households": rng.gamma(4.0, 12.0, people),
        "towns": 20 + rng.pareto(2.5, people) * 25,
    }[world]
    prices = np.round(taste[table["person"]] * rng.uniform(0.6, 1.4, len(table)), 2)
    # A second report of an order is of the same.
    same = table.get("event_id", pd.Series(index=table.index, dtype="object")).fillna("")
    first = pd.Series(prices, index=table.index).groupby(same).transform("first")
    return first.where(table["event_name"].eq("Placed Order"))
