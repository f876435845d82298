"""Draw docs/concepts/*.svg: what the words of the concepts mean, on a few events each.

python docs/concept_pictures.py

What is kept, linked, carried or counted is what the library answers, asked here. Pictures are
narrow, so that they can be read on a telephone, and bring their background, since a page may be
dark where the system is light.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import pandas as pd

import convergekit as ck

PICTURES = Path(__file__).parent / "concepts"
WIDTH = 400
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.note { font-size: 12px; fill: #5b6570 }
.head { font-weight: 600 }
.middle { text-anchor: middle }
.paper { fill: #ffffff; stroke: #d5dbe1 }
.box { fill: #f1f4f7; stroke: #9aa5b1 }
.on { fill: #dcebf7; stroke: #2f7ebc; stroke-width: 1.5 }
.off { fill: none; stroke: #9aa5b1; stroke-dasharray: 4 3 }
.dot { fill: #2f7ebc; stroke: none }
.pale { fill: #9aa5b1; stroke: none }
.line { fill: none; stroke: #9aa5b1; stroke-width: 1.5 }
.link { fill: none; stroke: #2f7ebc; stroke-width: 2 }
.late { fill: none; stroke: #c2571a; stroke-width: 2; stroke-dasharray: 5 4 }
.warn { fill: #c2571a; font-size: 12px }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f3f6 } .note { fill: #b5bec8 }
  .paper { fill: #1f262d; stroke: #3a444e } .box { fill: #2a333c; stroke: #6b7783 }
  .on { fill: #1d3f5c; stroke: #58a6de } .off { stroke: #6b7783 }
  .dot { fill: #58a6de } .link { stroke: #58a6de }
  .late { stroke: #f0955a } .warn { fill: #f0955a }
}"""


def deduplication() -> str:
    """Return which of four rows are kept."""
    events = pd.DataFrame(
        {
            "event_name": ["Placed Order", "Placed Order", "Placed Order", "PageView"],
            "timestamp": [f"2026-03-02 10:2{minute}" for minute in (0, 1, 5, 6)],
            "event_id": ["1001", "1001", "1001", None],
            "source": ["server", "browser", "server", "browser"],
            "alias.email": "ada@example.com",
            "properties.total_price": [40, 40, 45, None],
        }
    )
    s = ck.stitch(events)
    dropped = s.duplicates.set_index("row")["repeat"]
    parts = [_text(20, 32, "what arrives", "head"), _text(262, 32, "what counts", "head")]
    for row, event in events.iterrows():
        top = 48 + 62 * int(str(row))
        why = dropped.get(row)
        parts.append(_box(20, top, 222, 48, "on" if why is None else "off"))
        amount = "" if pd.isna(event["properties.total_price"]) else ", 40.00"
        if why == "different content":
            amount = ", 45.00"
        known = "no event ID" if pd.isna(event["event_id"]) else f"event ID {event['event_id']}"
        parts.append(_text(32, top + 20, event["event_name"] + amount))
        parts.append(_text(32, top + 38, f"{event['source']} · {known}", "note"))
        parts.append(_text(262, top + 20, "kept:" if why is None else "dropped:"))
        reason = why or ("has no ID" if pd.isna(event["event_id"]) else "the first to arrive")
        style = "warn" if why == "different content" else "note"
        parts.append(_text(262, top + 38, reason, style))
    return _picture(310, "The same event ID counts once", parts)


