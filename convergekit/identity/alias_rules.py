"""Normalisation rules: the one form in which an alias of a type is compared.

Every value is NFC normalised and trimmed. E-mail addresses are lower-cased as well, and written in
usual characters: full-width letters or an invisible hyphen never mean another address. A rule for
the type then has the last word. A rule is any function from such a text to the text to compare, or
to None for a text that is not an alias of the type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import composed, in_usual_characters, known_characters
from convergekit.errors import ConvergekitError

#: What `rules=` maps an alias type to.
Rule = Callable[[str], str | None]

#: The type whose values are written in many ways.
EMAIL = "email"
_URN = re.compile(r"\s*urn:([^:]+):(.*)", re.DOTALL | re.IGNORECASE)
_LIFE = re.compile(r"(.*?)((?:~+\d+)?)", re.DOTALL)
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def email_rule(*, fold_gmail: bool = False) -> Rule:
    """Return a rule for e-mail addresses: lower-cased, and without an @ no alias.

    Parameters
    ----------
    fold_gmail : bool, default False
        Whether the ways to write one Gmail address are one alias: dots and what follows a plus
        sign are left out before ``@gmail.com`` and ``@googlemail.com``, which are the same.

    Notes
    -----
    That dots do not matter in Gmail addresses, and that mail to ``name+anything@gmail.com``
    reaches ``name``, is Gmail's documented behaviour (Gmail Help, "Dots don't matter in Gmail
    addresses" and "Create task-specific email addresses"). Other providers differ.

    Examples
    --------
    >>> rule = email_rule(fold_gmail=True)
    >>> rule("Ada.Lovelace+shop@googlemail.com"), rule("a.b+c@example.com"), rule("ada")
    ('adalovelace@gmail.com', 'a.b+c@example.com', None)
    """

    def normalise(text: str) -> str | None:
        name, at, domain = text.lower().rpartition("@")
        if not at or not name or not domain:
            return None
        if fold_gmail and domain in _GMAIL:
            folded = name.split("+")[0].replace(".", "")
            return f"{folded}@gmail.com" if folded else None
        return f"{name}@{domain}"

    return normalise


def phone_rule(region: str | None = None) -> Rule:
    """Return a rule for phone numbers: their E.164 form, ``+32475123456``.

    Parameters
    ----------
    region : str, optional
        The country, as two letters, of numbers that are written without one: ``"BE"``. Without
        it only numbers with a country code are aliases.

    Raises
    ------
    ConvergekitError
        The package `phonenumbers` is not installed, or it does not know the region.

    Notes
    -----
    Needs ``pip install "convergekit[phone]"``. What is possible as a number is for the package
    `phonenumbers` to say, the Python port of Google's libphonenumber.

    Examples
    --------
    >>> rule = phone_rule("BE")
    >>> rule("0475 12 34 56"), rule("+32 475/12.34.56"), rule("12")
    ('+32475123456', '+32475123456', None)
    """
    try:
        import phonenumbers
    except ImportError:
        raise ConvergekitError(
            'phone_rule needs the package phonenumbers: pip install "convergekit[phone]".'
        ) from None
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConvergekitError(
            "region must be two capital letters that stand for a region of phone numbers, such "
            f"as 'BE'; got {region!r}."
        )

    def normalise(text: str) -> str | None:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return normalise


@dataclass(frozen=True)
class AliasRules:
    """How the values of each alias type are normalised.

    Attributes
    ----------
    rules : dict of str to callable
        Alias type to rule; types without one have the default form.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Mapping[str, Rule] | None) -> AliasRules:
        """Return what `stitch` was given, checked.

        Raises
        ------
        ConvergekitError
            It is not a mapping of alias types to functions.
        """
        if not isinstance(rules or {}, Mapping):
            raise ConvergekitError(
                f'rules must map alias types to functions, such as {{"sku": str.upper}}; got '
                f"{rules!r}."
            )
        for name, rule in (rules or {}).items():
            if not callable(rule):
                raise ConvergekitError(
                    f"a rule must be a function from text to text or None; got rules={{{name!r}: "
                    f"{rule!r}}}."
                )
        return cls({name.lower(): rule for name, rule in (rules or {}).items()})

    def among(self, types: Collection[str]) -> AliasRules:
        """Return the rules of the types that are left."""
        return AliasRules({name: rule for name, rule in self.rules.items() if name in types})

    def parse(self, text: str) -> tuple[str, list[str]] | None:
        """Return a URN's type and the values it may mean, or None if the text is not a URN.

        The value as the type's rule makes it, and without the rule: the text may be one that the
        rule has made already.

        Examples
        --------
        >>> AliasRules().parse("urn:Email: Ada@Example.com ")
        ('email', ['ada@example.com'])
        >>> AliasRules({"sku": str.upper}).parse("urn:sku:a1")
        ('sku', ['A1', 'a1'])
        >>> AliasRules().parse("ada@example.com") is None
        True
        """
        # Half a character is a question mark, as it is in events.
        found = split_urn(known_characters(text))
        if found is None or not found[1].strip():
            return None
        alias_type = found[0]
        plain = plain_form(alias_type, pa.array([found[1]], type=pa.large_string()))[0].as_py()
        if alias_type not in self.rules:
            return alias_type, [plain]
        # What marks a later life is not part of the value that the rule is for.
        value, mark = _LIFE.fullmatch(plain).groups()  # type: ignore[union-attr]
        made = self.apply(alias_type, [value])[0]
        known = plain if made is None else made + mark
        return alias_type, [plain] if known == plain else [known, plain]

    def apply(self, alias_type: str, values: list[str]) -> list[str | None]:
        """Return what the type's rule makes of values in their plain form.

        Raises
        ------
        ConvergekitError
            The rule raises, or returns something that is not text.
        """
        rule = self.rules[alias_type]
        return [_applied(rule, alias_type, value) for value in values]


