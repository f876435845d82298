"""How bounds are shown: figures, cards, and what a funnel shows once they were asked."""

from __future__ import annotations

import pickle

import pytest
import scipy

import convergekit as ck
from convergekit.funnels.bounds import answer
from tests.certainty.worlds import simulated
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line, texts

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def s():
    return ck.stitch(simulated(1000, seed=4).events)


@pytest.fixture(scope="module")
def bounds(s):
    return asked(s).bounds()


@pytest.fixture(scope="module")
def small():
    return ck.stitch(simulated(40, seed=2).events)


def asked(s, **options):
    return s.funnel(STEPS, **{"within": "14D", **options})


def trace(figure, name):
    (found,) = [one for one in figure.data if one.name == name]
    return found


def ends(found, place):
    """Return what a trace of intervals draws of the step at a place: first mark, low and high."""
    at = 4 * (place - 1)
    return list(found.x[at : at + 3])


def test_the_interval_of_chance_is_of_the_profiles_and_of_the_same_level(s, bounds):
    profiles = asked(s).table["profiles"]
    for level, found in ((0.9, bounds), (0.5, asked(s).bounds(0.5))):
        for place in (1, 2):
            low, high = scipy.stats.binomtest(int(profiles[place]), int(profiles[0])).proportion_ci(
                level, method="wilson"
            )
            row = found.table.iloc[place]
            assert (row["chance_low"], row["chance_high"]) == pytest.approx((low, high), abs=1e-6)
        assert found.table.loc[0, ["chance_low", "chance_high"]].tolist() == [1, 1]


def test_the_figure_draws_every_interval_of_every_step(bounds):
    figure, table = bounds.plot(), bounds.table
    assert list(trace(figure, "profiles").x) == table["stitched"].tolist()
    for place in (1, 2):
        row = table.iloc[place]
        chance = ends(trace(figure, "interval of chance"), place)
        assert chance == pytest.approx(
            [row["chance_low"], row["chance_low"], row["chance_high"]], abs=1e-6
        )
        identity = ends(trace(figure, "interval of identity"), place)
        assert identity == pytest.approx([row["estimate"], row["low"], row["high"]], abs=1e-6)
        worst = ends(trace(figure, "worst bounds"), place)
        assert worst == pytest.approx(
            [row["worst_low"], row["worst_low"], row["worst_high"]], abs=1e-6
        )
    assert figure.finding == bounds.finding
    title = one_line(figure.layout.title.text)
    assert title == "How sure is it: From PageView to Placed Order within 14 days"


def test_intervals_differ_without_their_colours(bounds):
    figure = bounds.plot()
    drawn = [trace(figure, f"interval of {name}") for name in ("chance", "identity")]
    drawn.append(trace(figure, "worst bounds"))
    marks = [(one.marker.symbol[0], one.line.width, one.line.dash) for one in drawn]
    assert len({symbol for symbol, _, _ in marks}) == 3
    assert marks[1][1] > 2 * marks[0][1]
    assert marks[2][2] == "dot"
    for name in ("interval of chance (90", "interval of identity (90", "worst bounds"):
        assert any(name in text.lower().replace("<br>", " ") for text in texts(figure))


def test_the_twin_names_the_intervals(bounds):
    twin, table = bounds.plot().twin, bounds.table
    names = {
        **{f"chance_{end}": f"chance_{end}" for end in ("low", "high")},
        **{f"worst_{end}": f"worst_{end}" for end in ("low", "high")},
        **{f"identity_{name}": name for name in ("low", "estimate", "high")},
    }
    for shown, column in names.items():
        assert twin[shown].tolist() == pytest.approx(table[column].tolist(), abs=1e-6)


