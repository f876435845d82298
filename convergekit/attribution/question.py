"""What is asked of an attribution, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pandas as pd

from convergekit.attribution.data_driven import DATA_DRIVEN
from convergekit.attribution.models import RULES, Tuning
from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice, names_given
from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.campaigns import TAGS
from convergekit.events.steps import StepLike
from convergekit.visits.channels import ChannelRule
from convergekit.visits.rules import VisitRules, Visits

#: What becomes of direct visits: touches like others, or only where a journey has no others.
Direct: TypeAlias = Literal["touch", "last_resort"]
#: By what visits go that have no value of what receives credit.
Otherwise: TypeAlias = Literal["channel"]
#: Which visits may be touchpoints.
Touches: TypeAlias = Literal["all", "paid", "non_brand"]
#: What becomes of touchpoints of one label in a row.
Repeats: TypeAlias = Literal["count", "collapse"]
MODELS = (*RULES, *DATA_DRIVEN)
#: What credit may be given to: columns of the sessions.
LABELS = (
    *("channel", "source", "medium", "campaign", *TAGS),
    *("click_id", "landing_page", "referrer"),
)


@dataclass(frozen=True)
class Question:
    """What is to be attributed, and how. See `Stitched.attribution`."""

    conversion: StepLike
    value: str | None = None
    model: str | Sequence[str] = "last_touch"
    lookback: Duration = "30D"
    by: str = "channel"
    otherwise: Otherwise | None = None
    direct: Direct = "touch"
    weights: tuple[float, float, float] = (0.4, 0.2, 0.4)
    half_life: Duration = "7D"
    mixed_currencies: bool = False
    touches: Touches = "all"
    brand: str | None = None
    repeats: Repeats = "count"
    whole_days: bool = False
    visits: VisitRules = field(default_factory=VisitRules)

    @classmethod
    def of(
        cls,
        conversion: StepLike,
        *,
        value: str | None,
        model: str | Sequence[str],
        lookback: Duration,
        by: str,
        otherwise: Otherwise | None,
        direct: Direct,
        weights: tuple[float, float, float],
        half_life: Duration,
        mixed_currencies: bool,
        touches: Touches,
        brand: str | None,
        repeats: Repeats,
        whole_days: bool,
        visits: Visits | None,
        timeout: Duration | None,
        new_on: Iterable[str] | None,
        rules: Sequence[ChannelRule] | None,
    ) -> Question:
        """Return what `Stitched.attribution` was asked."""
        return cls(
            conversion=conversion,
            value=value,
            model=model,
            lookback=lookback,
            by=by,
            otherwise=otherwise,
            direct=direct,
            weights=weights,
            half_life=half_life,
            mixed_currencies=mixed_currencies,
            touches=touches,
            brand=brand,
            repeats=repeats,
            whole_days=whole_days,
            visits=VisitRules.of(visits, timeout=timeout, new_on=new_on, rules=rules),
        )

    def __post_init__(self) -> None:
        if self.by not in LABELS:
            raise ConvergekitError(
                f"by must be one of {', '.join(LABELS)}; got "
                f"{self.by!r}.{did_you_mean(str(self.by), LABELS)}"
            )
        choice("direct", self.direct, Direct)
        if self.otherwise is not None:
            choice("otherwise", self.otherwise, Otherwise)
        choice("touches", self.touches, Touches)
        choice("repeats", self.repeats, Repeats)
        if (self.touches == "non_brand") != (self.brand is not None):
            raise ConvergekitError(
                "touches='non_brand' needs brand=, the pattern that your brand's campaigns and "
                "search terms match, such as brand='.*acme.*', and nothing else takes it; got "
                f"touches={self.touches!r} and brand={self.brand!r}."
            )
        window = parse_duration(self.lookback, name="lookback")
        if self.whole_days and window % pd.Timedelta("1D"):
            raise ConvergekitError(
                f"whole_days=True needs a lookback of whole days, such as '30D'; got "
                f"{self.lookback!r}."
            )

    @property
    def models(self) -> tuple[str, ...]:
        """The models, each once, checked."""
        named = names_given("model", self.model)
        for name in named:
            if name not in MODELS:
                raise ConvergekitError(
                    f"model must be one of {', '.join(MODELS)}; got "
                    f"{name!r}.{did_you_mean(str(name), MODELS)}"
                )
        if not named:
            raise ConvergekitError(f"model must name at least one of {', '.join(MODELS)}.")
        return tuple(dict.fromkeys(named))

    @property
    def tuning(self) -> Tuning:
        """The models' numbers, checked."""
        try:
            weights = tuple(float(weight) for weight in self.weights)
        except (TypeError, ValueError):
            weights = ()
        if len(weights) != 3 or min(weights) < 0 or not weights[0] + weights[2] > 0:
            raise ConvergekitError(
                "weights must be three shares, those of the first touch, of the touches between "
                "and of the last, such as (0.4, 0.2, 0.4): none negative, and the outer two not "
                f"both zero; got {self.weights!r}."
            )
        half_life = parse_duration(self.half_life, name="half_life") / pd.Timedelta("1D")
        return Tuning((weights[0], weights[1], weights[2]), half_life)
