r"""One notion of nothing: which texts stand for a value that is not there.

Tag managers, templates and exports write words where there is nothing to write. There are two
layers. `NO_VALUE` are texts that are not a value of anything (``undefined``, ``\N``,
``(not set)``): not as an alias, not as an event ID, not as a campaign. `NOBODY` are texts that
may be a value, but identify nobody and nothing (``true``, ``0``, ``guest``): not as an alias, not
as an event ID. Both are compared without regard to case, and without what may stand around them:
white space, quotes (escaped ones too), and characters that are not seen. A template that nobody
filled in (``{{campaign.name}}``) is not a value either. Numbers and booleans of properties are
never nothing.

The words are those that these pages name, and more of their kind:

- PostHog, which refuses to identify by them, quoted or not:
  https://posthog.com/docs/product-analytics/identify
- Segment, which suggests to block zeros and dashes, ``-1``, ``null`` and ``anonymous``:
  https://www.twilio.com/docs/segment/unify/identity-resolution/identity-resolution-onboarding
- Mixpanel, which refuses them as `distinct_id` and as `$insert_id`:
  https://docs.mixpanel.com/troubleshooting/errors/server-side-events-without-a-user
- Amplitude, which drops device IDs of zeros, and warns of the user ID ``None``:
  https://amplitude.com/docs/apis/analytics/http-v2 and
  https://amplitude.com/docs/get-started/identify-users
- Snowplow, whose channels ask for ``direct`` and ``not set`` or ``none``:
  https://github.com/snowplow/dbt-snowplow-unified (macros/field_definitions)
- Google Analytics, which writes ``(not set)``, ``(none)``, ``(direct)`` and ``(not provided)``:
  https://support.google.com/analytics/answer/13504892 and
  https://support.google.com/analytics/answer/9756891
- Google Ads and Meta, whose templates stay as they are where nothing fills them in:
  https://support.google.com/google-ads/answer/6305348 and
  https://www.facebook.com/business/help/2360940870872492
- the null markers that databases and pandas write: ``\N``, ``NULL``, ``<NA>``, ``#N/A`` and others,
  https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import INVISIBLE, arrow_array, has_text, known_characters, to_arrow
from convergekit.typing import BoolArray, IntArray

#: What Google Analytics calls the source of a visit that came from nowhere.
SAID_DIRECT = "(direct)"
#: Not a value of anything. Compared trimmed, without quotes and in lower case.
NO_VALUE = frozenset(
    {
        *("", "undefined", "null", "none", "nil", "nan", "-nan", "n/a", "n.a.", "-", "--", "\\n"),
        *("<null>", "<nil>", "<none>", "<undefined>", "<na>", "<n/a>", "<not set>", "<unset>"),
        *("(null)", "(nil)", "(none)", "(undefined)", "(not set)", "(empty)", "(blank)", "(n/a)"),
        *("(not provided)", "(data not available)", SAID_DIRECT, "not set", "not provided"),
        *("not_set", "not-set", "notset", "unset", "undef", "\u2013", "\u2014", "\u2212"),
        *("[null]", "[undefined]", "{}", "[]", "[object object]", "[object undefined]"),
        *("[object null]", "#n/a", "#n/a n/a", "#na", "#null!", "#ref!", "#value!", "#name?"),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "%00", "\\0", "\\\\n"),
    }
)
#: What is hashed where a field is empty, in the spellings that languages have.
_HASHED = (
    *(
        "",
        " ",
        "\n",
        "undefined",
        "null",
        "NULL",
        "none",
        "None",
        "nil",
        "nan",
        "NaN",
        "n/a",
        "N/A",
    ),
    *("\\N", "(not set)", "[object Object]", "0", "-1", "true", "false", "unknown", "anonymous"),
    "guest",
)
#: SHA-256, SHA-1, MD5 and SHA-512 of empty fields, in hexadecimal digits.
DIGESTS = frozenset(
    hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()
    for kind in ("sha256", "sha1", "md5", "sha512")
    for text in _HASHED
)
#: Identifies nobody, besides `NO_VALUE` and texts of zeros and dashes alone.
NOBODY = DIGESTS | {
    *("true", "false", "-1", "0.0", "na", "unknown", "anonymous", "guest", "nobody"),
    *("anonymous user", "anonymous_user", "anonymoususer", "guest user", "guest_user", "guestuser"),
    *("not_authenticated", "not authenticated", "unauthenticated", "not logged in"),
    *("not_logged_in", "logged out", "logged_out", "no_user", "no user"),
    *("id", "email", "e-mail", "distinct_id", "distinctid", "user_id", "userid", "customer_id"),
    *("customerid", "anonymous_id", "anonymousid", "device_id", "deviceid", "event_id", "eventid"),
    *("message_id", "messageid", "order_id", "orderid"),
    # One build of Android, and the ID that one of its makers gave to all devices.
    *("lmy47d", "9774d56d682e549c"),
    *("ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffffffffffffffffffffffffffff"),
    "{00000000-0000-0000-0000-000000000000}",
}
#: Everything that is left out as an alias or an event ID, but for zeros and dashes.
PLACEHOLDERS = NO_VALUE | NOBODY

#: What may stand around a text without making another of it: control characters and white space,
#: quotes, and what is not seen. Not the character zero, which engines do not take in a query.
AROUND = "".join(
    sorted(
        {
            *map(chr, range(1, 0x21)),
            *map(chr, range(0x7F, 0xA1)),
            *"\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
            *"\u2028\u2029\u202f\u205f\u3000",
            *"\"'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a",
            *(character for character in INVISIBLE if ord(character) <= 0xFFFF),
        }
    )
)
#: What a text in lower case is that is all one template, as RE2 and Java read it: ``{{id}}``,
#: ``{keyword:tea}``, ``${id}``, ``%%id%%``, ``[[id]]``, ``<%= id %>``, ``*|id|*``, ``__id__``, and
#: the first and the third of these as an address of a page has them.
TEMPLATE = (
    "^([{][{].*[}][}]|%7b%7b.*%7d%7d|%24%7b.*%7d|[{][a-z_.:]+[}]|[{]%.*%[}]|[$][{].*[}]|%%.+%%|[[][[].*[]][]]|<%.*%>"
    "|[*][|].*[|][*]|__[a-z_]+__)$"
)
_TEMPLATE_STARTS = (
    *("{{", "{%", "${", "%%", "[[", "<%", "*|", "__", "%7", "%2"),
    *(f"{{{letter}" for letter in "abcdefghijklmnopqrstuvwxyz_"),
)
#: How quotes are written where they had to be escaped: in JSON, HTML, and addresses of pages.
ESCAPED_QUOTE = "\\\\+[\"'`]|&(?:quot|apos|#34|#39);|%2[27]"
_ESCAPED = ('\\"', "\\'", "\\`", "\\\\", "&q", "&a", "&#", "%2")
_BYTES = 256
_SHORTEST_DIGEST, _LONGEST_DIGEST = 32, 128
#: Of which bytes characters of `AROUND` are, and others that are not ASCII.
_BYTES_AROUND = [*range(0x80, _BYTES), *(ord(c) for c in AROUND if c.isascii())]


_IS_AROUND = np.isin(np.arange(_BYTES), _BYTES_AROUND)


class _Words:
    """Texts that are looked for; the first two bytes of most others say that they are none."""

    def __init__(
        self,
        words: Iterable[str],
        digests: Iterable[str] = (),
        *,
        zeros: bool = False,
        templates: bool = False,
    ) -> None:
        short = set(words)
        self.zeros, self.templates = zeros, templates
        begins = short | set(_ESCAPED)
        begins |= {"0", "-", "00", "0-", "--", "-0"} if zeros else set()
        begins |= set(_TEMPLATE_STARTS) if templates else set()
        self.starts = _starts(begins)
        self.digest_starts = _starts(digests)
        self.lengths = np.zeros(_LONGEST_DIGEST + 2, dtype=bool)
        self.lengths[[len(digest) for digest in digests]] = True
        self.texts = pa.array(sorted(short | set(digests)), type=pa.large_string())


def _starts(words: Iterable[str]) -> BoolArray:
    """Return which pairs of first bytes a text may have that is one of the words."""
    starts = np.zeros((_BYTES, _BYTES), dtype=bool)
    around = [0, *_BYTES_AROUND]
    starts[_BYTES_AROUND] = True
    for word in filter(str.isascii, words):
        for first in {*word[:1].lower(), *word[:1].upper()}:
            seconds = {*word[1:2].lower(), *word[1:2].upper()}
            starts[ord(first), [ord(c) for c in seconds] or around] = True
    return starts


#: What databases, pandas and spreadsheets write into a file where a value is missing, as spelled
#: there. ``NA`` is not among them: it may be North America.
NULL_MARKERS = (
    *("NULL", "null", "None", "NaN", "nan", "<NA>", "#N/A"),
    *("(null)", "[NULL]", "<null>"),
)
_OF_NOTHING = _Words(NO_VALUE, templates=True)
_OF_NOBODY = _Words(PLACEHOLDERS - DIGESTS, DIGESTS, zeros=True, templates=True)


def is_no_value(texts: pa.Array) -> BoolArray:
    r"""Return which texts are not a value of anything; a missing one is not asked.

    Examples
    --------
    >>> texts = pa.array(["google", " NULL ", '"null"', "\\N", "guest", None])
    >>> is_no_value(texts).tolist()
    [False, True, True, True, False, False]
    """
    return _found(arrow_array(texts), _OF_NOTHING)


def is_nobody(texts: pa.Array) -> BoolArray:
    """Return which texts identify nobody and nothing; a missing one is not asked.

    Examples
    --------
    >>> is_nobody(pa.array(["u1", "Guest", "0000-00", "undefined", "{{id}}", "", None])).tolist()
    [False, True, True, True, True, True, False]
    """
    return _found(arrow_array(texts), _OF_NOBODY)


def trimmed(texts: pa.Array) -> pa.Array:
    """Return texts without what may stand around them: spaces, quotes, what is not seen.

    Examples
    --------
    >>> trimmed(pa.array([" EUR\u200b", "'EUR'", None])).to_pylist()
    ['EUR', 'EUR', None]
    """
    return pc.utf8_trim(arrow_array(texts), characters=AROUND)


class Markers:
    """Texts that are looked for letter by letter.

    Parameters
    ----------
    texts : sequence of str
        Of ASCII characters.

    Examples
    --------
    >>> Markers(["NULL", "<NA>"]).find(pa.array(["Null", "NULL", None, "<NA>"])).tolist()
    [-1, 0, -1, 1]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = pa.array(texts, type=pa.large_string())
        self._words = _Words(map(str.lower, texts))

    def find(self, texts: pa.Array) -> IntArray:
        """Return which of the markers each text is, -1 for none."""
        texts = arrow_array(texts)
        found = np.full(len(texts), -1, dtype=np.int64)
        at = _worth_a_look(texts, self._words)
        if len(at):
            which = pc.index_in(texts.take(pa.array(at)), value_set=self._texts)
            found[at] = which.fill_null(-1).to_numpy(zero_copy_only=False)
        return found


