"""What the figures of aliases say, held against the events, and their tables against the marks."""

from __future__ import annotations

import itertools
import re

import networkx as nx
import pytest
from hypothesis import given

import convergekit as ck
from convergekit.figures.graph_layout import Box, spread
from convergekit.figures.template import text_width
from tests.diagnostics.test_suspects import frame_of
from tests.figures.figure_numbers import numbers
from tests.strategies import event_frames


def slow_links(s, profile_id):
    """Per pair of aliases of the profile that meet on an event: on how many; and the aliases."""
    rows = s.aliases[s.aliases["profile_id"] == profile_id]
    mine = {*zip(rows["alias_type"], rows["alias_value"], strict=True)}
    pairs, events = {}, {}
    for event in s.events.to_dict("records"):
        carried = sorted(
            f"urn:{kind}:{value}"
            for kind, value in mine
            if str(event.get(f"alias.{kind}")) == value
        )
        for alias in carried:
            events[alias] = events.get(alias, 0) + 1
        for pair in itertools.combinations(carried, 2):
            pairs[pair] = pairs.get(pair, 0) + 1
    return pairs, events


def assert_graph_says(s, profile_id):
    figure = s.plot_profile_graph(profile_id)
    pairs, events = slow_links(s, profile_id)
    twin = figure.twin
    suspects = s.suspects
    mine = suspects[suspects["profile_id"] == profile_id]
    said = numbers(re.sub(r"urn:\S+", "", figure.finding))
    if len(mine):
        assert figure.finding == mine["reason"].iloc[0]
    elif not pairs:
        assert said == ["1", f"{next(iter(events.values())):,}"]
    else:
        met = {alias: sum(alias in pair for pair in pairs) for alias in events}
        assert said == [f"{len(pairs):,}", f"{len(events):,}", f"{max(met.values()):,}"]
        most = min(alias for alias in met if met[alias] == max(met.values()))
        assert most in figure.finding or most[:39] + "…" in figure.finding
    held = {(row.alias, row.met): row.events for row in twin.itertuples() if row.met is not None}
    assert held == pairs
    lines = [t for t in figure.data if t.legendgroup == "links"]
    assert sum(len(line.x) // 3 for line in lines) == len(pairs)
    marks = [t for t in figure.data if t.legendgroup == "aliases"]
    assert sum(len(mark.x) for mark in marks) == len(events)


@pytest.mark.parametrize("seed", [1, 4])
def test_graphs_of_a_store(seed):
    s = ck.stitch(ck.simulate_store(people=25, seed=seed).events)
    for profile_id in [*s.profiles["profile_id"].head(4), *s.suspects["profile_id"].head(2)]:
        assert_graph_says(s, profile_id)


@given(event_frames())
def test_graphs_of_any_events(frame):
    s = ck.stitch(frame)
    for profile_id in s.profiles["profile_id"].head(2):
        assert_graph_says(s, profile_id)


def boxes_of(figure):
    """Per name of a graph, the pixels that it and its marker take at most."""
    (names,) = (trace for trace in figure.data if trace.name == "names")
    for x, y, size, text, side in zip(
        names.x, names.y, names.marker.size, names.text, names.textposition, strict=True
    ):
        lines = text.split("<br>")
        half, high = max(text_width(line, 11) for line in lines) / 2, 15 * len(lines) + size / 2
        up, down = (high, size / 2) if side == "top center" else (size / 2, high)
        yield x - half, x + half, y - down, y + up


@pytest.mark.parametrize("width", [300, 700, None])
def test_no_name_lies_on_another_or_is_cut(width):
    value = "abcdef0123456789" * 3
    carried = [f"cookie:k{i % 4} token:{value}{i} email:ann{i % 3}@x.org" for i in range(16)]
    figure = ck.stitch(frame_of(*carried)).plot_profile_graph("urn:cookie:k0", width=width)
    boxes = list(boxes_of(figure))
    assert len(boxes) == 23
    right, high = figure.layout.xaxis.range[1], figure.layout.yaxis.range[1]
    for one, other in itertools.combinations(boxes, 2):
        beside = one[1] <= other[0] + 1 or other[1] <= one[0] + 1
        above = one[3] <= other[2] + 1 or other[3] <= one[2] + 1
        assert beside or above
    assert min(a for a, *_ in boxes) >= -1 <= min(box[2] for box in boxes)
    assert max(box[1] for box in boxes) <= right + 1
    assert max(box[3] for box in boxes) <= high + 1
    margin = figure.layout.margin
    assert figure.layout.height - margin.t - margin.b == high


def test_names_of_aliases_that_begin_alike_differ():
    carried = [f"email:a.very.long.name.of.person{i}@shop.example.org cookie:c" for i in range(3)]
    figure = ck.stitch(frame_of(*carried)).plot_profile_graph("urn:cookie:c")
    (names,) = (trace for trace in figure.data if trace.name == "names")
    assert len(set(names.text)) == 4


def test_a_given_height_is_the_height():
    s = ck.stitch(frame_of("cookie:c email:a"))
    assert s.plot_profile_graph("urn:cookie:c", height=300).layout.height == 300


def test_too_little_room_is_said():
    box = Box(50, 50, 10, 30)
    places = dict.fromkeys("abc", (0.0, 0.0))
    assert not spread(places, dict.fromkeys("abc", box), 120, 60)[1]
    found, free = spread(places, dict.fromkeys("abc", box), 120, 200)
    assert free
    assert len(set(found.values())) == 3


def test_explanations_say_how_many_links_there_are():
    s = ck.stitch(ck.simulate_store(people=25, seed=2).events)
    for profile_id in s.profiles["profile_id"].head(5):
        graph = nx.Graph(list(slow_links(s, profile_id)[0]))
        for one, other in itertools.islice(itertools.combinations(sorted(graph), 2), 4):
            figure = s.explain(one, other).plot()
            links = nx.shortest_path_length(graph, one, other)
            word = "link" if links == 1 else "links"
            assert figure.finding == f"{one} and {other} are on one profile, by {links} {word}."
            twin = figure.twin
            assert len(twin) == links
            assert [twin["alias_from"].iloc[0], twin["alias_to"].iloc[-1]] == [one, other]
            events = slow_links(s, profile_id)[0]
            assert twin["events"].tolist() == [
                events[tuple(sorted(pair))]
                for pair in zip(twin["alias_from"], twin["alias_to"], strict=True)
            ]


def test_aliases_without_a_link_are_said_to_be():
    s = ck.stitch(frame_of("cookie:c1", "cookie:c2"))
    figure = s.explain("urn:cookie:c1", "urn:cookie:c2").plot(height=400)
    assert figure.finding.startswith("No chain of events joins urn:cookie:c1 of profile p_")
    assert figure.twin["alias"].tolist() == ["urn:cookie:c1", "urn:cookie:c2"]
    assert figure.twin["profile_id"].nunique() == 2
    assert figure.layout.height == 400
    same = s.explain("urn:cookie:c1", "urn:cookie:c1").plot()
    assert len(same.twin) == 1
    assert same.finding.startswith("urn:cookie:c1 is on p_")
