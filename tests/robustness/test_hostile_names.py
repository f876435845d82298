"""What an export says is text: no card or table that a notebook shows lets it be markup."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck

HOSTILE = "<img src=x onerror=alert(1)>"
ORDER = f"Placed {HOSTILE}"


@pytest.fixture(scope="module")
def s():
    times = pd.date_range("2026-03-02", periods=4, freq="h", tz="UTC")
    frame = pd.DataFrame(
        {
            "event_name": [HOSTILE, ORDER, HOSTILE, ORDER],
            "event_id": ["1", "2", "3", "2"],
            "timestamp": [*times[:2], "never", times[3]],
            "source": f"shop {HOSTILE}",
            "alias.cookie": f"cookie {HOSTILE}",
            "alias.email": [None, f"ada {HOSTILE}", None, None],
            f"alias.{HOSTILE}": ["one", "two", None, None],
            f"properties.{HOSTILE}": HOSTILE,
            "properties.total_price": [None, 10.0, None, 12.0],
            f"profile_properties.{HOSTILE}": HOSTILE,
            "profile_properties.utm_source": HOSTILE,
        }
    )
    return ck.stitch(frame)


STEPS = [HOSTILE, ORDER]


def _experiment(s):
    """Return an experiment whose arms and property are called so."""
    shown = s.events.drop(columns="profile_id").assign(**{f"properties.arm {HOSTILE}": HOSTILE})
    other = shown.assign(
        **{"alias.cookie": "b", "alias.email": None, f"alias.{HOSTILE}": None, "event_id": None},
        **{f"properties.arm {HOSTILE}": f"new {HOSTILE}"},
    )
    both = ck.stitch(pd.concat([shown, other], ignore_index=True))
    return both.experiment(f"arm {HOSTILE}", ORDER, control=HOSTILE)


ASKED = {
    "stitched": lambda s: s,
    "report": lambda s: s.report,
    "funnel": lambda s: s.funnel(STEPS, within="7D"),
    "funnel by group": lambda s: s.funnel(STEPS, within="7D", by="utm_source"),
    "trend": lambda s: s.funnel(STEPS, within="7D", by="utm_source").trend("W"),
    "lift": lambda s: s.stitching_lift(STEPS, within="7D"),
    "profile": lambda s: s.profile(s.profiles["profile_id"].iloc[0]),
    "explanation": lambda s: s.explain(
        f"urn:cookie:cookie {HOSTILE}", f"urn:email:ada {HOSTILE}".lower()
    ),
    "orphans": lambda s: s.orphans(ORDER),
    "hindsight": lambda s: s.hindsight(ORDER, carried="utm_source"),
    "without": lambda s: s.without([f"urn:cookie:cookie {HOSTILE}"], event=ORDER),
    "evaluation": lambda s: ck.evaluate(s, pd.Series(HOSTILE, index=s.events["row"])),
    "check-up": lambda s: ck.check_up(
        s.events.drop(columns=["profile_id"]), conversion=ORDER, value="total_price"
    ),
    "comparison": lambda s: ck.compare_profiles(
        s, s.without([f"urn:{HOSTILE}:two"], event=ORDER).stitched
    ),
    "attribution": lambda s: s.attribution(ORDER, value="total_price"),
    "credit of one order": lambda s: s.attribution(ORDER, by="utm_source").explain(1),
    "attribution lift": lambda s: s.attribution_lift(ORDER, "total_price", by="utm_source"),
    "reconciliation": lambda s: s.reconcile(
        pd.DataFrame(
            {
                "date": s.events["timestamp"].min().tz_localize(None).normalize(),
                "platform": [HOSTILE],
                "conversions": 9.0,
                "value": 90.0,
            }
        ),
        conversion=ORDER,
    ),
    "journeys": lambda s: s.journeys(end=ORDER),
    "journeys onwards": lambda s: s.journeys(max_steps=1),
    "paths": lambda s: s.journeys(end=ORDER).paths,
    "differences": lambda s: s.journeys(end=ORDER).differences(min_profiles=1),
    "counts": lambda s: s.counts(HOSTILE, by="utm_source"),
    "retention": lambda s: s.retention(HOSTILE, ORDER),
    "retention by group": lambda s: s.retention(HOSTILE, ORDER, by="utm_source"),
    "retention curve": lambda s: s.retention(HOSTILE, ORDER, by="utm_source").curve(),
    "experiment": _experiment,
    "customers": lambda s: s.customers(ORDER, value="total_price"),
    "lifetime value": lambda s: s.customers(ORDER, value="total_price").lifetime_value(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ASKED)
def test_names_from_data_are_no_markup(s, name):
    page = ASKED[name](s)._repr_html_().lower()
    assert "<" in page
    assert "<img" not in page
    assert "onerror=alert(1)>" not in page


def test_the_names_are_there_all_the_same(s):
    for answer in (s.report, s.funnel(STEPS, within="7D"), s.profiles):
        assert "&lt;img src=x onerror=alert(1)&gt;" in answer._repr_html_()
