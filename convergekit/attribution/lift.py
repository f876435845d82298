"""Compare an attribution with the same one without stitching, and as known then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import Attributor, ComparedJourneys, Credited
from convergekit.attribution.question import Question
from convergekit.attribution.result import NONE
from convergekit.base.durations import parse_duration
from convergekit.base.grouping import NumberedText, distinct
from convergekit.base.wording import counted, percentage
from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.sources import origin_names, sources_of_exports
from convergekit.events.steps import as_steps
from convergekit.figures.card import Result
from convergekit.funnels.lift import STITCHED, STITCHED_WAY, in_order, said, ways_by_kind
from convergekit.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.identity.tables import StitchedEvents


#: Stitched, but a touch counts only if it was known when the conversion became known.
AS_OF = "stitched, as-of identity"
# As many ways of counting beside the stitched ones as a card has columns for.
_MOST_ALONE = 3


@dataclass(frozen=True, eq=False, repr=False)
class AttributionLift(Result):
    """The same conversions credited by several ways of counting visitors.

    The ways are each alias type alone (one cookie, one visitor), each source alone (stitched
    within itself), ``"stitched, as-of identity"`` and ``"stitched"``, retroactively.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per model, way of counting and label, and one for conversions without a touchpoint:
        `model`, `counted_by`, what receives credit (`channel`, say), `conversions` (the sum of
        credits), where a value was named `value`, which adds up to the conversions' to the cent
        for each model and way, and `change`: by how much stitching raises the last of these; it
        adds up to 0.
    summary : pandas.DataFrame
        One row per way of counting. Shares of the value, or of the conversions without one:
        `credited` (to a visit at all), `found` (to none here, to one when stitched), `lost` (the
        other way round), and a ``moved_<model>`` each (to visits both times, but from one label
        to another).
    models : tuple of str
    by : str
        What receives credit.
    value : str or None
    lookback : pandas.Timedelta
    conversion : str
        The name of the converting event.
    """

    _shares: ClassVar[Mapping[str, str]] = {"credited": "total", "found": "total", "lost": "total"}

    table: pd.DataFrame
    summary: pd.DataFrame
    models: tuple[str, ...]
    by: str
    value: str | None
    lookback: pd.Timedelta
    conversion: str

    def _described_numbers(self) -> dict[str, Any]:
        one = self.table[
            (self.table["counted_by"] == STITCHED) & (self.table["model"] == self.models[0])
        ]
        return {"total": float(one["conversions" if self.value is None else "value"].sum())}

    def _line(self) -> str:
        what = "conversions" if self.value is None else self.value
        credited = self.summary.set_index("counted_by")["credited"]
        alone = [f"{percentage(credited[way])} by {way}" for way in self._alone()[:1]]
        said = [
            f"{percentage(credited[STITCHED]) or 'nothing'} stitched",
            f"{percentage(credited[AS_OF]) or 'nothing'} under as-of identity",
            *(alone or ["nothing without stitching"]),
        ]
        return (
            f"AttributionLift({self.conversion} by {self.by}; share of {what} with a touch: "
            f"{', '.join(said)})"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        some = self.summary[self.summary["counted_by"].isin([*self._alone(), AS_OF, STITCHED])]
        yield some.assign(**{name: some[name].map(percentage) for name in some.columns[1:]})
        less = len(self.summary) - len(some)
        if less:
            ways = counted(less, "other way", "other ways")
            yield f"{ways} of counting: no touch at all."
        most = "conversions" if self.value is None else self.value
        yield f"{most} by {self.by}, {self.models[0]}"
        yield self._wide()

    def plot(
        self,
        model: str | None = None,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return what each label is credited with, a bar per way of counting visitors.

        Parameters
        ----------
        model : str, optional
            By default the first that was asked for.
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from convergekit.attribution.lift_figure import attribution_lift_figure
        from convergekit.figures.style import Style

        if model is not None and model not in self.models:
            raise ConvergekitError(
                f"model must be one of those that were asked for ({', '.join(self.models)}); got "
                f"{model!r}.{did_you_mean(str(model), self.models)}"
            )
        return attribution_lift_figure(
            self, model or self.models[0], Style(template, width, height)
        )

    def _alone(self) -> list[str]:
        """Return the ways without stitching that credit anything, those that do most first."""
        alone = self.summary[~self.summary["counted_by"].isin([STITCHED, AS_OF])]
        alone = alone[alone["credited"] > 0].sort_values("credited", ascending=False, kind="stable")
        return alone["counted_by"].tolist()

    def _wide(self) -> pd.DataFrame:
        """Return a row per label and a column per way, by the first model."""
        most = "conversions" if self.value is None else "value"
        mine = self.table[self.table["model"] == self.models[0]]
        wide = mine.pivot_table(index=self.by, columns="counted_by", values=most, sort=False)
        wide = wide.reindex(columns=[*self._alone()[:_MOST_ALONE], AS_OF, STITCHED])
        wide.columns.name = None
        return wide.reset_index()


@dataclass(frozen=True)
class WayCredits:
    """The credits of one way of counting, as they are compared.

    Attributes
    ----------
    conversion : numpy.ndarray of int
        Of each credit, which conversion's it is, by number; those of touchpoints first.
    touched : numpy.ndarray of bool
        Which credits are a touchpoint's.
    label : NumberedText
        What each goes to; the texts by the alphabet, and `NONE` last.
    credit, cents : dict of str to numpy.ndarray
        By model, as `Credited` has them.
    """

    conversion: IntArray
    touched: BoolArray
    label: NumberedText
    credit: dict[str, FloatArray]
    cents: dict[str, IntArray]

    @classmethod
    def of(cls, found: Credited) -> WayCredits:
        """Return the credits without their visits."""
        return cls(found.conversion, found.visit >= 0, found.label, found.credit, found.cents)

    @classmethod
    def together(cls, parts: Sequence[WayCredits], place: Sequence[IntArray]) -> WayCredits:
        """Return the credits of several parts; `place` numbers their conversions among all."""
        conversion = np.concatenate(
            [at[one.conversion] for at, one in zip(place, parts, strict=True)]
        )
        touched = np.concatenate([one.touched for one in parts])
        order = np.lexsort((conversion, ~touched))
        texts = pd.concat([one.label.distinct for one in parts]).drop_duplicates()
        texts = pd.concat([texts[texts != NONE].sort_values(), pd.Series([NONE], dtype="str")])
        known = pd.Index(texts)
        codes = [known.get_indexer(one.label.distinct)[one.label.codes] for one in parts]

        def of_models(name: str) -> dict[str, Any]:
            models = getattr(parts[0], name)
            found = {m: np.concatenate([getattr(one, name)[m] for one in parts]) for m in models}
            return {model: values[order] for model, values in found.items()}

        return cls(
            conversion[order],
            touched[order],
            NumberedText(np.concatenate(codes)[order], texts.reset_index(drop=True)),
            of_models("credit"),
            of_models("cents"),
        )


@dataclass(frozen=True)
class LiftCredits:
    """The credits of all ways of counting.

    Attributes
    ----------
    ways : dict of str to WayCredits
    row : numpy.ndarray of int
        Of the conversions, ascending.
    worth : numpy.ndarray of int or None
        What each conversion is worth in cents; None without a value.
    """

    ways: dict[str, WayCredits]
    row: IntArray
    worth: IntArray | None

    @classmethod
    def together(cls, parts: Sequence[LiftCredits]) -> LiftCredits:
        """Return those of several parts."""
        row = np.concatenate([part.row for part in parts])
        order = np.argsort(row)
        number = np.empty(len(order), dtype=np.int64)
        number[order] = np.arange(len(order))
        place = np.split(number, np.cumsum([len(part.row) for part in parts])[:-1])
        worth = [part.worth for part in parts if part.worth is not None]
        return cls(
            {
                way: WayCredits.together([part.ways[way] for part in parts], place)
                for way in parts[0].ways
            },
            row[order],
            np.concatenate(worth)[order] if worth else None,
        )


@dataclass(frozen=True)
class Ways:
    """By what visitors are counted without stitching.

    Attributes
    ----------
    types : list of str
        The alias types of all events, by the alphabet.
    pairs : pandas.DataFrame
        Their sources, as `sources_of_exports` returns them.
    """

    types: list[str]
    pairs: pd.DataFrame

    @classmethod
    def of(cls, s: StitchedEvents) -> Ways:
        """Return those of stitched events."""
        return cls(list(s.resolution.aliases.types.categories), sources_of_exports(s.events))

    @classmethod
    def together(cls, parts: Sequence[Ways]) -> Ways:
        """Return those of several parts."""
        pairs = pd.concat([part.pairs for part in parts], ignore_index=True)
        types = {name for part in parts for name in part.types}
        return cls(sorted(types), pairs.drop_duplicates(ignore_index=True))

    def visitors(self, s: StitchedEvents) -> dict[str, IntArray]:
        """Return the visitor of each event by every way; the stitched ones come last."""
        named = origin_names(self.pairs)
        sources = {named.get(one.export, one.source) for one in self.pairs.itertuples()}
        every = [("alias", name) for name in self.types] + [("source", one) for one in sources]
        here = ways_by_kind(s, named)
        nobody = np.full(len(s.events), -1, dtype=np.int64)
        ways = sorted([*every, STITCHED_WAY], key=in_order)
        return {said(way): here.get(way, nobody) for way in ways}


def attribution_lift(s: StitchedEvents, question: Question) -> AttributionLift:
    """Return the attribution per way of counting visitors. See `Stitched.attribution_lift`."""
    return lift_of_credits(lift_credits(s, question), question)


def compared_by_way(
    s: StitchedEvents, question: Question, ways: Ways
) -> dict[str, ComparedJourneys]:
    """Return what data-driven models look at, by way of counting."""
    attributor = Attributor(s, question)
    return {
        way: attributor.journeyed(visitor, as_of=as_of).compared(question.models)
        for way, (visitor, as_of) in _visitors(s, ways).items()
    }


def lift_credits(
    s: StitchedEvents,
    question: Question,
    ways: Ways | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
) -> LiftCredits:
    """Return the credits of all ways of counting.

    Parameters
    ----------
    s : StitchedEvents
    question : Question
    ways : Ways, optional
        Those of all events, where these are some of more.
    effects : mapping of str to pandas.DataFrame, optional
        By way, what data-driven models found of all journeys, likewise.
    """
    attributor = Attributor(s, question)
    given = effects or {}
    found = {
        way: attributor.credited(visitor, as_of=as_of, effects=given.get(way))
        for way, (visitor, as_of) in _visitors(s, ways).items()
    }
    row = s.events["row"].to_numpy(dtype=np.int64)[attributor.positions]
    return LiftCredits(
        {way: WayCredits.of(credited) for way, credited in found.items()}, row, attributor.cents
    )


def _visitors(s: StitchedEvents, ways: Ways | None) -> dict[str, tuple[IntArray, bool]]:
    """Return the visitors of each way, and whether a touch must have been known by then."""
    found = (ways or Ways.of(s)).visitors(s)
    stitched = found.pop(STITCHED)
    alone = {way: (visitor, False) for way, visitor in found.items()}
    return {**alone, AS_OF: (stitched, True), STITCHED: (stitched, False)}


def lift_of_credits(found: LiftCredits, question: Question) -> AttributionLift:
    """Return the attribution per way of counting, from the credits of all conversions."""
    labels, codes = _label_codes(found.ways)
    shared = _Shared(found, codes, labels, question.models)
    return AttributionLift(
        table=_table(shared, question),
        summary=_summary(shared),
        models=question.models,
        by=question.by,
        value=question.value,
        lookback=parse_duration(question.lookback, name="lookback"),
        conversion=as_steps([question.conversion])[0].title,
    )


@dataclass(frozen=True)
class _Shared:
    """Credits by way of counting, their labels as numbers of one list."""

    found: LiftCredits
    codes: dict[str, IntArray]
    labels: pd.Index
    models: tuple[str, ...]

    @property
    def ways(self) -> dict[str, WayCredits]:
        return self.found.ways

    def amounts(self, way: str, model: str) -> FloatArray | IntArray:
        """Return of each credit its cents, or its share without a value."""
        credited = self.ways[way]
        return credited.credit[model] if self.found.worth is None else credited.cents[model]

    def touched(self, way: str) -> BoolArray:
        """Return which conversions have a touch."""
        credited = self.ways[way]
        some = np.zeros(len(self.found.row), dtype=bool)
        some[credited.conversion[credited.touched]] = True
        return some


def _label_codes(found: Mapping[str, WayCredits]) -> tuple[pd.Index, dict[str, IntArray]]:
    """Return the labels of all ways, and those of each way's credits as numbers of them."""
    every = pd.concat([credited.label.distinct for credited in found.values()])
    number, labels = pd.factorize(every)
    ends = np.cumsum([len(credited.label.distinct) for credited in found.values()])
    numbers = np.split(number.astype(np.int64), ends[:-1])
    codes = {
        name: of_way[credited.label.codes]
        for (name, credited), of_way in zip(found.items(), numbers, strict=True)
    }
    # A label may be one of visits that led to no conversion alone.
    used = distinct(np.concatenate(list(codes.values())))
    return labels.take(used), {name: np.searchsorted(used, of) for name, of in codes.items()}