def split_urn(text: str) -> tuple[str, str] | None:
    """Return a URN's type and its value as it is written, or None if the text is not a URN.

    Examples
    --------
    >>> split_urn("urn:Sku: a:b ")
    ('sku', ' a:b ')
    """
    found = _URN.fullmatch(text)
    if not found or not found[1].strip():
        return None
    return found[1].strip().lower(), found[2]


def plain_form(alias_type: str, values: pa.Array) -> pa.Array:
    """Return the values as they are compared without a rule."""
    in_usual = in_usual_characters(values) if alias_type == EMAIL else values
    return _usual_case(alias_type, in_usual)


def are_look_alikes(alias_type: str, values: pa.Array, plain: pa.Array) -> pa.Array:
    """Return which values have their plain form only because look-alikes are replaced."""
    if alias_type != EMAIL or not pc.any(pc.invert(pc.string_is_ascii(values))).as_py():
        return pa.array(np.zeros(len(values), dtype=bool))
    return pc.not_equal(_usual_case(alias_type, values), plain)


def _usual_case(alias_type: str, values: pa.Array) -> pa.Array:
    values = composed(values)
    values = pc.utf8_trim_whitespace(values)
    return pc.utf8_lower(values) if alias_type == EMAIL else values


def _applied(rule: Rule, alias_type: str, value: str) -> str | None:
    try:
        found = rule(value)
    except Exception as error:
        raise ConvergekitError(
            f"the rule for alias type {alias_type!r} fails on {value!r}: {type(error).__name__}: "
            f"{error}. Let it return None for what is not an alias."
        ) from error
    if found is not None and not isinstance(found, str):
        raise ConvergekitError(
            f"the rule for alias type {alias_type!r} must return text, or None for what is not an "
            f"alias; it returned {found!r} for {value!r}."
        )
    return found.strip() if found else None
