"""Every kind of answer that a user can ask for, of a small store."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import convergekit as ck

STEPS = ["PageView", "Added To Cart", "Placed Order"]
ARM = "profile.utm_source"


@dataclass(frozen=True)
class World:
    """A store, stitched, and what it spent."""

    s: Any
    events: Any
    spend: ck.Spend
    truth: Any = None

    @property
    def names(self) -> dict[str, Any]:
        """What the code of calls may name."""
        found = {"s": self.s, "ck": ck, "events": self.events, "spend": self.spend}
        return {
            **found,
            "truth": self.truth,
            "alias": EMAIL,
            "a": self.s,
            "b": self.s,
            "store": self.s,
        }


@functools.cache
def world() -> World:
    """Return the store of the documentation."""
    store = ck.simulate_store(people=120, spend=True)
    with tempfile.TemporaryDirectory() as directory:
        store.write(directory)
        spend = ck.read_spend(sorted(Path(directory, "spend").iterdir()), currency="EUR")
    return World(ck.stitch(store.events), store.events, spend, store.truth)


#: The first of the store.
EMAIL = "urn:email:quinn.okoro115@example.net"


#: Of memory and of parts.
BOTH: dict[str, Callable[[World], Any]] = {
    "report": lambda w: w.s.report,
    "funnel": lambda w: w.s.funnel(STEPS, within="7D"),
    "funnel by": lambda w: w.s.funnel(STEPS, within="36h", by="utm_source", top=2),
    "funnel of steps": lambda w: w.s.funnel(
        [ck.Step("PageView", label="Page"), ck.Step("Added To Cart", optional=True), STEPS[2]],
        within="7D",
        exclude=[ck.Exclusion("Subscribed To Newsletter")],
    ),
    "trend": lambda w: w.s.funnel(STEPS, within="7D").trend("W"),
    "curve": lambda w: w.s.funnel(STEPS, within="7D").curve(),
    "test": lambda w: w.s.funnel(STEPS, within="7D", by="utm_source", top=2).test(),
    "times": lambda w: w.s.funnel(STEPS, within="7D").time_to_convert(),
    "counts": lambda w: w.s.counts("PageView", freq="W", measure="profiles"),
    "retention": lambda w: w.s.retention(),
    "retention curve": lambda w: w.s.retention().curve(),
    "sessions": lambda w: w.s.sessions(),
    "attribution": lambda w: w.s.attribution("Placed Order", "total_price"),
    "attribution models": lambda w: w.s.attribution(
        "Placed Order", model=["first_touch", "linear"], by="source"
    ),
    "attribution lift": lambda w: w.s.attribution_lift("Placed Order"),
    "without campaign": lambda w: w.s.without_campaign("Placed Order"),
    "journeys": lambda w: w.s.journeys(end="Placed Order"),
    "customers": lambda w: w.s.customers(),
    "new and returning": lambda w: w.s.customers().new_and_returning("W"),
    "repeat purchases": lambda w: w.s.customers().repeat_purchases(),
    "cohorts": lambda w: w.s.customers().retention(),
    "lifetime value": lambda w: w.s.customers().lifetime_value(),
    "marketing": lambda w: w.s.marketing(w.spend),
    "matches": lambda w: w.s.match_spend(w.spend),
    "reconcile": lambda w: w.s.reconcile(w.spend),
    "suspects": lambda w: w.s.suspects,
    "orphans": lambda w: w.s.orphans("Placed Order"),
    "alias coverage": lambda w: w.s.alias_coverage("Placed Order"),
    "property coverage": lambda w: w.s.property_coverage("Placed Order"),
    "provenance": lambda w: w.s.provenance("utm_source"),
    "stitching lift": lambda w: w.s.stitching_lift(STEPS, within="7D"),
    "hindsight": lambda w: w.s.hindsight("Placed Order"),
    "explanation": lambda w: w.s.explain(EMAIL, EMAIL),
    "profile": lambda w: w.s.profile(EMAIL),
    "experiment": lambda w: w.s.experiment(
        "utm_source", "Placed Order", control="google", within="7D"
    ),
    "segment": lambda w: w.s.where(events="source == 'browser'").funnel(STEPS, within="7D"),
}
#: Of memory alone.
IN_MEMORY: dict[str, Callable[[World], Any]] = {
    "funnel bounds": lambda w: w.s.funnel(STEPS, within="7D").bounds(),
    "answer bounds": lambda w: w.s.customers().bounds(),
    "why": lambda w: w.s.why(
        ("2026-03-02", "2026-03-08"), ("2026-03-09", "2026-03-15"), steps=STEPS, within="3D"
    ),
    "next fix": lambda w: w.s.next_fix("Placed Order"),
    "differences": lambda w: w.s.journeys(end="Placed Order").differences(),
    "credit story": lambda w: _story(w.s),
    "power": lambda w: w.s.experiment_power("Placed Order", within="7D"),
    "what if": lambda w: w.s.without("email"),
    "watch": lambda w: ck.watch(w.s, {"number": [{"kind": "events", "event": "Placed Order"}]}),
    "forgotten": lambda w: w.s.forget(EMAIL),
    "after": lambda w: w.s.forget(EMAIL).stitched.report,
    "check-up": lambda w: ck.check_up(w.events),
    "a frame's funnel": lambda w: ck.funnel(w.events, STEPS, within="7D", profile="alias.email"),
    "evaluation": lambda w: ck.evaluate(w.s, w.truth),
    "comparison": lambda w: ck.compare_profiles(w.s, w.s),
}


def _story(s: Any) -> ck.CreditStory:
    found = s.attribution("Placed Order")
    return found.explain(int(found.credits["row"].iloc[0]))
