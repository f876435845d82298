"""Errors read aloud: what was wrong, where, and what to do next."""

from __future__ import annotations

import contextlib
import re

import pandas as pd
import pytest

import convergekit as ck

STEPS = ["PageView", "Placed Order"]
ORDER = "Placed Order"


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.simulate_store().events)


def said(ask):
    """Return what the error says; only errors of convergekit's own will do."""
    with pytest.raises(ck.ConvergekitError) as error:
        ask()
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"order": None}, "order must be one of 'ordered', 'strict', 'any'; got None."),
        (
            {"count": "events"},
            "count must be one of 'profiles', 'attempts', 'visits'; got 'events'.",
        ),
        ({"by": 3}, "by must be a name or a list of names; got 3."),
        ({"by": [None]}, "by must be a name or a list of names; got [None]."),
        ({"hold": 3}, "hold must be a name or a list of names; got 3."),
        ({"by": "utm_source", "top": True}, "top must be a whole number from 1; got True."),
        ({"start": 3}, "start must be a date or datetime, such as '2026-03-02'; got 3."),
        ({"end": pd.NaT}, "end must be a date or datetime, such as '2026-03-02'; got NaT."),
        ({"freq": "fortnight"}, "freq must be a period such as 'D', 'W' or 'M'; got 'fortnight'."),
        ({"freq": 3}, "freq must be a period such as 'D', 'W' or 'M'; got 3."),
        (
            {"exclude": ck.Exclusion(None)},
            "exclude must be an event name, ck.Exclusion(name, after=1, before=2), or a list of "
            "these; got Exclusion(name=None, after=None, before=None, where=None).",
        ),
    ],
)
def test_options_of_a_funnel(s, options, says):
    assert said(lambda: s.funnel(STEPS, within="7D", **options)) == says


@pytest.mark.parametrize(
    ("option", "value", "needed"),
    [
        ("top", 3, {"by": "utm_source"}),
        ("by_step", 2, {"by": "utm_source"}),
        ("on_exclude", "drop_off", {"exclude": "Added To Cart"}),
        ("range_applies_to", "entry_and_completion", {"end": "2030-01-01"}),
    ],
)
def test_an_option_of_a_funnel_that_does_nothing_is_refused(s, option, value, needed):
    assert said(lambda: s.funnel(STEPS, within="7D", **{option: value})) == (
        f"{option}= needs {next(iter(needed))}= too; got {option}={value!r} alone. Give both, or "
        "neither."
    )
    assert len(s.funnel(STEPS, within="7D", **{option: value}, **needed).table)


def test_what_a_funnel_does_in_any_case_may_be_named(s):
    usual = {
        "by_step": "entry",
        "label": "visit",
        "on_exclude": "remove",
        "range_applies_to": "entry",
    }
    assert s.funnel(STEPS, within="7D", **usual).table.equals(s.funnel(STEPS, within="7D").table)


def test_a_funnel_without_a_window_says_what_to_give(s):
    says = (
        "a funnel needs within=, the conversion window from its first step: give one such as "
        "within='7D', '24h' or '30min'."
    )
    assert said(lambda: s.funnel(STEPS)) == says
    assert said(lambda: ck.funnel(s.events, STEPS, within=None, like="clickhouse")) == says


def test_an_exclusion_between_what_are_no_steps(s):
    wrong = ck.Exclusion("Refund", after="1", before=2)
    assert "must be two steps of 2, counted from 1" in said(
        lambda: s.funnel(STEPS, within="7D", exclude=wrong)
    )


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (
            " ",
            r"where=' ' of 'Placed Order' cannot be evaluated: it is empty; leave out where=, or "
            r"compare a column with a value\.",
        ),
        ("total_price > 'a'", r".* Of the columns, total_price is float64\."),
        ("`$url`.str.len() > total_price + 'a'", r".* Of the columns, .*\$url is str.*\."),
        (
            lambda events: events["total_prise"] > 3,
            r"where of 'Placed Order' asks for 'total_prise', which is not a column\. .*"
            r"Did you mean 'properties\.total_price'\?",
        ),
        (
            lambda events: events.kindd == "track",
            r".* asks for 'kindd', which is not a column\. .* Did you mean 'kind'\?",
        ),
    ],
)
def test_conditions_of_a_step(s, where, says):
    steps = ["PageView", ck.Step(ORDER, where=where)]
    assert re.fullmatch(says, said(lambda: s.funnel(steps, within="7D")))


