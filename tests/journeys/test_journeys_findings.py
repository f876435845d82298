"""What the figure of journeys says, held against the numbers, and its table against the flows."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.wording import shortened_apart
from convergekit.journeys.result import journeys
from tests.figures.figure_numbers import numbers
from tests.journeys import reference_journeys
from tests.strategies import event_frames

ANCHORS = [
    {},
    {"start": "PageView"},
    {"end": "Placed Order"},
    {"start": "PageView", "end": "Placed Order"},
]


def tuples(anchors):
    return [(anchors[name],) if name in anchors else () for name in ("start", "end")]


def slow_flows(found, start, end, most, top):
    """Per (step, from, to) how many profiles, one journey after another."""
    backwards = bool(end and not start)
    shown = {
        who: [name for name, _ in (steps[-most:] if backwards else steps[:most])]
        for who, (steps, _) in found.items()
    }
    on = Counter(name for names in shown.values() for name in set(names))
    own = sorted(on, key=lambda name: (-on[name], name))[:top]
    flows = Counter()
    for who, (steps, reached) in found.items():
        names = [name if name in own else "other" for name in shown[who]]
        if reached is not None:
            result = " or ".join(end)
        elif backwards:
            result = f"no {' or '.join(end)}"
        else:
            result = "further steps" if len(steps) > most else "nothing more"
        chain = [*names, result] if names else []
        for place, pair in enumerate(itertools.pairwise(chain)):
            flows[(len(names) - place if backwards else place + 1, *pair)] += 1
    return flows


def assert_says(events, anchors, max_steps, top):
    found = journeys(events, **anchors, max_steps=max_steps)
    figure = found.plot(top=top)
    start, end = tuples(anchors)
    slow = reference_journeys.journeys_of(events.dropna(subset="profile_id"), start, end)
    total, reached = len(slow), sum(end is not None for _, end in slow.values())
    said = numbers(figure.finding)
    if not slow:
        assert not said
        assert figure.finding.startswith(("No profile has ", "No event is on a profile"))
    elif end:
        assert said == [f"{reached:,}", f"{total:,}", f"{reached / total:.1%}"]
    else:
        paths = reference_journeys.paths(slow, start, end, max_steps)
        most = max(profiles for profiles, _, _ in paths.values())
        assert said[-3:] == [f"{most:,}", f"{total:,}", f"{most / total:.1%}"]
        spelled = {
            " → ".join(shortened_apart(path, 24)) + (" → …" if longer else "")
            for (path, longer), (profiles, _, _) in paths.items()
            if profiles == most
        }
        assert any(f" is {path}: " in figure.finding for path in spelled)
    twin = figure.twin
    step = "steps_before" if end and not start else "step"
    table = {
        (row[step], row["from"], row["to"]): row["profiles"] for row in twin.to_dict("records")
    }
    assert table == slow_flows(slow, start, end, max_steps, top)
    drawn = [value for trace in figure.data if trace.type == "sankey" for value in trace.link.value]
    assert drawn == (twin["profiles"].tolist() if len(twin) else [])
    for _, rows in twin.groupby([step, "from"]):
        assert rows["share"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("anchors", ANCHORS)
def test_journeys_of_a_store(seed, anchors):
    s = ck.stitch(ck.simulate_store(people=40, seed=seed).events)
    assert_says(s.events.dropna(subset="event_name"), anchors, 3, 4)


@given(
    event_frames(distinct_times=True),
    st.sampled_from(ANCHORS),
    st.integers(1, 4),
    st.integers(1, 6),
)
def test_journeys_of_any_events(frame, anchors, max_steps, top):
    events = ck.stitch(frame).events
    assume({*anchors.values()} <= {*events["event_name"]})
    assert_says(events, anchors, max_steps, top)


@pytest.mark.parametrize("width", [None, 300, 700, 1200])
def test_names_are_above_their_nodes_or_above_the_plot(width):
    s = ck.stitch(ck.simulate_store().events)
    figure = s.journeys(start="PageView", end="Placed Order").plot(width=width)
    sankey, key = figure.data[0], [trace.name for trace in figure.data[1:]]
    # Without a width it has what its names need.
    assert figure.layout.width == width or (width is None and 640 <= figure.layout.width <= 700)
    named = " ".join(note.text for note in figure.layout.annotations)
    assert ("PageView" in key) == (width == 300) == ("PageView" not in named)
    # A name stands above its node: no node of the column reaches into its room.
    tops = {}
    for note in figure.layout.annotations:
        if note.yanchor == "bottom":
            tops.setdefault(round(note.x, 6), []).append(note.y)
    room = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    for x, places in tops.items():
        assert x in [round(node, 6) for node in sankey.node.x]
        gaps = [one - other for one, other in itertools.pairwise(places)]
        assert min(gaps, default=1.0) * room >= 16


def test_few_columns_are_as_wide_as_the_page():
    s = ck.stitch(ck.simulate_store().events)
    figure = s.journeys(start="PageView", end="Placed Order", max_steps=2).plot()
    assert figure.layout.width is None
    assert any("PageView" in note.text for note in figure.layout.annotations)


def test_a_given_height_is_the_height():
    s = ck.stitch(ck.simulate_store().events)
    assert s.journeys(end="Placed Order").plot(height=300).layout.height == 300
