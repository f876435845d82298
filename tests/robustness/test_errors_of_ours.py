"""Whatever comes in, an error is ours: a sample of each search of ``python -m fuzz``."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from fuzz.__main__ import _SEARCHES
from tests.effort import tries

_CASES = {"saves": 1, "stores": 1, "questions": 3}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(_SEARCHES))
@pytest.mark.filterwarnings("error")
def test_nothing_but_errors_of_ours(name):
    inputs, check = _SEARCHES[name]

    @tries(
        10 * _CASES.get(name, 12),
        suppress_health_check=list(HealthCheck),
        deadline=None,
        # What breaks is made small by the search itself.
        phases=[Phase.generate],
    )
    @given(st.deferred(inputs))
    def search(drawn):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check(drawn)

    search()