def test_events_that_make_no_funnel(s):
    events = s.events
    lists = events.assign(who=[[1]] * len(events))
    twice = pd.concat([events, events[["event_name"]]], axis="columns")
    for given, options, says in (
        (pd.DataFrame(), {}, "no column 'event_name'. Found: no columns at all."),
        (lists, {"profile": "who"}, "the column 'who' does not tell profiles apart"),
        (twice, {}, "the column 'event_name' occurs twice; keep one, or rename the other."),
        (events["event_name"], {}, "events must be a DataFrame"),
    ):
        assert says in said(lambda g=given, o=options: ck.funnel(g, STEPS, within="7D", **o))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda s: s.without(3), "alias must be a name or a list of names; got 3."),
        (
            lambda s: s.hindsight(ORDER, carried=3),
            "carried must be a name or a list of names; got 3.",
        ),
        (
            lambda s: s.journeys(start=3),
            "start must be an event name, ck.Step(name, where=...), or a list",
        ),
        (lambda s: s.journeys(end=[]), "end must be an event name, ck.Step("),
        (
            lambda s: s.attribution(ORDER, model=3),
            "model must be a name or a list of names; got 3.",
        ),
        (lambda s: s.sessions(new_on=3), "new_on must be a name or a list of names; got 3."),
        (lambda s: s.sessions(rules=[3]), "rules must be a list of ck.ChannelRule("),
        (
            lambda s: s.customers(currency="currency", rates=["EUR"]),
            "rates must say what one of each currency is worth, such as {'EUR': 1, 'USD': 0.9}; "
            "got ['EUR'].",
        ),
        (
            lambda s: s.customers().new_and_returning(freq=3),
            "freq must be a period such as 'D', 'W' or 'M'; got 3.",
        ),
        (lambda s: s.provenance(3), "no event carries the profile property 3. Found: utm_source"),
        (lambda s: s.orphans(None), "a step must be an event name"),
        (lambda s: s.profile(None), "None is neither a URN (urn:<type>:<value>) nor a profile ID"),
        (lambda s: s.explain(3, 4), "3 is neither a URN (urn:<type>:<value>) nor a profile ID"),
        (
            lambda s: ck.check_up(s.events, conversion=3),
            "conversion must be an event name, ck.Step(name, where=...)",
        ),
        (
            lambda s: ck.evaluate(s, s.events[["row"]]),
            "the truth has no column 'person'. Found: row.",
        ),
        (
            lambda s: ck.evaluate(s.events, s.events),
            "evaluate needs a Stitched, as ck.stitch(events) returns it",
        ),
        (
            lambda s: ck.compare_profiles(s, 3),
            "`b` must be a Stitched, or a frame",
        ),
        (lambda s: ck.compare_profiles(s, s, on="rov"), "Found: row, kind, "),
        (
            lambda s: ck.stitch(s.events, alias_priority=3),
            "alias_priority must be a list of alias types",
        ),
        (
            lambda s: ck.read_events("no.json", columns=["a"]),
            "columns must map canonical names to the files' own",
        ),
        (
            lambda s: ck.read_events([3]),
            "files must be paths, a pattern or a DataFrame; got 3.",
        ),
        (
            lambda s: ck.read_events(b"events.json"),
            "files must be paths, a pattern or a DataFrame; got b'events.json'.",
        ),
        (
            lambda s: ck.open_store("no.duckdb", block=3).status(),
            "block must be a list of texts; got 3.",
        ),
    ],
)
def test_questions(s, ask, says):
    assert says in said(lambda: ask(s))


def test_numbers_asked_of_a_funnel(s):
    found = s.funnel(STEPS, within="7D")
    assert said(lambda: found.compare(found, confidence="95%")) == (
        "confidence must be a share between 0 and 1, such as 0.95; got '95%'."
    )
    assert said(lambda: found.time_to_convert(bins=2.5)) == (
        "bins must be a whole number from 1; got 2.5."
    )