def _table(shared: _Shared, question: Question) -> pd.DataFrame:
    size, has_value = len(shared.labels), question.value is not None
    parts = []
    for model in shared.models:
        stitched = _by_label(shared, STITCHED, model, size)
        most = stitched["cents" if has_value else "conversions"]
        order = np.lexsort((shared.labels, -most, shared.labels == NONE))
        for way in shared.ways:
            sums = _by_label(shared, way, model, size)
            part = {"model": model, "counted_by": way, question.by: shared.labels.take(order)}
            part["conversions"] = sums["conversions"][order]
            if has_value:
                # Whole cents are taken from each other: their hundredths leave a rest.
                part["value"] = sums["cents"][order] / 100
                part["change"] = (stitched["cents"] - sums["cents"])[order] / 100
            else:
                part["change"] = (stitched["conversions"] - sums["conversions"])[order]
            parts.append(pd.DataFrame(part))
    table = pd.concat(parts, ignore_index=True)
    return table.astype(dict.fromkeys(("model", "counted_by", question.by), "str"))


def _by_label(shared: _Shared, way: str, model: str, size: int) -> dict[str, FloatArray]:
    credited, code = shared.ways[way], shared.codes[way]
    amounts = {"conversions": credited.credit[model]}
    if credited.cents:
        amounts["cents"] = credited.cents[model].astype(np.float64)
    return {
        name: np.bincount(code, amount, minlength=size).astype(np.float64)
        for name, amount in amounts.items()
    }


