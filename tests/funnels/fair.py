"""Measure how often funnels see differences where there are none, and whether they see real ones.

    python -m tests.funnels.fair [--stores 600] [--processes 1]

Each store is drawn anew: people visit, some visits are tagged with a campaign, and each visit ends
in an order or not, whatever its label and its week. So a test at 5 % gives an alarm in 30 of 600
stores if it is right, and between 18 and 45 of 600 in 99.5 % of such runs. Stores are of three
makes, a third each: what holds in one may hang on how people come there. None is the simulator's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.stats import binom

import convergekit as ck
from convergekit.base.group_tests import log_rank, shares_differ

STEPS = ["PageView", "Placed Order"]
START = pd.Timestamp("2026-03-02", tz="UTC")  # a Monday
DAYS = 42
PEOPLE = 1500
#: Visits of one person in all the days, on average.
_VISITS = 3.0
_HOUR = 1 / 24
_MINUTE = _HOUR / 60
SOURCES = ("meta", "google")

Visits = tuple[np.ndarray, np.ndarray]


def poisson(rng: np.random.Generator, rate: np.ndarray, days: float) -> Visits:
    """Draw visits at any time, independent of each other."""
    person = np.repeat(np.arange(len(rate)), rng.poisson(_VISITS * rate * days / DAYS))
    return person, rng.uniform(0, days, len(person))


def bursts(rng: np.random.Generator, rate: np.ndarray, days: float) -> Visits:
    """Draw visits of a Markov chain of short and long pauses, of which each likes its own kind.

    Half of the pauses are short. It is stationary from the first moment: a pause that lasts then
    is of either kind by its share of the time, and exponential pauses do not age.
    """
    short, again = 0.4, 0.6
    long = 2 * DAYS / _VISITS / rate - short
    quick = rng.random(len(rate)) < short / (short + long)

    def pause() -> np.ndarray:
        nonlocal quick
        drawn = rng.exponential(np.where(quick, short, long))
        quick = quick == (rng.random(len(rate)) < again)
        return drawn

    return _renewals(pause(), pause, days)


def weekly(rng: np.random.Generator, rate: np.ndarray, days: float) -> Visits:
    """Draw visits after pauses with a heavy tail, eight times as likely on two days of one's own.

    Pauses are Lomax with the exponent 2.5; what is left of one at any moment is Lomax with 1.5. So
    every week is like every other.
    """
    favoured = rng.integers(0, 7, len(rate)).astype(float)
    scale = 1.5 * DAYS / _VISITS / rate
    grid = np.arange(-7.0, days + 8)
    weight = np.where(grid % 7 < 2, 8.0, 1.0) * 7 / 21
    passed = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    began = np.interp(-favoured, grid, passed)
    person, moment = _renewals(
        scale * rng.pareto(1.5, len(rate)),
        lambda: scale * rng.pareto(2.5, len(rate)),
        passed[-1] - began,
    )
    time = np.interp(moment + began[person], passed, grid) + favoured[person]
    kept = time < days
    return person[kept], time[kept]


def _renewals(
    first: np.ndarray, pause: Callable[[], np.ndarray], until: float | np.ndarray
) -> Visits:
    """Return the times at which one pause follows another."""
    time, people, times = first, [], []
    while (time < until).any():
        alive = np.flatnonzero(time < until)
        people.append(alive)
        times.append(time[alive])
        time = time + pause()
    return np.concatenate(people), np.concatenate(times)


MAKES = {"poisson": poisson, "bursts": bursts, "weekly": weekly}


@dataclass(frozen=True)
class Store:
    """A store in which labels and weeks do nothing.

    Attributes
    ----------
    seed : int
    make : str
        How people come: one of `MAKES`.
    unequal : bool
        Whether some come far more often than others; then they also buy more at each visit.
    sticky : bool
        Whether a person mostly comes by one source, or each visit by any.
    people : int
    days : float
    planted : float
        How many times as many of those convert within 7 days whose first visit is from meta.
    second_device : float
        The share of visits from a person's second device.
    """

    seed: int
    make: str = "poisson"
    unequal: bool = False
    sticky: bool = False
    people: int = PEOPLE
    days: float = DAYS
    planted: float = 1.0
    second_device: float = 0.5

    @cached_property
    def visits(self) -> pd.DataFrame:
        """One row per visit, by person and time: `person`, `time` in days, `source`, `orders`."""
        makes = list(MAKES)
        rng = np.random.default_rng([self.seed, makes.index(self.make), self.unequal, self.sticky])
        rate = np.ones(self.people)
        if self.unequal:
            rate = 0.1 + 0.9 * rng.gamma(0.7, 1 / 0.7, self.people)
        person, time = MAKES[self.make](rng, rate, self.days)
        order = np.lexsort((time, person))
        person, time = person[order], time[order]
        # Visits are apart: whether two are one would otherwise hang on their tags.
        apart = np.ones(len(time), dtype=bool)
        apart[1:] = (person[1:] != person[:-1]) | (np.diff(time) > _HOUR)
        person, time = person[apart], time[apart]
        source = self._drawn(rng, len(person))
        if self.sticky:
            own = self._drawn(rng, self.people)[person]
            source = np.where(rng.random(len(person)) < 0.8, own, source)
        buys = np.minimum(0.04 + 0.04 * rate, 0.4)[person]
        orders = rng.random(len(person)) < buys
        if self.planted > 1:
            orders |= self._planted(rng, person, time, source, orders)
        return pd.DataFrame({"person": person, "time": time, "source": source, "orders": orders})

    @staticmethod
    def _drawn(rng: np.random.Generator, number: int) -> np.ndarray:
        """Draw sources, -1 for none: half of the visits have one."""
        return rng.choice([-1, 0, 1], number, p=[0.5, 0.25, 0.25])

    def _planted(
        self,
        rng: np.random.Generator,
        person: np.ndarray,
        time: np.ndarray,
        source: np.ndarray,
        orders: np.ndarray,
    ) -> np.ndarray:
        """Return which visits order besides, so that the first source has the effect."""
        first = np.flatnonzero(np.diff(person, prepend=-1) != 0)
        anchor = np.repeat(first, np.diff(np.append(first, len(person))))
        soon = time - time[anchor] <= 7
        converts = np.bincount(person, orders & soon, minlength=self.people) > 0
        share = converts[person[first]].mean()
        more = rng.random(self.people) < (self.planted - 1) * share / (1 - share)
        chosen = more & ~converts
        # At any of the visits within 7 days: the last of them that a coin picks, or the first.
        at = soon & chosen[person] & (source[anchor] == SOURCES.index("meta"))
        at &= (anchor == np.arange(len(person))) | (rng.random(len(person)) < 0.5)
        last = np.zeros(len(person), dtype=bool)
        places = np.flatnonzero(at)
        last[places[np.diff(person[places], append=-1) != 0]] = True
        return last

    @cached_property
    def events(self) -> pd.DataFrame:
        """The events as a stitched store has them, in order of time.

        The first page of a visit has the tags, every page a plan of its own. An order is a
        server's, without an address.
        """
        visits, visit = self.visits, np.arange(len(self.visits))
        rng = np.random.default_rng([self.seed, 7])
        pages = rng.integers(1, 4, len(visit))
        of = np.repeat(visit, pages)
        nth = np.arange(len(of)) - np.repeat(np.cumsum(pages) - pages, pages)
        ordered = visit[visits["orders"].to_numpy()]
        start = visits["time"].to_numpy()
        page_time = start[of] + nth * rng.uniform(1, 6, len(of)) * _MINUTE
        order_time = start[ordered] + rng.uniform(13, 25, len(ordered)) * _MINUTE
        of, time = np.append(of, ordered), np.append(page_time, order_time)
        is_page = np.arange(len(of)) < len(page_time)
        first = is_page & (np.append(nth, np.zeros(len(ordered), dtype=np.int64)) == 0)
        source = np.where(first, visits["source"].to_numpy()[of], -1)
        plan = np.where(is_page, rng.integers(-1, 2, len(of)), -1)
        person = visits["person"].to_numpy()[of]
        in_turn = np.lexsort((time, person))
        carried = np.full(len(of), -1)
        carried[in_turn] = _carried(source[in_turn], person[in_turn])
        # Each visit is from one of two devices. Who has ordered is known by e-mail from then on.
        device = rng.random(len(visit)) < self.second_device
        before = np.cumsum(visits["orders"].to_numpy()) - visits["orders"].to_numpy()
        first_visit = np.searchsorted(visits["person"].to_numpy(), visits["person"].to_numpy())
        customer = before > before[first_visit]
        known = ~is_page | customer[of]
        email = np.where(known, person.astype("str"), "")
        frame = pd.DataFrame(
            {
                "profile_id": person,
                "event_name": _texts(["PageView", "Placed Order"], np.where(is_page, 0, 1)),
                "timestamp": START + pd.to_timedelta((time * 86_400_000_000).astype("m8[us]")),
                "profile_properties.utm_source": _texts(SOURCES, source),
                "profile.utm_source": _texts(SOURCES, carried),
                "properties.$url": _texts(_ADDRESSES, np.where(is_page, source + 1, -1)),
                "properties.plan": _texts(["free", "paid"], plan),
                "properties.device": _texts(["phone", "desk"], np.where(is_page, device[of], -1)),
                "alias.cookie": 2 * person + device[of],
                "alias.email": pd.Series(email, dtype="str").where(known) + "@mail.example",
            }
        )
        in_time = np.argsort(time, kind="stable")
        kept = in_time[time[in_time] < self.days]
        return frame.iloc[kept].reset_index(drop=True)

    @cached_property
    def of_people(self) -> pd.DataFrame:
        """The events, with whose each is."""
        return self.events.drop(columns=["alias.cookie", "alias.email", "properties.device"])

    @cached_property
    def stitched(self) -> ck.Stitched:
        """The events stitched: one device is linked with the other by what only buyers do."""
        raw = self.events.drop(columns=["profile_id", "profile.utm_source", "properties.plan"])
        raw["alias.cookie"] = "c" + raw["alias.cookie"].astype("str")
        return ck.stitch(raw)


_ADDRESSES = [
    "https://shop.example/tea",
    *(f"https://shop.example/tea?utm_source={source}" for source in SOURCES),
]


def _carried(source: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Return what each event's person sent last, of events by person and time."""
    place = np.arange(len(source))
    begins = np.maximum.accumulate(np.where(np.diff(person, prepend=-1) != 0, place, 0))
    sent = np.maximum.accumulate(np.where(source >= 0, place, -1))
    return np.where(sent >= begins, source[sent], -1)