@pytest.mark.parametrize("weights", ["abc", 3, None, (0.4, 0.6), (0, 1, 0)])
def test_weights_that_are_none(s, weights):
    assert said(lambda: s.attribution(ORDER, model="position_based", weights=weights)).startswith(
        "weights must be three shares, those of the first touch, of the touches between"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"people": 0}, "people must be a whole number from 1; got 0."),
        ({"people": "60"}, "people must be a whole number from 1; got '60'."),
        ({"days": 1.5}, "days must be a whole number from 1; got 1.5."),
        ({"seed": -1}, "seed must be a whole number from 0; got -1."),
        ({"noise": -1}, "noise must be a number from 0.0 (clean exports; 1.0 is usual); got -1."),
        ({"start": "spring"}, "start must be a date such as '2026-03-02'; got 'spring'."),
    ],
)
def test_a_store_that_cannot_be_simulated(options, says):
    assert said(lambda: ck.simulate_store(**options)) == says


def test_saved_files_that_are_damaged_or_missing(s, tmp_path):
    s.to_parquet(tmp_path)
    aliases, manifest = tmp_path / "aliases.parquet", tmp_path / "stitched.json"
    whole = aliases.read_bytes()
    aliases.write_bytes(whole[:40])
    assert re.search(
        r"aliases\.parquet is damaged \(its size differs\)\. Copy the whole directory again",
        said(lambda: ck.read_stitched(tmp_path)),
    )
    aliases.unlink()
    assert said(lambda: ck.read_stitched(tmp_path)) == (
        f"{aliases} is missing. Copy the whole directory, or stitch again."
    )
    aliases.write_bytes(whole)
    manifest.write_text(manifest.read_text("utf-8")[:30], "utf-8")
    with pytest.raises(ck.ReadError, match=r"stitched\.json is damaged"):
        ck.read_stitched(tmp_path)


def test_a_report_of_nothing_lists_no_types(s):
    empty = ck.stitch(ck.simulate_store().events.iloc[:0])
    assert "0 profiles from 0 aliases\n" in str(empty.report)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dedupe_on": 3}, "dedupe_on must be a name or a list of names; got 3."),
        ({"dedupe_on": None}, "dedupe_on must be a list that names 'event_id'"),
        ({"alias_from": ["$email"]}, "alias_from must be a mapping of names, such as {"),
        ({"alias_from": {"$email": ""}}, "alias_from must be a mapping of names"),
        ({"first": [3]}, "first must be a name or a list of names; got [3]."),
        ({"rename_events": {"PageView": None}}, "rename_events must be a mapping of names"),
        ({"columns": {3: "a"}}, "columns must be a mapping of names, such as {"),
        ({"columns": "a"}, "columns must be a mapping of names, such as {"),
    ],
)
def test_options_of_stitch_of_the_wrong_type(options, says):
    assert said(lambda: ck.stitch(ck.simulate_store(people=5).events, **options)).startswith(says)


HALF = "\ud83d"
ASKED = {
    "browser_alias": lambda s: ck.stitch(s.events, browser_alias=HALF),
    "alias_from": lambda s: ck.stitch(s.events, alias_from={"$email": HALF}),
    "rename_events": lambda s: ck.stitch(s.events, rename_events={ORDER: HALF}),
    "renamed": lambda s: ck.stitch(s.events, rename_events={HALF: ORDER}),
    "block": lambda s: ck.stitch(s.events, block=[f"urn:email:{HALF}"]),
    "columns": lambda s: ck.stitch(s.events, columns={f"properties.{HALF}": "source"}),
    "step": lambda s: s.funnel([HALF, ORDER], within="7D"),
    "exclude": lambda s: s.funnel(["PageView", ORDER], within="7D", exclude=HALF),
    "where": lambda s: s.customers(ck.Step(ORDER, where={"source": HALF})),
    "by": lambda s: s.funnel([ORDER], within="7D", by=HALF),
    "explain": lambda s: s.explain(f"urn:email:{HALF}", "urn:cookie:1"),
    "profile": lambda s: s.profile(HALF),
    "forget": lambda s: s.forget(f"urn:email:{HALF}"),
    "journeys": lambda s: s.journeys(end=HALF),
    "attribution": lambda s: s.attribution(ORDER, HALF),
    "check_up": lambda s: ck.check_up(s.events, conversion=HALF),
}


@pytest.mark.filterwarnings("ignore:no event")
@pytest.mark.parametrize("name", ASKED)
def test_half_a_character_is_an_error_of_ours_or_a_question_mark(s, name):
    # Any other error fails the test.
    with contextlib.suppress(ck.ConvergekitError):
        ASKED[name](s)