def alias_graph() -> str:
    """Return events whose aliases meet, and the profiles that come of it."""
    seen = [
        ("PageView", ["cookie 7f3a"]),
        ("Started Checkout", ["cookie 7f3a", "checkout 456"]),
        ("Placed Order", ["checkout 456", "email ada@x.org"]),
        ("PageView", ["cookie b19c"]),
    ]
    events = pd.DataFrame(
        {
            "event_name": [name for name, _ in seen],
            "timestamp": [f"2026-03-02 10:0{minute}" for minute in range(len(seen))],
            "aliases": [[_urn(alias) for alias in aliases] for _, aliases in seen],
        }
    )
    graph = ck.stitch(events).alias_graph
    parts = [_text(20, 32, "events, and the aliases that they carry", "head")]
    for row, (name, aliases) in enumerate(seen):
        top = 46 + 36 * row
        parts.append(_text(20, top + 19, name))
        for place, alias in enumerate(aliases):
            parts.append(_pill(146 + 120 * place, top, 112, alias, "box"))
    parts.append(_text(20, 220, "the identity graph: a profile is a component", "head"))
    places = {"cookie 7f3a": (24, 246), "checkout 456": (24, 312), "email ada@x.org": (24, 378)}
    places["cookie b19c"] = (264, 246)
    parts += [_box(12, 234, 236, 184, "off"), _box(252, 234, 136, 52, "off")]
    names = {_urn(alias): alias for alias in places}
    for one, other, data in graph.edges(data=True):
        top = min(places[names[alias]][1] for alias in (one, other))
        parts.append(f'<path class="link" d="M80 {top + 28}V{top + 66}"/>')
        met = events["event_name"][data["row"]]
        parts.append(_text(90, top + 51, f"both on {met}", "note"))
    parts += [_pill(x, y, 112, alias, "on") for alias, (x, y) in places.items()]
    parts.append(_text(256, 306, "not linked:", "note"))
    parts.append(_text(256, 323, "another profile", "note"))
    return _picture(432, "Aliases that meet on an event are one profile", parts)


def profile_properties() -> str:
    """Return what events sent, and what their profile's value is at each."""
    sent = ["newsletter", None, "google", None]
    names = ["PageView", "Added To Cart", "PageView", "Placed Order"]
    s = ck.stitch(
        pd.DataFrame(
            {
                "event_name": names,
                "timestamp": [f"2026-03-0{day}" for day in range(2, 6)],
                "alias.cookie": "7f3a",
                "profile_properties.utm_source": sent,
            }
        )
    )
    parts = [
        _text(20, 32, "in time", "head"),
        _text(186, 32, "sent", "head middle"),
        _text(318, 32, "profile.utm_source", "head middle"),
    ]
    for row, (name, own) in enumerate(zip(names, sent, strict=True)):
        top = 50 + 46 * row
        parts.append(_text(20, top + 19, name))
        carried = s.events["profile.utm_source"][row]
        if own is None:
            parts.append(_text(186, top + 19, "–", "note middle"))
            parts.append(f'<path class="link" d="M318 {top - 18}V{top}"/>')
        else:
            parts.append(_pill(135, top, 102, own, "on"))
            parts.append(f'<path class="link" d="M237 {top + 14}H267"/>')
        parts.append(_pill(267, top, 102, carried, "on" if own else "off"))
    return _picture(238, "A value is carried forward until the next one", parts)


def retroactive_and_as_of() -> str:
    """Return what an order knows before its link to the visit is learned, in both modes."""
    names = ["PageView", "Placed Order", "Signed In"]
    aliases = ["laptop", "email", "laptop + email"]
    events = pd.DataFrame(
        {
            "event_name": names,
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-05"],
            "alias.cookie": ["laptop", None, "laptop"],
            "alias.email": [None, "ada@example.com", "ada@example.com"],
            "profile_properties.utm_source": ["newsletter", None, None],
        }
    )
    ways = {mode: ck.stitch(events, identity=mode) for mode in ("retroactive", "as_of")}
    hindsight = ways["retroactive"].provenance("utm_source").set_index("row")["hindsight"]
    parts = [_text(20, 32, "in time", "head")]
    for place, (mode, s) in enumerate(ways.items()):
        middle = 210 + 128 * place
        parts.append(_text(middle, 32, mode, "head middle"))
        for row in range(3):
            top = 54 + 74 * row
            value = s.events["profile.utm_source"][row]
            late = place == 0 and hindsight[row]
            known = "" if pd.isna(value) else value
            parts.append(
                _pill(middle - 51, top, 102, known or "not known", "on" if known else "off")
            )
            if late:
                parts.append(_text(middle, top + 44, "hindsight", "warn middle"))
    for row, (name, alias) in enumerate(zip(names, aliases, strict=True)):
        top = 54 + 74 * row
        parts.append(_text(20, top + 12, name))
        parts.append(_text(20, top + 30, alias, "note"))
    parts.append(f'<path class="late" d="M210 {54 + 148}V{54 + 74 + 52}" marker-end="url(#late)"/>')
    parts.append(_text(20, 254, "Only here are laptop and email linked.", "warn"))
    return _picture(272, "What is learned later, and what was known then", parts)