def _texts(distinct, codes: np.ndarray):
    return pd.array(list(distinct), dtype="str").take(codes, allow_fill=True)


Ask = Callable[[Store], float]
#: Whether people come unequally often, and whether they mostly come by one source.
Family = tuple[bool, bool]
ALL: tuple[Family, ...] = ((False, False), (True, False), (True, True))
ANY_SOURCE, UNEQUAL = ALL[:2], ALL[1:]
EQUALLY, UNEQUALLY = ANY_SOURCE
#: The middle of the days.
MIDDLE = (START + pd.Timedelta(days=14)).isoformat()


def _closed(within: str) -> str:
    """Return an end of the range after which every window still ends within the data."""
    return (START + pd.Timedelta(days=DAYS - 1) - pd.Timedelta(within)).isoformat()


#: Who sees a page of the one plan, and orders, in any order.
IN_ANY = [ck.Step("PageView", where={"plan": "paid"}), "Placed Order"]


def by_source(within: str | None, steps=STEPS, **options) -> Ask:
    def ask(store: Store) -> float:
        found = ck.funnel(store.of_people, steps, within=within, by="utm_source", **options)
        return found.test().p_value

    return ask


def by_plan(within: str) -> Ask:
    return lambda store: ck.funnel(store.of_people, STEPS, within=within, by="plan").test().p_value


