"""Figures of aliases, by what they are made of: traces, names, hover texts."""

from __future__ import annotations

import subprocess
import sys

import plotly.graph_objects as go
import pytest

import convergekit as ck
from convergekit.diagnostics import alias_marks
from convergekit.diagnostics import profile_graph as profile_graph_figure
from tests.diagnostics.test_suspects import frame_of
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line


def traces(figure, group):
    return [trace for trace in figure.data if trace.legendgroup == group]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def hover_texts(figure):
    return [one_line(text) for trace in figure.data for text in trace.hovertext or ()]


@pytest.fixture
def shared():
    """Two people on one cookie, one of them often."""
    return ck.stitch(
        frame_of(
            *["cookie:c email:ada@x.org"] * 6,
            "cookie:c email:ben@x.org",
            "email:ada@x.org phone:+1",
            "email:ada@x.org phone:+1",
            source="browser",
        )
    )


def test_a_chain_runs_from_left_to_right():
    frame = frame_of(
        "cookie:c1 cart_token:t",
        *["cart_token:t email:ada@x.org"] * 2,
        source=["browser", "server", "server"],
    )
    figure = ck.stitch(frame).explain("urn:cookie:c1", "urn:email:ada@x.org").plot()
    assert isinstance(figure, go.Figure)
    places = {trace.text[0]: trace.x[0] for trace in figure.data if trace.name}
    assert places == {"cookie<br>c1": 0, "cart_token<br>t": 1, "email<br>ada@x.org": 2}
    hops = [trace for trace in figure.data if not trace.name and trace.text]
    assert [hop.x[0] for hop in hops] == [0.5, 1.5]
    assert hops[1].text[0] == "<b>Placed Order</b><br>server<br>2026-03-02 00:01:00"
    assert one_line(hops[0].hovertext[0]) == (
        "urn:cookie:c1 met urn:cart_token:t on Placed Order from browser at "
        "2026-03-02 00:00:00 UTC (row 0)."
    )
    assert one_line(hops[1].hovertext[0]).endswith("(row 1). They met on 1 more event.")
    assert one_line(figure.layout.title.text) == "From cookie to email: one profile, by 2 links"
    assert "urn:email:ada@x.org" in figure.layout.title.subtitle.text


@pytest.mark.parametrize("width", [None, 300, 700])
def test_a_long_chain_runs_from_top_to_bottom(width):
    frame = frame_of(*(f"a{i}:{i + 1} a{i + 1}:{i + 2}" for i in range(12)))
    figure = ck.stitch(frame).explain("urn:a0:1", "urn:a12:13").plot(width=width)
    assert figure.layout.width == width
    assert sorted(y for trace in figure.data if trace.name for y in trace.y) == list(range(13))
    assert {x for trace in figure.data for x in trace.x} == {0}
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    hop = next(trace for trace in figure.data if not trace.name and trace.text)
    assert "Placed Order" in hop.text[0]


def test_aliases_that_are_not_linked_stand_apart(shared):
    s = ck.stitch(frame_of("cookie:c1", "cookie:c2"))
    figure = s.explain("urn:cookie:c1", "urn:cookie:c2").plot()
    assert [(trace.name, trace.x) for trace in figure.data] == [("cookie", (0, 1))]
    assert figure.layout.title.text == "From cookie to cookie: no link"
    same = s.explain("urn:cookie:c1", "urn:cookie:c1").plot()
    assert [(trace.name, trace.x) for trace in same.data] == [("cookie", (0,))]
    assert same.layout.title.text == "This cookie is one alias"


def test_long_values_are_shortened_and_whole_in_the_hover_text():
    value = "a.very.long.address@of-a-long-domain.example.org"
    figure = ck.stitch(frame_of(f"cookie:c email:{value}")).explain(
        "urn:cookie:c", f"urn:email:{value}"
    ).plot()  # fmt: skip
    email = named(figure, "email")
    assert email.text[0] == "email<br>a.very.long.address@…"
    assert email.hovertext[0].replace("<br>", "") == f"urn:email:{value}"