def _summary(shared: _Shared) -> pd.DataFrame:
    weight = np.ones(len(shared.found.row))
    if shared.found.worth is not None:
        # What is taken back weighs as much as what is brought.
        weight = np.abs(shared.found.worth).astype(np.float64)
    total = weight.sum()
    stitched, rows = shared.touched(STITCHED), []
    for way in shared.ways:
        here = shared.touched(way)
        row = {"credited": weight[here].sum()}
        row |= {"found": weight[stitched & ~here].sum(), "lost": weight[here & ~stitched].sum()}
        for model in shared.models:
            moved = _moved(shared, way, model)
            row[f"moved_{model}"] = moved[here & stitched].sum()
        rows.append(
            {"counted_by": way} | {k: v / total if total else np.nan for k, v in row.items()}
        )
    return pd.DataFrame(rows).astype({"counted_by": "str"})


def _moved(shared: _Shared, way: str, model: str) -> FloatArray:
    """Return how much of each conversion goes from one label to another when stitched."""
    size = len(shared.labels)
    keys = [shared.ways[name].conversion * size + shared.codes[name] for name in (way, STITCHED)]
    amounts = [-shared.amounts(way, model), shared.amounts(STITCHED, model)]
    distinct, which = np.unique(np.concatenate(keys), return_inverse=True)
    change = np.bincount(which, np.concatenate(amounts), minlength=len(distinct))
    conversions = len(shared.found.row)
    # What one label gains another loses.
    return np.bincount(distinct // max(size, 1), np.abs(change), minlength=conversions) / 2
