"""Simulate a believable store: who visits and buys, and what its exports say of it.

The shop sells coffee. Its browser sees visits and carts, under a cookie per device; its checkout
runs on another domain, under another cookie; its server reports orders that know only tokens and
an e-mail address; its CRM knows subscribers. The true person behind every event is returned
beside the events, so that what stitching found can be compared with what happened.

All randomness is NumPy's PCG64: the same arguments give the same store everywhere. Advertising has
randomness of its own, so that a store has the same events with it and without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from convergekit.base.durable import whole_files
from convergekit.base.options import choice
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.simulate.advertising import PLATFORMS, Claims, advertised
from convergekit.simulate.events import (
    Log,
    People,
    SimulatedVisits,
    arrived,
    browsing,
    ordering,
    subscribing,
)
from convergekit.simulate.exports import flat_table, pixel_lines, records_of, webhook_array
from convergekit.simulate.frame import spelled_out
from convergekit.simulate.losses import TrackingLoss, happened, lost, recookied
from convergekit.simulate.mending import TrackingChange, changed
from convergekit.simulate.platform_files import as_read, platform_file

#: The folder that `SimulatedStore.write` puts the platforms' exports into.
_SPEND = "spend"


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedStore:
    """The events of a simulated store, and the true person of each.

    Attributes
    ----------
    events : pandas.DataFrame
        A canonical event frame in order of arrival: `event_id`, `event_name`, `timestamp`,
        `received_at`, `source` (``"browser"``, ``"server"`` or ``"crm"``), `alias.<type>`,
        `properties.<name>`, `profile_properties.<name>`.
    truth : pandas.DataFrame
        The same index: `person`, the number of the true person behind each event.
    happened : pandas.DataFrame
        What people did, whether or not it arrives: `person`, `event_name` and `timestamp`, one row
        per event, in order of time. ``ck.funnel(store.happened, steps, profile="person")`` is the
        true funnel.
    people : int
        How many people were simulated.
    noise : float
        The amount of noise; at 0.0 the exports are clean too.
    spend : pandas.DataFrame
        With ``spend=True``: the table that `read_spend` makes of the platforms' exports, as
        `Spend.table` has it. Conversions and their values are what the platforms claim, by the
        day of the order. All days are UTC and all money is in euros. Else empty.
    claims : pandas.DataFrame
        With ``spend=True``: the truth behind the conversions, one row per order and platform that
        claims it: `event_id` of the order, `platform`, `campaign`, `by` (``"click"``: the person
        came by the platform's ad within its window; ``"view"``: they only saw an ad;
        ``"nothing"``: neither), `date` and `value`. Else empty.
    """

    events: pd.DataFrame
    truth: pd.DataFrame
    people: int
    noise: float
    spend: pd.DataFrame = field(default_factory=pd.DataFrame)
    claims: pd.DataFrame = field(default_factory=pd.DataFrame)
    happened: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        """Return the counts in one line."""
        return (
            f"SimulatedStore({counted(self.people, 'person', 'people')}, "
            f"{counted(len(self.events), 'event')})"
        )

    def write(self, directory: str | Path) -> list[Path]:
        """Write the events as the three exports that such a store would have.

        ``browser.jsonl`` is in the pixel's spelling, one object per line, and, unless the store
        is without noise, breaks off in the middle of its last line, as a file does that was
        copied while it was being written; ``server.json`` is an array in the webhook's spelling;
        ``crm.csv`` is flat. Rows keep their order within each source. Earlier files of these
        names are replaced once all three are written.

        With ``spend=True`` the ad platforms' exports are in the folder ``spend``, each in the
        shape that its platform writes: ``google_ads.csv``, ``meta.csv``, ``tiktok.csv``,
        ``microsoft.csv`` and ``pinterest.csv``, which does not say that it is in euros.

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it does not exist.

        Returns
        -------
        list of pathlib.Path
            The three files, and those of the platforms.

        Raises
        ------
        WriteError
            The system does not let the files be written.
        """
        seen = pixel_lines(records_of(self.events, "browser"), breaks_off=self.noise > 0)
        texts = {
            "browser.jsonl": "".join(seen),
            "server.json": webhook_array(records_of(self.events, "server")),
            "crm.csv": flat_table(records_of(self.events, "crm")),
        }
        with whole_files(directory) as draft:
            for name, text in texts.items():
                (draft / name).write_text(text, encoding="utf-8", newline="")
        return [*(Path(directory, name) for name in texts), *self._write_spend(directory)]

    def _write_spend(self, directory: str | Path) -> list[Path]:
        if not len(self.spend):
            return []
        exports = {
            f"{name}.csv": platform_file(name, rows)
            for name, rows in self.spend.groupby("platform", sort=False)
        }
        folder = Path(directory, _SPEND)
        with whole_files(folder) as draft:
            for name, text in exports.items():
                (draft / name).write_text(text, encoding="utf-8", newline="")
        return [folder / name for name in exports]


def simulate_store(
    people: int = 60,
    *,
    seed: int = 4,
    start: str = "2026-03-02",
    days: int = 28,
    noise: float = 1.0,
    losses: TrackingLoss | None = None,
    change: TrackingChange | None = None,
    spend: bool = False,
    overclaiming: float = 1.5,
    claims: Claims = "touches",
) -> SimulatedStore:
    """Simulate a store's browser, server and CRM events, and what its advertising cost.

    The defaults are the store in the repository's ``data/``, with ``spend=True`` also its
    ``data/spend/``. The events are the same with spend and without.

    Parameters
    ----------
    people : int, default 60
        The number of people who visit or buy; about 7 events each.
    seed : int, default 4
    start : str, default "2026-03-02"
        First day, in UTC.
    days : int, default 28
    noise : float, default 1.0
        Scales everything that goes wrong: refused consent, shared devices, junk values, webhook
        retries, browser copies of orders, lost tokens, late events, and the last line of
        ``browser.jsonl``. 0.0 is a clean store.
    losses : TrackingLoss, optional
        What else the tracking loses: more devices, short-lived cookies, blocked browsers and so
        on. The people, their visits and their orders are the same with it and without.
    change : TrackingChange, optional
        What the tracking sends besides: tokens, addresses and so on. The people, their visits and
        their orders are the same with it and without.
    spend : bool, default False
        Whether to simulate spend by day and campaign, and what the platforms claim.
    overclaiming : float, default 1.5
        How many platforms claim an order that is claimed at all, on average: from 1.0 to 5.0, the
        number of platforms. Those whose ads the person clicked within their windows claim it
        first, then any.
    claims : {"touches", "views"}, default "touches"
        Which orders are claimed: ``"touches"``, those of people who clicked an ad within the
        window of its platform; ``"views"``, besides them a third of the orders without any such
        touch, which no visit can show.

    Returns
    -------
    SimulatedStore

    Raises
    ------
    ConvergekitError
        `start` is not a date; `people`, `days` or `seed` is not a whole number, or too low;
        `noise` is below 0; or `overclaiming` or `claims` is not one of those.

    Examples
    --------
    >>> import convergekit as ck
    >>> store = ck.simulate_store(people=100, seed=1)
    >>> store.events["source"].unique().tolist()
    ['browser', 'server', 'crm']
    >>> store = ck.simulate_store(people=100, seed=1, spend=True, overclaiming=2.0)
    >>> len(store.claims) / store.claims["event_id"].nunique()
    2.0
    """
    _check_size(people, days, noise, seed)
    _check_claims(spend, overclaiming, claims)
    try:
        opened = int(np.datetime64(start, "us").astype(np.int64))
    except ValueError:
        raise ConvergekitError(
            f"start must be a date such as '2026-03-02'; got {start!r}."
        ) from None
    rng = np.random.Generator(np.random.PCG64(seed))
    persons = People.draw(rng, people, noise)
    visits = SimulatedVisits.draw(rng, persons, opened, days, noise)
    hidden = np.random.Generator(np.random.PCG64([seed, 2]))
    if losses is not None:
        visits, device = recookied(hidden, visits, people, losses)
    blocks = [
        *browsing(rng, visits, noise),
        *ordering(rng, persons, visits, opened, days, noise),
        *subscribing(rng, persons, opened, days),
    ]
    log = Log.stacked(blocks)
    done = happened(log)
    if losses is not None:
        log = lost(hidden, log, visits, device, losses)
    if change is not None:
        own = np.random.Generator(np.random.PCG64([seed, 3]))
        log = changed(own, log, persons, visits, change)
    log = arrived(rng, log, noise)
    events = spelled_out(rng, log, persons, visits, noise)
    if not spend:
        return SimulatedStore(events, _truth(log), people, noise, happened=done)
    own = np.random.Generator(np.random.PCG64([seed, 1]))
    spent, claimed = advertised(own, log, visits, opened, days, float(overclaiming), claims)
    return SimulatedStore(events, _truth(log), people, noise, as_read(spent), claimed, done)


def _check_size(people: int, days: int, noise: float, seed: int) -> None:
    for name, given, least in (("people", people, 1), ("days", days, 1), ("seed", seed, 0)):
        if not isinstance(given, (int, np.integer)) or given < least:
            raise ConvergekitError(f"{name} must be a whole number from {least}; got {given!r}.")
    if not isinstance(noise, (int, float, np.floating)) or not noise >= 0:
        raise ConvergekitError(
            f"noise must be a number from 0.0 (clean exports; 1.0 is usual); got {noise!r}."
        )


def _check_claims(spend: bool, overclaiming: float, claims: Claims) -> None:
    if not isinstance(spend, bool):
        raise ConvergekitError(f"spend must be True or False; got {spend!r}.")
    most = len(PLATFORMS)
    number = isinstance(overclaiming, (int, float, np.floating))
    if not number or isinstance(overclaiming, bool) or not 1 <= overclaiming <= most:
        raise ConvergekitError(
            f"overclaiming must be a number from 1.0 to {most}.0, the number of platforms; got "
            f"{overclaiming!r}."
        )
    choice("claims", claims, Claims)


def _truth(log: Log) -> pd.DataFrame:
    return pd.DataFrame({"person": log.person})