def test_values_that_look_like_markup_are_shown_as_they_are():
    s = ck.stitch(frame_of("cookie:<b>c</b> email:<a@x.org>", event_name="<i>Order</i>"))
    for figure in (
        s.explain("urn:cookie:<b>c</b>", "urn:email:<a@x.org>").plot(),
        s.plot_profile_graph("urn:email:<a@x.org>"),
    ):
        texts = [t for trace in figure.data for t in (trace.text or ())]
        texts += [*hover_texts(figure), figure.layout.title.subtitle.text or ""]
        assert any("&lt;b&gt;c&lt;/b&gt;" in text for text in texts)
        assert not any("<b>c" in text or "<i>" in text for text in texts)


@pytest.mark.parametrize("template", ["light", "dark"])
def test_no_name_from_data_is_markup_or_a_formula(template):
    frame = frame_of(f"{HOSTILE.replace(' ', '_')}:1 email:$a$", event_name=HOSTILE, source=HOSTILE)
    s = ck.stitch(frame)
    first, second = (f"urn:{kind}:{value}" for kind, value in (s.aliases.iloc[:, :2]).to_numpy())
    for figure in (
        s.explain(first, second).plot(template=template),
        s.plot_profile_graph(second, template=template),
    ):
        assert_shown_as_it_is(figure)


def test_dark_figures_differ_in_their_background_alone(shared):
    light, dark = (shared.plot_profile_graph("urn:cookie:c", template=t) for t in ("light", "dark"))
    papers = [figure.layout.template.layout.paper_bgcolor for figure in (light, dark)]
    assert papers == ["#ffffff", "#0d1117"]
    for one, other in zip(light.data, dark.data, strict=True):
        assert (one.x, one.y, one.hovertext) == (other.x, other.y, other.hovertext)
        if one.legendgroup == "aliases":
            assert one.marker.color == other.marker.color


def test_an_identify_call_has_a_name_in_the_chain():
    frame = frame_of("cookie:c email:a", event_name=None)
    figure = ck.stitch(frame).explain("urn:cookie:c", "urn:email:a").plot()
    hop = next(trace for trace in figure.data if not trace.name and trace.text)
    assert hop.text[0].startswith("<b>identify call</b><br>source unknown<br>")


def test_a_profile_graph_has_a_marker_for_every_alias(shared):
    figure = shared.plot_profile_graph("urn:phone:+1")
    kinds = {trace.name: len(trace.x) for trace in traces(figure, "aliases")}
    assert kinds == {"email": 2, "phone": 1, "cookie": 1}
    looks = [(t.marker.color, t.marker.symbol) for t in traces(figure, "aliases")]
    assert len({colour for colour, _ in looks}) == len({symbol for _, symbol in looks}) == 3
    assert one_line(named(figure, "email").hovertext[0]) == (
        "urn:email:ada@x.org is on 8 events and met 2 other aliases shown here. "
        "It was first seen at 2026-03-02 00:00:00 UTC, last at 2026-03-02 00:08:00 UTC."
    )
    assert sorted(named(figure, "names").text) == [
        "cookie<br>c", "email<br>ada@x.org", "email<br>ben@x.org", "phone<br>+1",
    ]  # fmt: skip


def test_links_are_as_wide_as_the_events_are_many(shared):
    figure = shared.plot_profile_graph("urn:cookie:c")
    links = {trace.name: trace for trace in traces(figure, "links")}
    assert {name: len(trace.x) // 3 for name, trace in links.items()} == {
        "on 1 event": 1, "on 2 to 4 events": 1, "on 5 events or more": 1,
    }  # fmt: skip
    widths = [trace.line.width for trace in links.values()]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3
    assert (
        "urn:cookie:c met urn:email:ada@x.org on 6 events, first at 2026-03-02 00:00:00 UTC "
        "(row 0)."
    ) in hover_texts(figure)


