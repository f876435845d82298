"""Simulate a believable store: who visits and buys, and what its exports say of it.

The shop sells coffee. Its browser sees visits and carts, under a cookie per device; its checkout
runs on another domain, under another cookie; its server reports orders that know only tokens and
an e-mail address; its CRM knows subscribers. The true person behind every event is returned
beside the events, so that what stitching found can be compared with what happened.

All randomness is NumPy's PCG64: the same arguments give the same store everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from convergekit.base.durable import whole_files
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
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
    people : int
        How many people were simulated.
    noise : float
        The amount of noise; at 0.0 the exports are clean too.
    """

    events: pd.DataFrame
    truth: pd.DataFrame
    people: int
    noise: float

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

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it does not exist.

        Returns
        -------
        list of pathlib.Path
            The three files.

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
        return [Path(directory, name) for name in texts]


def simulate_store(
    people: int = 60,
    *,
    seed: int = 4,
    start: str = "2026-03-02",
    days: int = 28,
    noise: float = 1.0,
) -> SimulatedStore:
    """Simulate a store's browser, server and CRM events.

    The defaults are the store in the repository's ``data/``.

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

    Returns
    -------
    SimulatedStore

    Raises
    ------
    ConvergekitError
        `start` is not a date; `people`, `days` or `seed` is not a whole number, or too low; or
        `noise` is below 0.

    Examples
    --------
    >>> import convergekit as ck
    >>> store = ck.simulate_store(people=100, seed=1)
    >>> store.events["source"].unique().tolist()
    ['browser', 'server', 'crm']
    """
    _check_size(people, days, noise, seed)
    try:
        opened = int(np.datetime64(start, "us").astype(np.int64))
    except ValueError:
        raise ConvergekitError(
            f"start must be a date such as '2026-03-02'; got {start!r}."
        ) from None
    rng = np.random.Generator(np.random.PCG64(seed))
    persons = People.draw(rng, people, noise)
    visits = SimulatedVisits.draw(rng, persons, opened, days, noise)
    blocks = [
        *browsing(rng, visits, noise),
        *ordering(rng, persons, visits, opened, days, noise),
        *subscribing(rng, persons, opened, days),
    ]
    log = Log.stacked(blocks)
    log = arrived(rng, log, noise)
    return SimulatedStore(spelled_out(rng, log, persons, visits, noise), _truth(log), people, noise)


def _check_size(people: int, days: int, noise: float, seed: int) -> None:
    for name, given, least in (("people", people, 1), ("days", days, 1), ("seed", seed, 0)):
        if not isinstance(given, (int, np.integer)) or given < least:
            raise ConvergekitError(f"{name} must be a whole number from {least}; got {given!r}.")
    if not isinstance(noise, (int, float, np.floating)) or not noise >= 0:
        raise ConvergekitError(
            f"noise must be a number from 0.0 (clean exports; 1.0 is usual); got {noise!r}."
        )


def _truth(log: Log) -> pd.DataFrame:
    return pd.DataFrame({"person": log.person})
