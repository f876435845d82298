"""Whether a text writes an address, by reading it in every way that there is; and spellings."""

from __future__ import annotations

import html
import itertools
import json
import re
import unicodedata
from urllib.parse import quote, unquote

from hypothesis import strategies as st

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")


def readings(text):
    """The text, and all that comes of taking encodings off it one after the other."""
    seen, waiting = set(), [text]
    while waiting:
        known = waiting.pop()
        if known not in seen:
            seen.add(known)
            waiting.append(unicodedata.normalize("NFKC", _UNSEEN.sub("", known)).lower())
            waiting += [unquote(known), html.unescape(known), _without_backslashes(known)]
    return seen


def _without_backslashes(text):
    try:
        return json.loads('"' + re.sub(r'(?<!\\)"', r'\\"', text) + '"', strict=False)
    except ValueError:
        return text


def writes_email(text, email):
    spaced = email.replace("+", " ")
    return any(email in reading or spaced in reading for reading in readings(text))


def writes_phone(text, digits):
    """Whether the digits stand one after the other, whatever little is between them."""
    between = r"[\s.()/+-]*"
    pattern = re.compile(between.join(digits))
    return any(pattern.search(_DASHES.sub("-", reading)) for reading in readings(text))


def _each(write, sign=""):
    """An encoding of some characters of a text, and of its own sign, which is always encoded."""
    return lambda text, mask: "".join(
        write(c) if hit or c == sign else c for c, hit in zip(text, itertools.cycle(mask))
    )


def _wide(character):
    code = ord(character)
    return chr(code + 0xFEE0) if 0x21 <= code <= 0x7E else character


def _escaped(character):
    return "\\\\" if character == "\\" else f"\\u{ord(character):04x}"


def _named(character):
    return {"@": "&commat;", ".": "&period;", "+": "&plus;", "&": "&amp;"}.get(character, character)


ENCODINGS = {
    "upper case": _each(str.upper),
    "full width": _each(_wide),
    "zero width": _each(lambda c: c + "\u200b"),
    "soft hyphen": _each(lambda c: c + "\u00ad"),
    "percent": _each(lambda c: "".join(f"%{byte:02X}" for byte in c.encode()), "%"),
    "percent as forms do": lambda text, _: quote(text, safe=""),
    "entities": _each(lambda c: f"&#{ord(c)};", "&"),
    "hexadecimal entities": _each(lambda c: f"&#x{ord(c):X};", "&"),
    "named entities": _each(_named, "&"),
    "JSON": lambda text, _: json.dumps(text)[1:-1],
    "JSON escapes": _each(_escaped, "\\"),
}
_masks = st.lists(st.booleans(), min_size=1, max_size=5).filter(any)


@st.composite
def spellings(draw, text):
    """A spelling of a text: up to three encodings, each of all or some of its characters."""
    for name in draw(st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=3)):
        text = ENCODINGS[name](text, draw(_masks))
    return text


@st.composite
def phone_spellings(draw, country, rest):
    """A way to write a phone number, then a spelling of it."""
    between = draw(st.sampled_from(["", " ", ".", "-", "/", "\u2011"]))
    cut = draw(st.integers(1, len(rest) - 1))
    grouped = rest[:cut] + between + rest[cut:]
    first = draw(
        st.sampled_from([f"+{country}", f"00{country}", f"+{country} (0)", f"({country})", "0"])
    )
    return draw(spellings(first + draw(st.sampled_from(["", " ", "-"])) + grouped))


#: What may stand around a mention.
AROUND = (
    "{}",
    "invited by {}.",
    "mailto:{}",
    "https://shop.example/thanks?email={}&n=1",
    "https://shop.example/thanks?to=x%3D{}",
    '{{"to": "{}", "n": 1}}',
    "<{}>",
    "a,{};b",
)