def test_the_alias_to_blame_is_ringed(shared):
    figure = shared.plot_profile_graph("urn:cookie:c")
    ring = named(figure, "alias to blame")
    cookie = named(figure, "cookie")
    assert (ring.x, ring.y) == (cookie.x, cookie.y)
    assert ring.marker.color not in {t.marker.color for t in traces(figure, "aliases")}
    assert one_line(figure.layout.title.text).startswith("2 email values on profile p_")
    said = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert said == (
        f"{shared.suspects['reason'].iloc[0]} Ringed: to blame; thicker: on more events."
    )
    assert figure.finding == shared.suspects["reason"].iloc[0]


def test_the_event_to_blame_is_drawn_over_its_links():
    frame = frame_of("email:a customer_id:1", "email:b customer_id:2",
                     "email:a email:b customer_id:1 customer_id:2")  # fmt: skip
    figure = ck.stitch(frame).plot_profile_graph("urn:email:a")
    assert len(named(figure, "on an event to blame").x) == 3 * 6
    assert "alias to blame" not in [trace.name for trace in figure.data]


def test_a_profile_that_is_no_suspect_has_nothing_to_blame():
    s = ck.stitch(frame_of("cookie:c email:a"))
    figure = s.plot_profile_graph(s.profiles["profile_id"].iloc[0])
    assert not traces(figure, "blamed")
    assert figure.layout.title.text.startswith("2 aliases on profile p_")


def test_one_alias_is_a_graph():
    figure = ck.stitch(frame_of("cookie:c")).plot_profile_graph("urn:cookie:c")
    assert [len(trace.x) for trace in traces(figure, "aliases")] == [1]
    assert not traces(figure, "links")


def test_a_large_profile_shows_what_joins_it_and_says_how_much_is_left_out():
    carried = [f"cookie:k token:x{i} email:p{i}@x.org" for i in range(300)]
    carried += [f"token:x{i} customer_id:{i + 1}" for i in range(300)]
    s = ck.stitch(frame_of(*carried))
    figure = s.plot_profile_graph("urn:cookie:k")
    shown = sum(len(trace.x) for trace in traces(figure, "aliases"))
    assert shown == profile_graph_figure.MOST_SHOWN == 200
    assert "701 are left out" in figure.layout.title.subtitle.text
    assert one_line(named(figure, "cookie").hovertext[0]).startswith(
        "urn:cookie:k is on 300 events"
    )
    for name in s.suspects["separates"].iloc[0]:
        assert any(text.startswith(name + " is on") for text in hover_texts(figure))


def test_more_to_blame_than_can_be_shown():
    kiosks = range(250)
    carried = [f"cookie:k{i} email:{person}" for i in kiosks for person in "ab"]
    figure = ck.stitch(frame_of(*carried)).plot_profile_graph("urn:email:a")
    assert len(named(figure, "alias to blame").x) < 250
    assert "52 are left out" in figure.layout.title.subtitle.text


def test_rare_types_of_very_many_look_the_same():
    kiosk = " ".join(f"type{i:02}:{j}" for i in range(30) for j in range(1, 1 + (i < 4) + 1))
    figure = ck.stitch(frame_of(kiosk)).plot_profile_graph("urn:type00:1")
    names = [trace.name for trace in traces(figure, "aliases")]
    assert len(names) == alias_marks.MOST_TYPES
    assert names[:4] == ["type00", "type01", "type02", "type03"]
    assert names[-1] == "21 other types"
    looks = {(t.marker.color, t.marker.symbol) for t in traces(figure, "aliases")}
    assert len(looks) == len(names)


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, 120])
def test_the_layout_is_the_same_in_every_process(size):
    code = (
        "import convergekit as ck; from tests.diagnostics.test_suspects import frame_of;"
        f"f = frame_of(*(f'cookie:c{{i % 7}} token:t{{i}} email:a' for i in range({size})));"
        "print(ck.stitch(f).plot_profile_graph('urn:email:a').to_json())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
