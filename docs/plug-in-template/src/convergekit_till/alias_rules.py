"""The one form of a loyalty card's number."""

import re


def card_number(text: str) -> str | None:
    """Return the digits of a card's number, or None where there are not ten of them."""
    digits = re.sub(r"[\s-]", "", text)
    return digits if re.fullmatch(r"[0-9]{10}", digits) else None
