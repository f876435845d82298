"""A plugin that switches on what pandas will do by default: ``pytest -p tests.pandas_future``."""

from __future__ import annotations

import warnings

import pandas as pd

_OPTIONS = ("distinguish_nan_and_na", "infer_freq_returns_offset", "python_scalars")


def pytest_configure() -> None:
    for name in _OPTIONS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                pd.set_option(f"future.{name}", True)
            except pd.errors.OptionError:
                # Not yet, or no longer, an option of this pandas.
                continue
