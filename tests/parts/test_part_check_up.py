"""The check-up by parts: the findings of memory, whatever the parts."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.checks import CHECKS
from convergekit.checks.money import AskedMoney
from convergekit.identity.options import StitchOptions
from convergekit.parts.checked import checked_by_parts
from convergekit.parts.source import RowSource
from convergekit.readers.concatenate import concatenate
from tests.checks.faulty import FAULTS, with_faults
from tests.checks.test_check_up import odd_frames
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory

ORDER = "Placed Order"


def checked(frames, parts, *, conversion=None, value=None, currency=None, rates=None, **options):
    """Check frames, a unit each, in so many parts."""
    source = RowSource(
        {"frames": str(len(frames))}, [lambda one=one: iter([one]) for one in frames]
    )
    return checked_by_parts(
        source,
        StitchOptions.of(**options),
        None,
        None,
        parts=parts,
        conversion=conversion,
        money=AskedMoney(value, currency, rates),
    )


def check_same(found: ck.CheckUp, expected: ck.CheckUp) -> None:
    """Check that two check-ups say the same, of the same events."""
    assert str(found) == str(expected)
    pd.testing.assert_frame_equal(found.findings, expected.findings, check_exact=True)
    pd.testing.assert_frame_equal(found.checks, expected.checks)
    assert found.to_dict() == expected.to_dict()
    assert found._repr_html_() == expected._repr_html_()
    for number in expected.findings["finding"]:
        # For more than five the parts are gone through again, which takes its time.
        again = [None, 7] if number % 9 == len(expected) % 9 else []
        for n in (0, 3, *again):
            pd.testing.assert_frame_equal(
                found.examples(number, n), expected.examples(number, n), check_exact=True
            )


def halves(events):
    """Return two frames of the events, none of them with all their columns' types."""
    place = len(events) // 2
    return [events.iloc[:place].reset_index(drop=True), events.iloc[place:].reset_index(drop=True)]


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store(people=300, seed=3, noise=0).events


#: Planted apart from the others, which would hide them.
APART = {"silences", "late_clock", "thousands"}


def planted(store, names):
    events = with_faults(store, [fault for fault in FAULTS if fault.__name__ in names])
    return halves(events), ck.check_up(events)


@pytest.fixture(scope="module")
def faulty(store):
    others = {fault.__name__ for fault in FAULTS} - APART - {"no_hosts"}
    return planted(store, others), planted(store, APART)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_every_fault_is_found_by_parts_as_in_memory(faulty, parts):
    # Each check has something to say, so that what is equal is something.
    assert {name for _, one in faulty for name in one.findings["check"]} == set(CHECKS)
    for frames, expected in faulty:
        check_same(checked(frames, parts), expected)


@tries(100)
@given(
    st.sets(st.sampled_from(FAULTS), min_size=1, max_size=5),
    st.integers(0, 10**6),
    st.sampled_from([2, 7]),
)
def test_any_faults_are_found_by_parts_as_in_memory(store, faults, seed, parts):
    some = store.iloc[: 300 + seed % 1900]
    events = with_faults(some, sorted(faults, key=lambda fault: fault.__name__), seed)
    check_same(checked(halves(events), parts), ck.check_up(events))


asked = st.fixed_dictionaries(
    {},
    optional={
        "conversion": st.sampled_from(
            [
                [],
                ORDER,
                ck.Step(ORDER, where="total_price > 20"),
                [ORDER, "Added To Cart"],
                lambda: "never called",
                "No such event",
            ]
        ),
        "value": st.sampled_from(["total_price", "currency", "nothing of the kind"]),
        "dedupe_on": st.just(("event_id", "source")),
        "block": st.just(["urn:cookie:c1", "t1"]),
        "rules": st.just({"cart_token": str.upper}),
        "nothing": st.just(["utm_source"]),
        "browser_alias": st.sampled_from(["cart_token", "device"]),
        "alias_from": st.just({"utm_source": "ad"}),
        "rename_events": st.just({"PageView": "View"}),
        "calendar": st.just("Europe/Brussels"),
    },
)