def conversion_window() -> str:
    """Return two people's windows in a funnel of seven days."""
    people = {
        "Ada": [("PageView", 1), ("PageView", 5), ("Placed Order", 7)],
        "Bob": [("PageView", 10), ("PageView", 14)],
    }
    rows = [(name, day, who) for who, seen in people.items() for name, day in seen]
    s = ck.stitch(
        pd.DataFrame(
            {
                "event_name": [name for name, _, _ in rows],
                "timestamp": [f"2026-03-{day:02}" for _, day, _ in rows],
                "alias.user_id": [who for _, _, who in rows],
            }
        )
    )
    table = s.funnel(["PageView", "Placed Order"], within="7D").table
    (entered, converted), in_window = table["profiles"], table["in_window"].iloc[1]

    def at(day: float) -> float:
        return 20 + 24 * (day - 1)

    parts = [_text(20, 32, "PageView, then Placed Order within 7 days", "head")]
    axis = 184
    parts.append(f'<path class="late" d="M{at(14):g} 50V{axis}"/>')
    for top, (who, seen) in zip((62, 126), people.items(), strict=True):
        parts.append(_text(20, top, who))
        order = dict(seen).get("Placed Order")
        entry, *later = (day for name, day in seen if name == "PageView")
        y, end = top + 10, min(entry + 7, 15.6)
        kind = "off" if order is None else "on"
        parts.append(_box(at(entry), y, at(end) - at(entry), 20, kind, 10))
        parts.append(f'<circle class="dot" cx="{at(entry):g}" cy="{y + 10}" r="6"/>')
        parts += [f'<circle class="dot" cx="{at(day):g}" cy="{y + 10}" r="3"/>' for day in later]
        if order is None:
            parts.append(_text(at(entry) + 14, y + 14, "still open", "note"))
        else:
            parts.append(_diamond(at(order), y + 10))
    parts.append(f'<path class="line" d="M20 {axis}H{at(15.6):g}"/>')
    for day in (1, 5, 10, 14):
        parts.append(f'<path class="line" d="M{at(day):g} {axis}v5"/>')
        parts.append(
            _text(at(day), axis + 20, f"{day} March", "note middle" if day > 1 else "note")
        )
    parts.append(_text(at(14), axis + 36, "the data end", "warn middle"))
    parts.append(f'<circle class="dot" cx="28" cy="{axis + 60}" r="6"/>')
    parts.append(_text(42, axis + 64, "the first PageView: the window begins"))
    parts.append(f'<circle class="dot" cx="28" cy="{axis + 84}" r="3"/>')
    parts.append(_text(42, axis + 88, "a later one: it does not begin anew"))
    parts.append(_diamond(28, axis + 108))
    parts.append(_text(42, axis + 112, "Placed Order"))
    told = f"{entered} entered = {converted} converted + {in_window} in window"
    parts.append(_text(20, axis + 140, told, "head"))
    return _picture(axis + 156, "A window for each profile", parts)


def _urn(alias: str) -> str:
    kind, value = alias.split(" ")
    return f"urn:{kind}:{value}"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, style: str, round_: int = 8) -> str:
    return (
        f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'rx="{round_}"/>'
    )


def _pill(x: int, y: int, width: int, text: str, style: str) -> str:
    return _box(x, y, width, 28, style, 14) + _text(x + width / 2, y + 19, text, "middle")


def _diamond(x: float, y: float) -> str:
    return f'<path class="dot" d="M{x:g} {y - 8:g}l8 8l-8 8l-8 -8z"/>'


def _picture(height: float, title: str, parts: Iterable[str]) -> str:
    """Return the SVG of a panel."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
            f'width="{WIDTH}" height="{height:g}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="late" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="5" '
            'markerHeight="5" orient="auto"><path class="warn" d="M0 0L8 4L0 8z"/></marker></defs>',
            _box(0.5, 0.5, WIDTH - 1, height - 1, "paper"),
            *parts,
            "</svg>\n",
        ]
    )


def pictures() -> dict[str, str]:
    """Return each picture by the name of its file."""
    return {
        "deduplication.svg": deduplication(),
        "alias-graph.svg": alias_graph(),
        "profile-properties.svg": profile_properties(),
        "retroactive-and-as-of.svg": retroactive_and_as_of(),
        "conversion-window.svg": conversion_window(),
    }


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, drawn in pictures().items():
        (PICTURES / name).write_text(drawn, encoding="utf-8")
