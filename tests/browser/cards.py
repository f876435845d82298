"""One of every result that is a card in a notebook, of the data of the documentation."""

from __future__ import annotations

import convergekit as ck
from tests.processors import ROOT

STEPS = ["PageView", "Added To Cart", "Placed Order"]
SURE = "Funnel with bounds"
MILO = "urn:email:milo.duval37@example.com"


def cards(directory):
    """Return the cards by the names of their results' classes; the directory is for files."""
    events = ck.read_events(str(ROOT / "data" / "*"))
    s = ck.stitch(events)
    season = ck.simulate_store(people=400, days=60, spend=True)
    months = ck.stitch(season.events)
    funnel = months.funnel(STEPS, within="7D", by="utm_source")
    sure = months.funnel(STEPS, within="14D")
    found = s.attribution("Placed Order", "total_price", ["first_touch", "markov"])
    order = s.events.loc[s.events["event_name"] == "Placed Order", "row"].iloc[0]
    journeys = months.journeys(start="PageView", end="Placed Order")
    store = ck.open_store(directory / "store")
    store.add(events)
    written = directory / "log.csv"
    written.write_text("who,what,at\na@example.com,Signed Up,2026-03-02 10:00\n")
    results = [
        _with_warnings(events),
        s.report,
        ck.check_up(_with_faults(events)),
        s.explain("urn:cookie:73eba738fc5e", MILO),
        s.orphans("Placed Order"),
        s.hindsight("Placed Order", value="total_price", carried="utm_source"),
        s.without([MILO], event="Placed Order"),
        s.forget(MILO),
        store.forget(MILO),
        ck.compare_profiles(s, ck.stitch(events, identity="as_of")),
        ck.evaluate(months, season.truth),
        ck.suggest_columns(written),
        funnel,
        funnel.test(),
        funnel.time_to_convert(),
        sure.bounds(),
        months.customers().bounds("M"),
        months.next_fix("Placed Order", value="total_price"),
        months.why(("2026-03-02", "2026-03-22"), ("2026-03-23", "2026-04-12")),
        found,
        found.explain(order),
        s.attribution_lift("Placed Order", "total_price"),
        s.without_campaign("Placed Order", "total_price"),
        journeys,
        journeys.differences(),
        months.customers(),
        months.retention(),
        _experiment(season.events),
        months.experiment_power("Placed Order"),
        _watch(),
        ck.read_spend(str(ROOT / "data" / "spend" / "*")),
        months.match_spend(season.spend),
        months.marketing(season.spend),
        months.reconcile(season.spend),
    ]
    shown = {type(result).__name__: result._repr_html_() for result in results}
    # What a funnel shows more, once its bounds were asked.
    return {**shown, SURE: sure._repr_html_()}


def _experiment(events):
    """Return an experiment whose arms are drawn by cookie, so that some people see both."""
    arms = events["alias.cookie"].map(
        lambda cookie: "new" if int(cookie, 16) % 2 else "control", na_action="ignore"
    )
    s = ck.stitch(events.assign(**{"properties.variant": arms}))
    return s.experiment("variant", exposure="PageView", value="total_price", before="14D")


def _watch():
    """Return numbers of which one raises an alarm, and one cannot be compared."""
    events = ck.simulate_store(people=2500, days=98, seed=2).events
    lost = (events["event_name"] == "Placed Order") & (events["timestamp"] >= "2026-06-04")
    steps = ["PageView", "Placed Order"]
    numbers = [
        {"kind": "events", "event": "Placed Order"},
        {"kind": "conversion", "steps": steps, "within": "90D"},
    ]
    return ck.watch(ck.stitch(events[~lost]), {"number": numbers})


def _with_faults(events):
    """Return events that the audit has something to say about."""
    faulty = events.copy()
    orders = faulty.index[faulty["event_name"] == "Placed Order"]
    carts = faulty.index[faulty["event_name"] == "Added To Cart"]
    faulty.loc[orders[:6], "event_id"] = None
    faulty.loc[carts[:3], "event_name"] = "added_to_cart"
    return faulty


def _with_warnings(events):
    """Return a stitching whose report warns: no row of an event can be used, and IDs repeat."""
    faulty = events.copy()
    carts = faulty["event_name"] == "Added To Cart"
    faulty.loc[carts, "timestamp"] = "not a time"
    faulty.loc[faulty.index[:40], "event_id"] = "one"
    return ck.stitch(faulty)