def answer_of(ask):
    """Return what is found or raised, and what is warned of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            answer = ask()
        except (ck.ConvergekitError, TypeError) as error:
            return str(error), []
    return answer, sorted(str(one.message) for one in said)


@tries(100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(odd_frames(), min_size=1, max_size=3), asked, st.sampled_from([1, 2, 7]))
def test_any_frame_is_checked_by_parts_as_in_memory(frames, options, parts):
    whole = concatenate([frame.copy() for frame in frames])
    expected, warned = answer_of(lambda: ck.check_up(whole, **options))
    found, said = answer_of(lambda: checked(frames, parts, **options))
    if isinstance(expected, str) or isinstance(found, str):
        # Of two options that are wrong, either may be told first.
        assert isinstance(found, str)
        assert isinstance(expected, str)
        assert len(options) > 1 or found == expected
        return
    check_same(found, expected)
    assert said == warned


def test_money_in_several_currencies_is_that_of_memory(store):
    events = with_faults(store, [fault for fault in FAULTS if fault.__name__ == "currencies"])
    rates = {"currency": "currency", "rates": {"EUR": 1, "USD": 0.92}, "value": "total_price"}
    check_same(checked(halves(events), 3, **rates), ck.check_up(events, **rates))
    lacking = rates | {"rates": {"EUR": 1}}
    with pytest.raises(ck.ConvergekitError, match="must say what one USD is worth") as raised:
        ck.check_up(events, **lacking)
    with pytest.raises(ck.ConvergekitError) as by_part:
        checked(halves(events), 3, **lacking)
    assert str(by_part.value) == str(raised.value)
    events.loc[events.index[events["event_name"] == ORDER][-3:], "properties.currency"] = None
    with pytest.raises(ck.ConvergekitError, match="^3 amounts without a currency") as raised:
        ck.check_up(events, **rates)
    with pytest.raises(ck.ConvergekitError) as by_part:
        checked(halves(events), 3, **rates)
    assert str(by_part.value) == str(raised.value)


def test_files_are_checked_by_parts(store, tmp_path):
    events = with_faults(store, [FAULTS[0], FAULTS[4]])
    for number, one in enumerate(halves(events)):
        one.to_parquet(tmp_path / f"{number}.parquet")
    expected = ck.check_up(ck.read_events(tmp_path / "*.parquet"))
    assert len(expected)
    run = tmp_path / "run"
    found = ck.check_up(tmp_path / "*.parquet", workdir=run, memory="1MB")
    assert len(list((run / "rows").iterdir())) > 1
    check_same(found, expected)
    check_same(ck.check_up(str(tmp_path / "*.parquet"), memory="1GB"), expected)
    # Asked again, another conversion and another browser do not make it read again.
    again = ck.check_up(
        tmp_path / "*.parquet", workdir=run, memory="1MB", conversion=[], browser_alias="device"
    )
    assert again.to_dict()["conversions"] == 0
    with pytest.raises(ck.ConvergekitError, match="is of a run of other options"):
        ck.stitch(tmp_path / "*.parquet", workdir=run)
    with pytest.raises(ck.ConvergekitError, match="give memory= or workdir= to check files"):
        ck.check_up(str(tmp_path / "0.parquet"))


def test_an_export_without_aliases_is_checked_by_parts(store):
    events = store.drop(columns=[name for name in store if name.startswith("alias.")])
    found = checked(halves(events), 7)
    check_same(found, ck.check_up(events))
    assert found.findings["check"].tolist() == ["conversion-without-alias"]


@pytest.mark.parametrize("number", [1, 3])
def test_the_events_of_a_stitching_are_checked_as_in_memory(store, number):
    blocked = [f"urn:cookie:{name}" for name in store["alias.cookie"].dropna().unique()[:3]]
    events = with_faults(store, [FAULTS[1], FAULTS[2], FAULTS[10], FAULTS[24]])
    options = {"block": blocked, "dedupe_on": ("event_id", "source")}
    s = in_memory(halves(events), **options)
    expected = ck.check_up(s.events)
    assert len(expected)
    with by_parts(halves(events), number, **options) as p:
        check_same(ck.check_up(p.events), expected)
        check_same(checked_by_parts(p.events, StitchOptions.of(), None, None, parts=3), expected)
        views = {"events": lambda events: events["event_name"] == "PageView"}
        check_same(ck.check_up(p.where(**views).events), ck.check_up(s.where(**views).events))


def test_a_report_file_has_the_check_up(store, tmp_path):
    events = with_faults(store, [FAULTS[0], FAULTS[2], FAULTS[10]])
    s = in_memory(halves(events))
    s.to_markdown(tmp_path / "memory.md", ["check-up"])
    with by_parts(halves(events), 2) as p:
        p.to_markdown(tmp_path / "parts.md", ["check-up"])
    found, expected = ((tmp_path / f"{name}.md").read_text("utf-8") for name in ("parts", "memory"))
    assert "templated-alias" in expected
    assert found == expected


def test_parts_are_told_of_in_the_error_of_what_is_no_source():
    with pytest.raises(ck.ConvergekitError, match="with workdir= or memory=, events must be"):
        ck.check_up(np.ones(3), memory="1GB")