def by_week(within: str | None, **options) -> Ask:
    return lambda store: (
        ck.funnel(store.of_people, STEPS, within=within, **options).test(freq="W").p_value
    )


def of_devices(within: str | None, by: str, **options) -> Ask:
    return lambda store: (
        store.stitched.funnel(STEPS, within=within, by=by, **options).test().p_value
    )


def of_devices_by_week(within: str) -> Ask:
    return lambda store: store.stitched.funnel(STEPS, within=within).test(freq="W").p_value


def compared(within: str, by: str, **options) -> Ask:
    """Compare the shares of groups as they stand in the table, as the test refuses to."""

    def ask(store: Store) -> float:
        found = ck.funnel(store.of_people, STEPS, within=within, by=by, **options).table
        last, first = (found[found["step"] == step]["profiles"].to_numpy() for step in (2, 1))
        return shares_differ(last, first).p_value

    return ask


def weeks_unclustered(within: str) -> Ask:
    """Compare weeks by the log-rank test as if each profile were in one, and observed alike."""

    def ask(store: Store) -> float:
        events, rows = store.of_people, []
        seen_until = events["timestamp"].max()
        for week in range(DAYS // 7):
            begin = START + pd.Timedelta(days=7 * week)
            end = begin + pd.Timedelta(days=7)
            found = ck.funnel(events, STEPS, within=within, start=begin, end=end).conversions
            until = (seen_until - found["time_1"]).clip(upper=pd.Timedelta(within))
            waited = (found["time_2"] - found["time_1"]).fillna(until)
            rows.append((waited.array.asi8, found["time_2"].notna(), np.full(len(found), week)))
        return log_rank(*map(np.concatenate, zip(*rows, strict=True))).p_value

    return ask


def weeks_compared(within: str) -> Ask:
    """Compare the shares of weeks as they stand in the trend, open windows or not."""

    def ask(store: Store) -> float:
        found = ck.funnel(store.of_people, STEPS, within=within).trend("W")
        return shares_differ(found["converted"].to_numpy(), found["entered"].to_numpy()).p_value

    return ask


@dataclass(frozen=True)
class Setting:
    """What is asked of stores.

    Attributes
    ----------
    name, within : str
    ask : callable
        Returns a p-value.
    families : tuple
    second_device : float
    wrong : bool
        Whether it is a way that should not be gone: it is asked of a tenth of the stores.
    """

    name: str
    within: str
    ask: Ask
    families: tuple[Family, ...] = ALL
    second_device: float = 0.5
    wrong: bool = False


WINDOWS = ("1D", "7D", "30D")
SETTINGS = [
    *(Setting("by source", w, by_source(w)) for w in WINDOWS),
    Setting("by source, windows closed", "7D", by_source("7D", end=_closed("7D"))),
    *(Setting("by source, start=", w, by_source(w, start=MIDDLE)) for w in WINDOWS),
    Setting("by source, count='visits'", "visit", by_source(None, count="visits")),
    Setting("by source, order='any'", "7D", by_source("7D", steps=IN_ANY, order="any")),
    Setting(
        "by source, entry='any', windows closed",
        "7D",
        by_source("7D", entry="any", end=_closed("7D")),
    ),
    *(Setting("by an event property", w, by_plan(w), ANY_SOURCE) for w in WINDOWS),
    *(Setting("weeks", w, by_week(w), ANY_SOURCE) for w in WINDOWS),
    *(
        Setting("weeks, windows closed", w, by_week(w, end=_closed(w)), ANY_SOURCE)
        for w in ("1D", "7D")
    ),
    Setting("weeks, count='visits'", "visit", by_week(None, count="visits"), ANY_SOURCE),
    *(
        Setting("devices merge, by source", w, of_devices(w, "utm_source"), UNEQUAL)
        for w in WINDOWS
    ),
    Setting("by device, both used alike", "7D", of_devices("7D", "device"), (UNEQUALLY,)),
    Setting("devices merge, weeks", "7D", of_devices_by_week("7D"), (UNEQUALLY,)),
    Setting(
        "by device, one used for 1 visit of 5, count='visits'",
        "visit",
        of_devices(None, "device", count="visits"),
        (UNEQUALLY,),
        second_device=0.2,
    ),
]
WRONG = [
    *(
        Setting(
            "by_step='first', entry='any'",
            w,
            compared(w, "profile.utm_source", by_step="first", entry="any"),
            ANY_SOURCE,
            wrong=True,
        )
        for w in WINDOWS
    ),
    *(
        Setting(
            "label='carried', start=",
            w,
            compared(w, "utm_source", label="carried", start=MIDDLE),
            ANY_SOURCE,
            wrong=True,
        )
        for w in WINDOWS
    ),
    *(
        Setting("weeks, windows open, chi-squared", w, weeks_compared(w), ANY_SOURCE, wrong=True)
        for w in WINDOWS
    ),
    *(
        Setting("weeks, log-rank, not clustered", w, weeks_unclustered(w), ANY_SOURCE, wrong=True)
        for w in WINDOWS
    ),
    Setting(
        "by device, one used for 1 visit of 5",
        "7D",
        of_devices("7D", "device"),
        (UNEQUALLY,),
        second_device=0.2,
        wrong=True,
    ),
]


def stores_of(seeds: range, family: Family, **options) -> Iterator[tuple[int, Store]]:
    """Return stores with the place of their make, each make in turn."""
    unequal, sticky = family
    for seed in seeds:
        nth = seed % len(MAKES)
        yield nth, Store(seed, list(MAKES)[nth], unequal, sticky, **options)


def alarms(settings: list[Setting], family: Family, seeds: range) -> dict[int, np.ndarray]:
    """Return in how many stores of each make each setting finds a difference, by its place."""
    found = {
        place: np.zeros(len(MAKES), dtype=np.int64)
        for place, one in enumerate(settings)
        if family in one.families
    }
    for share in sorted({settings[place].second_device for place in found}):
        for nth, store in stores_of(seeds, family, second_device=share):
            for place, count in found.items():
                if settings[place].second_device == share:
                    count[nth] += settings[place].ask(store) < 0.05
    return found


def most(stores: int, together: int) -> int:
    """Return the most alarms of so many stores.

    Of so many settings together, which are all right, one has more with a probability below 0.001.
    """
    return int(binom.isf(0.001 / together, stores, 0.05))


def found_effects(family: Family, seeds: range) -> np.ndarray:
    """Return of how many stores of 12,000 people a planted effect of 30 % is found, by make."""
    found = np.zeros(len(MAKES), dtype=np.int64)
    for nth, store in stores_of(seeds, family, people=12_000, planted=1.3):
        found[nth] += by_source("7D")(store) < 0.05
    return found


#: After so many days one looks at a window of so many, by when all of them have ended in `_WHOLE`.
LOOKS = {"7D": 14, "14D": 15}
_WHOLE = 30


def estimates(family: Family, seeds: range, within: str) -> pd.DataFrame:
    """Return what is estimated of stores whose windows are open, and what became of their people.

    Returns
    -------
    pandas.DataFrame
        A row per store: `make`, `entered` and `converted` when all windows have ended; when few
        have, `share`, `low` and `high` at the window's end; `plain`, converted of all who entered;
        and `ended`, converted of those whose windows are not open, which must not be formed.
    """
    rows = []
    end = START + pd.Timedelta(days=LOOKS[within])
    for nth, store in stores_of(seeds, family, days=_WHOLE):
        events = store.of_people
        entered, converted = ck.funnel(events, STEPS, within=within, end=end).table["profiles"]
        seen = ck.funnel(events[events["timestamp"] < end], STEPS, within=within)
        last, counts = seen.table.iloc[-1], seen.counts
        rows.append(
            {
                "make": nth,
                "entered": entered,
                "converted": converted,
                "share": last["conversion_at_window"],
                "low": last["at_window_low"],
                "high": last["at_window_high"],
                "plain": last["conversion"],
                "ended": counts["converted"] / max(counts["entered"] - counts["in_window"], 1),
            }
        )
    return pd.DataFrame(rows)


#: As many stores at a time.
_PART = 60


def _measured(task: Callable[[range], object], seeds: range) -> object:
    return task(seeds)


def in_parts(run: Callable, task: Callable[[range], object], stores: int) -> list:
    """Return what is measured of each part of the stores."""
    starts = range(0, stores, _PART)
    parts = [range(start, min(start + _PART, stores)) for start in starts]
    return list(run(partial(_measured, task), parts))


def print_alarms(run: Callable, settings: str, stores: int) -> bool:
    """Print in how many stores each setting finds a difference; return whether all are right."""
    asked = {"right": SETTINGS, "wrong": WRONG}[settings]
    counted: dict[tuple[int, Family], np.ndarray] = {}
    for family in ALL:
        for part in in_parts(run, partial(_alarms, settings, family), stores):
            for place, count in part.items():
                counted[place, family] = counted.get((place, family), 0) + count
    told = ["equally", "unequally"]
    columns = [f"{told[unequal]}, {'sticky' if sticky else 'iid'}" for unequal, sticky in ALL]
    print(f"\nAlarms of {stores} stores (of each make: {' + '.join(MAKES)})\n")
    print("| setting | window |", " | ".join(columns), "|")
    print("| --- | --- |", " | ".join(["---:"] * len(ALL)), "|")
    together, right = len(counted), True
    for place, one in enumerate(asked):
        cells = []
        for family in ALL:
            of_each = counted.get((place, family))
            if of_each is None:
                cells.append("")
                continue
            total = int(of_each.sum())
            outside = total > most(stores, together) or total < least(stores, together)
            right &= not outside
            mark = " **!**" if outside else "" if 0.03 <= total / stores <= 0.075 else " *"
            cells.append(f"{total} ({'+'.join(map(str, of_each))}){mark}")
        print(f"| {one.name} | {one.within} |", " | ".join(cells), "|")
    return right


def _alarms(settings: str, family: Family, seeds: range) -> dict[int, np.ndarray]:
    return alarms({"right": SETTINGS, "wrong": WRONG}[settings], family, seeds)


def print_found(run: Callable, stores: int) -> bool:
    """Print in how many stores a planted effect is found; return whether in enough."""
    enough = True
    for family in ANY_SOURCE:
        found = sum(in_parts(run, partial(found_effects, family), stores))
        enough &= bool(found.sum() >= 0.8 * stores)
        how = "unequally" if family[0] else "equally"
        print(f"\n+30 % found, people come {how}: {found.sum()} of {stores} ({found.tolist()})")
    return enough


def print_estimates(run: Callable, stores: int) -> bool:
    """Print estimates beside the truth; return whether intervals hold it if people are alike."""
    print("\n| people come | window | days | make | truth | at window | plain | ended | held |")
    print("| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    right = True
    for family in ANY_SOURCE:
        for within, days in LOOKS.items():
            parts = in_parts(run, partial(estimates, family, within=within), stores)
            table = pd.concat(parts, ignore_index=True)
            truth = (
                table.groupby("make")["converted"].sum() / table.groupby("make")["entered"].sum()
            )
            true = table["make"].map(truth)
            held = (table["low"] <= true) & (true <= table["high"])
            if family == EQUALLY:
                right &= bool(0.925 <= held.mean() <= 0.975)
            shown = table.assign(truth=true, held=held)
            every = shown.groupby("make").mean().rename(index=dict(enumerate(MAKES)))
            every.loc["all"] = shown.mean()
            for make, row in every.iterrows():
                shares = [row[name] for name in ("truth", "share", "plain", "ended", "held")]
                print(
                    f"| {'unequally' if family[0] else 'equally'} | {within} | {days} | {make} |",
                    " | ".join(f"{100 * share:.1f}" for share in shares),
                    "|",
                )
    return right


def least(stores: int, together: int) -> int:
    """Return the fewest alarms of so many stores, as `most` does the most."""
    return int(binom.ppf(0.001 / together, stores, 0.05))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=600)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        right = [
            print_estimates(pool.map, given.stores),
            print_found(pool.map, max(given.stores // 5, 3)),
            print_alarms(pool.map, "right", given.stores),
        ]
        print_alarms(pool.map, "wrong", max(given.stores // 10, 3))
    sys.exit(0 if all(right) else 1)


if __name__ == "__main__":
    main()