def without_value(column: pd.Series) -> BoolArray:
    """Return in which cells a text stands that is not a value; one of another type always is.

    A cell without any text is missing, and not asked.

    Examples
    --------
    >>> without_value(pd.Series(["undefined", "a", "", 0, False], dtype=object)).tolist()
    [True, False, False, False, False]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = without_value(pd.Series(column.cat.categories))
        return np.append(found, False)[column.cat.codes]
    if column.dtype == object:
        found = np.zeros(len(column), dtype=bool)
        cells = column.to_numpy()
        at = [place for place, cell in enumerate(cells) if isinstance(cell, str) and cell]
        if at:
            texts = [known_characters(cell) for cell in cells[at]]
            found[at] = is_no_value(pa.array(texts, type=pa.large_string()))
        return found
    if pd.api.types.is_string_dtype(column.dtype):
        texts = to_arrow(column.astype("str"))
        return is_no_value(texts) & has_text(texts)
    return np.zeros(len(column), dtype=bool)


def _found(texts: pa.LargeStringArray, words: _Words) -> BoolArray:
    found = np.zeros(len(texts), dtype=bool)
    at = _worth_a_look(texts, words)
    if len(at):
        plain = pc.replace_substring_regex(
            pc.utf8_lower(texts.take(pa.array(at))), pattern=ESCAPED_QUOTE, replacement='"'
        )
        plain = trimmed(plain)
        hit = pc.is_in(plain, value_set=words.texts)
        # What is left of a text in escaped quotes: \\"null\\".
        unescaped = pc.utf8_trim(plain, characters=AROUND + "\\")
        hit = pc.or_(
            hit, pc.and_(pc.is_in(unescaped, value_set=words.texts), pc.not_equal(unescaped, ""))
        )
        if words.zeros:
            hit = pc.or_(hit, pc.equal(pc.ascii_trim(plain, characters="0-"), ""))
        if words.templates:
            hit = pc.or_(hit, pc.match_substring_regex(plain, TEMPLATE))
        found[at] = hit.to_numpy(zero_copy_only=False)
    return found


def _worth_a_look(texts: pa.LargeStringArray, words: _Words) -> IntArray:
    """Return the positions of texts that begin as one of the words does, and of empty ones."""
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    _, ends, buffer = texts.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[texts.offset :][: len(texts) + 1]
    start, length = offsets[:-1], np.diff(offsets)
    look = length == 0
    if buffer is not None and buffer.size:
        content = np.frombuffer(buffer, dtype=np.uint8)
        last = len(content) - 1
        first = content[np.minimum(start, last)]
        second = np.where(length > 1, content[np.minimum(start + 1, last)], 0)
        look |= words.starts[first, second]
        digest = words.digest_starts[first, second]
        look |= digest & words.lengths[np.minimum(length, len(words.lengths) - 1)]
        # Most that are longer are UUIDs, which end in a digit: few digests are padded.
        longer = np.flatnonzero(digest & ~look & (length > _SHORTEST_DIGEST))
        look[longer] = _IS_AROUND[content[start[longer] + length[longer] - 1]]
    return np.flatnonzero(look & texts.is_valid().to_numpy(zero_copy_only=False))
