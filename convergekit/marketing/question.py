"""What is asked of marketing, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pandas as pd

from convergekit.attribution.models import RULES
from convergekit.attribution.question import LABELS, MODELS, Question
from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice, names_given
from convergekit.base.proportions import check_confidence
from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import check_rates
from convergekit.events.steps import StepLike
from convergekit.marketing.costs import base_of
from convergekit.visits.rules import VisitRules, Visits

#: By which day an order is counted: its own, or that of the visit that gets the credit.
Dated: TypeAlias = Literal["order", "touch"]
#: Whose order is that of a new customer.
New: TypeAlias = Literal["first_ever", "first_by_address", "first_in_period"]
#: In which period a refund is subtracted.
Refunds: TypeAlias = Literal["order", "refund"]
#: What spend and visits are broken down by.
BY = ("channel", "source", "medium", "campaign", "platform")

_DAY = pd.Timedelta("1D")


@dataclass(frozen=True)
class MarketingQuestion:
    """What is asked, and how. See `Stitched.marketing`."""

    conversion: StepLike
    value: str
    freq: str
    by: tuple[str, ...]
    model: str
    lookback: Duration
    dated: Dated
    new: New
    minus: tuple[str, ...]
    refund: StepLike | None
    refund_value: str | None
    refunds: Refunds
    order_id: str | None
    currency: str | None
    rates: Mapping[str, float] | None
    mapping: pd.DataFrame | Mapping[Any, Any] | None
    add_to_cart: StepLike | None
    checkout: StepLike | None
    confidence: float
    calendar: Calendar
    visits: VisitRules

    @classmethod
    def of(
        cls,
        conversion: StepLike,
        *,
        value: str,
        freq: str,
        by: str | Sequence[str],
        model: str,
        lookback: Duration,
        dated: Dated,
        new: New,
        minus: str | Sequence[str],
        refund: StepLike | None,
        refund_value: str | None,
        refunds: Refunds,
        order_id: str | None,
        currency: str | None,
        rates: Mapping[str, float] | None,
        mapping: pd.DataFrame | Mapping[Any, Any] | None,
        add_to_cart: StepLike | None,
        checkout: StepLike | None,
        confidence: float,
        calendar: Calendar,
        visits: Visits | None,
    ) -> MarketingQuestion:
        """Return what was asked, checked.

        Raises
        ------
        ConvergekitError
            One of the options is not usable.
        """
        for option, given, choices in (
            ("dated", dated, Dated),
            ("new", new, New),
            ("refunds", refunds, Refunds),
        ):
            choice(option, given, choices)
        if not isinstance(value, str):
            raise ConvergekitError(
                f"value must name the property that holds an order's amount; got {value!r}."
            )
        check_rates(value, currency, rates)
        if rates is not None and not base_of(rates):
            raise ConvergekitError(
                "rates must give one currency the rate 1, in which orders and spend are then, "
                f"such as {{'EUR': 1, 'USD': 0.9}}; got {dict(rates)!r}."
            )
        check_confidence(confidence)
        for option, said, lacking, needed in (
            ("refund_value", refund_value, "refund", refund),
            ("order_id", order_id, "refund", refund),
        ):
            if said is not None and needed is None:
                raise ConvergekitError(
                    f"{option}= needs {lacking}= too; got {option}={said!r} alone."
                )
        parse_duration(lookback, name="lookback")
        return cls(
            conversion=conversion,
            value=value,
            freq=_whole_days(freq, calendar),
            by=_by(by),
            model=_model(model),
            lookback=lookback,
            dated=dated,
            new=new,
            minus=names_given("minus", minus),
            refund=refund,
            refund_value=refund_value,
            refunds=refunds,
            order_id=order_id,
            currency=currency,
            rates=rates,
            mapping=mapping,
            add_to_cart=add_to_cart,
            checkout=checkout,
            confidence=confidence,
            calendar=calendar,
            visits=VisitRules.of(visits),
        )

    def of_attribution(self) -> Question:
        """Return the question of which visits get the credit.

        A data-driven model compares labels: the first that visits have of what is asked for.
        """
        named = [name for name in self.by if name in LABELS]
        label = named[0] if named and self.model not in RULES else "channel"
        return Question(
            conversion=self.conversion,
            model=self.model,
            lookback=self.lookback,
            by=label,
            visits=self.visits,
        )


def _by(by: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(names_given("by", by)))
    for name in names:
        if name not in BY:
            raise ConvergekitError(
                f"by must be one or several of {', '.join(BY)}; got {name!r}."
                f"{did_you_mean(name, BY)}"
            )
    if not names:
        raise ConvergekitError(f"by must name at least one of {', '.join(BY)}.")
    return names


def _model(model: str) -> str:
    if not isinstance(model, str) or model not in MODELS:
        raise ConvergekitError(
            f"model must be one of {', '.join(MODELS)}; got {model!r}."
            f"{did_you_mean(str(model), MODELS)} To compare models, ask once with each."
        )
    return model


def _whole_days(freq: str, calendar: Calendar) -> str:
    """Return the period, if spend, which has days alone, can be told by it."""
    empty = pd.Series([], dtype="datetime64[us, UTC]")
    offset = calendar.periods(empty, freq).dt.freq
    if isinstance(offset, pd.offsets.Tick) and pd.Timedelta(offset) % _DAY:
        raise ConvergekitError(
            f"freq must be of days, weeks or months, such as 'D', 'W' or 'M': spend says its day, "
            f"and not its hour; got {freq!r}."
        )
    return freq