def test_a_funnel_shows_intervals_once_they_were_asked_and_asks_nothing_itself(s, monkeypatch):
    funnel = asked(s)
    bounds = funnel.bounds()
    monkeypatch.setattr(answer, "bounds_of", lambda *_: pytest.fail("bounds were asked again"))
    fresh = asked(s)
    for shown in (fresh._repr_html_(), fresh.to_markdown(), *texts(fresh.plot()), str(fresh)):
        assert "of the people" not in shown
    assert fresh.known_bounds is None
    assert not fresh.plot().layout.showlegend

    assert funnel.bounds() is bounds
    assert funnel.known_bounds is bounds
    sentence = bounds.in_short[0]
    row = bounds.table.iloc[-1]
    assert sentence == (
        f"Chance alone: {row['chance_low']:.1%} to {row['chance_high']:.1%}; of the people, "
        f"probably {row['estimate']:.1%} ({row['low']:.1%} to {row['high']:.1%})."
    )
    for shown in (funnel._repr_html_(), str(funnel)):
        assert sentence in shown
        assert "interval of identity" in shown
    assert "interval of identity" in funnel.to_markdown()
    figure = funnel.plot()
    entered = funnel.table["profiles"].iloc[0]
    assert sentence in one_line(figure.layout.title.subtitle.text)
    expected = [entered * row[name] for name in ("estimate", "low", "high")]
    assert ends(trace(figure, "interval of identity"), 2) == pytest.approx(expected, rel=1e-5)
    assert figure.twin["identity_low"].tolist() == pytest.approx(bounds.table["low"].tolist())
    assert figure.twin["profiles"].tolist() == funnel.table["profiles"].tolist()


def test_a_funnel_shows_the_bounds_that_were_asked_last(s):
    funnel = asked(s)
    usual = funnel.bounds()
    half = funnel.bounds(0.5)
    assert funnel.known_bounds is half
    assert "Intervals are of 50%." in funnel._repr_html_()
    assert funnel.bounds() is usual
    assert funnel.known_bounds is usual


def test_what_was_asked_is_kept_with_a_saved_funnel(s):
    funnel = asked(s)
    bounds = funnel.bounds()
    again = pickle.loads(pickle.dumps(funnel))
    assert again.bounds().table.equals(bounds.table)
    assert again.plot().to_json() == funnel.plot().to_json()


def test_where_nothing_is_estimated_the_figures_show_the_worst_and_say_why(small):
    funnel = asked(small)
    bounds = funnel.bounds()
    for figure in (bounds.plot(), funnel.plot()):
        assert "interval of identity" not in [one.name for one in figure.data]
        whole = trace(figure, "worst bounds").x[1] / bounds.table["worst_low"][1]
        row = bounds.table.iloc[-1]
        worst = [whole * row[name] for name in ("worst_low", "worst_low", "worst_high")]
        assert ends(trace(figure, "worst bounds"), 2) == pytest.approx(worst)
        assert "at least 30 are needed." in one_line(figure.layout.title.subtitle.text)
    assert bounds.reasons[0] in bounds.in_short[0]


def test_a_figure_of_nobody_says_so(s):
    funnel = asked(s, start="2030-01-01")
    bounds = funnel.bounds()
    assert bounds.plot().finding == "Nobody entered."
    assert bounds.table["chance_low"].isna().all()
    assert "Nobody entered." in bounds._repr_html_()
    assert "No profile entered" in funnel.plot().finding


def test_a_funnel_of_one_step_has_no_intervals(s):
    funnel = s.funnel(["PageView"], within="14D")
    bounds = funnel.bounds()
    for figure in (bounds.plot(), funnel.plot()):
        assert not [x for one in figure.data[1:] for x in one.x]


def test_names_are_shown_as_they_are(s):
    events = s.events.assign(
        event_name=s.events["event_name"].replace("Placed Order", HOSTILE).to_numpy()
    )
    aliases = [name for name in events if name.startswith(("alias.", "properties."))]
    given = events[["event_name", "timestamp", "source", *aliases]]
    funnel = ck.stitch(given).funnel(["PageView", HOSTILE], within="14D")
    assert_shown_as_it_is(funnel.bounds().plot())
    assert_shown_as_it_is(funnel.plot())


@pytest.mark.parametrize("width", [300, 700])
def test_what_is_drawn_of_a_step_lies_below_its_name(s, width):
    funnel = asked(s)
    bounds = funnel.bounds()
    for figure in (bounds.plot(width=width), funnel.plot(width=width)):
        end, start = figure.layout.yaxis.range
        names = [one.y for one in figure.layout.annotations if one.text.startswith("<b>")]
        below = [one.y for one in figure.layout.annotations if one.text.startswith("Of the peop")]
        below += [one.y for one in figure.layout.annotations if "dropped off" in one.text]
        lanes = {place: [one.y[4 * place] for one in figure.data[-2:]] for place in (0, 1)}
        assert len(names) == 3
        assert len(below) == 2
        for place in (0, 1):
            follows = [names[place + 1], *lanes[place], below[place]]
            assert follows[0] < min(follows[1:3])
            assert max(follows[1:3]) < follows[3]
            assert follows[3] < (names[place + 2] if place == 0 else end)
        assert start < names[0] < names[1]
