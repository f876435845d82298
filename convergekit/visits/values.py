"""What events themselves sent of a property, as text; what stands for nothing is none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import as_text, to_arrow
from convergekit.events.nothing import is_no_value
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY


def first_sent(events: pd.DataFrame, *names: str) -> NumberedText:
    """Return the first of the names' values that each event sent, as text.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.gclid": ["x", "(none)"]})
    >>> first_sent(events, "gclid").codes.tolist()
    [0, -1]
    """
    found = NumberedText(np.full(len(events), -1), pd.Series(dtype="str"))
    for name in names:
        for column in (PROFILE_PROPERTY + name, PROPERTY + name):
            if column in events:
                sent = NumberedText.of(as_text(events[column])[0])
                found = found.or_else(sent.mapped(without_nothing(sent.distinct)))
    return found


def without_nothing(texts: pd.Series) -> pd.Series:
    """Return texts without those that stand for nothing, and without blanks around them.

    Examples
    --------
    >>> without_nothing(pd.Series([" ads ", "undefined"])).tolist()
    ['ads', nan]
    """
    return texts.str.strip().mask(is_no_value(to_arrow(texts))).astype("str")
