"""Errors read aloud: what was wrong, where, and what to do next."""

from __future__ import annotations

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
        ({"count": "events"}, "count must be one of 'profiles', 'attempts'; got 'events'."),
        ({"by": 3}, "by=3: give a name, or a list of names."),
        ({"by": [None]}, "by=[None]: give a name, or a list of names."),
        ({"hold": 3}, "hold=3: give a name, or a list of names."),
        ({"by": "utm_source", "top": True}, "top=True is no number of labels; give 1 or more."),
        ({"start": 3}, "start=3 is no time; give one such as '2026-03-02' or a datetime."),
        ({"end": pd.NaT}, "end=NaT is no time; give one such as '2026-03-02' or a datetime."),
        ({"freq": "fortnight"}, "freq='fortnight' is no period; give one such as 'D', 'W' or 'M'."),
        ({"freq": 3}, "freq=3 is no period; give one such as 'D', 'W' or 'M'."),
        (
            {"exclude": ck.Exclusion(None)},
            "exclude=Exclusion(name=None, after=None, before=None, where=None): give an event "
            "name, ck.Exclusion(name, after=1, before=2), or a list of these.",
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
        f"{option}={value!r} does nothing without {next(iter(needed))}=; give that too, or leave "
        f"{option}= out."
    )
    assert len(s.funnel(STEPS, within="7D", **{option: value}, **needed).table)


def test_what_a_funnel_does_in_any_case_may_be_named(s):
    usual = {"by_step": "first", "on_exclude": "remove", "range_applies_to": "entry"}
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
    assert "after=1 and before=2 are not two steps of 2" in said(
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
            r"where of 'Placed Order' asks for 'total_prise', which is no column\. .*"
            r"Did you mean 'properties\.total_price'\?",
        ),
        (
            lambda events: events.kindd == "track",
            r".* asks for 'kindd', which is no column\. .* Did you mean 'kind'\?",
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
        (twice, {}, "the column 'event_name' stands twice; keep one, or rename the other."),
        (events["event_name"], {}, "events are a Series, not a DataFrame"),
    ):
        assert says in said(lambda g=given, o=options: ck.funnel(g, STEPS, within="7D", **o))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda s: s.without(3), "alias=3: give a name, or a list of names."),
        (lambda s: s.hindsight(ORDER, carried=3), "carried=3: give a name, or a list of names."),
        (
            lambda s: s.journeys(start=3),
            "start=3: give an event name, ck.Step(name, where=...), or a list",
        ),
        (lambda s: s.journeys(end=[]), "end=[]: give an event name, ck.Step("),
        (lambda s: s.attribution(ORDER, model=3), "model=3: give a name, or a list of names."),
        (lambda s: s.sessions(new_on=3), "new_on=3: give a name, or a list of names."),
        (lambda s: s.sessions(rules=[3]), "rules=[3]: give a list of ck.ChannelRule("),
        (
            lambda s: s.customers(currency="currency", rates=["EUR"]),
            "rates=['EUR']: give what one of each currency is worth, such as "
            "{'EUR': 1, 'USD': 0.9}.",
        ),
        (
            lambda s: s.customers().new_and_returning(freq=3),
            "freq=3 is no period; give one such as 'D', 'W' or 'M'.",
        ),
        (lambda s: s.provenance(3), "no event carries the profile property 3. Found: utm_source"),
        (lambda s: s.orphans(None), "None is not a step: give an event name"),
        (lambda s: s.profile(None), "None is neither a URN (urn:<type>:<value>) nor a profile ID"),
        (lambda s: s.explain(3, 4), "3 is neither a URN (urn:<type>:<value>) nor a profile ID"),
        (
            lambda s: ck.check_up(s.events, conversion=3),
            "conversion=3: give an event name, ck.Step(name, where=...)",
        ),
        (
            lambda s: ck.evaluate(s, s.events[["row"]]),
            "the truth has no column 'person'. Found: row.",
        ),
        (
            lambda s: ck.evaluate(s.events, s.events),
            "evaluate compares a Stitched with the truth: give ck.stitch(events).",
        ),
        (
            lambda s: ck.compare_profiles(s, 3),
            "`b` is a int; give a Stitched, or a frame",
        ),
        (lambda s: ck.compare_profiles(s, s, on="rov"), "Found: row, kind, "),
        (
            lambda s: ck.stitch(s.events, alias_priority=3),
            "alias_priority=3: give a list of alias types",
        ),
        (
            lambda s: ck.read_events("no.json", columns=["a"]),
            "columns=['a']: give a mapping of canonical names to the files' own",
        ),
        (
            lambda s: ck.read_events([3]),
            "3 is no path; give paths, a pattern, or a DataFrame.",
        ),
        (
            lambda s: ck.read_events(b"events.json"),
            "b'events.json' is no path; give paths, a pattern, or a DataFrame.",
        ),
        (
            lambda s: ck.open_store("no.duckdb", block=3).status(),
            "block=3 is no list: give a list of texts.",
        ),
    ],
)
def test_questions(s, ask, says):
    assert says in said(lambda: ask(s))


def test_numbers_asked_of_a_funnel(s):
    found = s.funnel(STEPS, within="7D")
    assert said(lambda: found.compare(found, confidence="95%")) == (
        "confidence='95%': give a share, such as 0.95."
    )
    assert said(lambda: found.time_to_convert(bins=2.5)) == (
        "bins=2.5: give a whole number from 1 on."
    )


@pytest.mark.parametrize("weights", ["abc", 3, None, (0.4, 0.6), (0, 1, 0)])
def test_weights_that_are_none(s, weights):
    assert said(lambda: s.attribution(ORDER, model="position_based", weights=weights)).startswith(
        f"weights={weights!r}: give those of the first touch, of those between and of"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"people": 0}, "people=0: give a whole number from 1 on."),
        ({"people": "60"}, "people='60': give a whole number from 1 on."),
        ({"days": 1.5}, "days=1.5: give a whole number from 1 on."),
        ({"seed": -1}, "seed=-1: give a whole number from 0 on."),
        ({"noise": -1}, "noise=-1: give 0.0 for clean exports, 1.0 for the usual."),
        ({"start": "spring"}, "start='spring' is no date; give one such as '2026-03-02'."),
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
        r"aliases\.parquet is damaged \(its size is another\)\. Copy the whole directory again",
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
        ({"dedupe_on": 3}, "dedupe_on=3: give a name, or a list of names."),
        ({"dedupe_on": None}, "dedupe_on=None must be a list that names 'event_id'"),
        ({"alias_from": ["$email"]}, "alias_from=['$email']: give a mapping of names, such as {"),
        ({"alias_from": {"$email": ""}}, "alias_from={'$email': ''}: give a mapping of names"),
        ({"first": [3]}, "first=[3]: give a name, or a list of names."),
        ({"rename_events": {"PageView": None}}, "rename_events={'PageView': None}: give a mapping"),
        ({"columns": {3: "a"}}, "columns={3: 'a'}: give a mapping of names, such as {'event_name'"),
        ({"columns": "a"}, "columns='a': give a mapping of names, such as {'event_name'"),
    ],
)
def test_options_of_stitch_of_the_wrong_type(options, says):
    assert said(lambda: ck.stitch(ck.simulate_store(people=5).events, **options)).startswith(says)
