"""`StitchedParts`: what `stitch` returns by parts: tables in parts, and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from convergekit.base.grouping import order_of
from convergekit.base.wording import counted
from convergekit.diagnostics.lost_rows import vanished_names
from convergekit.diagnostics.report import EXAMPLE_ROWS, Faults, with_vanished
from convergekit.events.arrow import with_python_lists
from convergekit.events.calendar import Calendar
from convergekit.events.currencies import check_rates
from convergekit.events.observed import moment
from convergekit.events.schema import PROFILE
from convergekit.events.timestamps import microseconds
from convergekit.figures.calls import KeepsCalls
from convergekit.figures.frame import AnswerFrame
from convergekit.parts.answers.identity import order_of_aliases
from convergekit.parts.answers.report import faults_of, report_of
from convergekit.parts.answers.warned import KeptInParts, lost_in_parts, shared_in_parts
from convergekit.parts.rows import ROW
from convergekit.parts.stitching import Run
from convergekit.parts.tables import PartsTable, below_each_other
from convergekit.visible import visible

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl
    import pyarrow as pa

    from convergekit.activity.clocks import Periods
    from convergekit.activity.cohorts import Mode
    from convergekit.activity.counts import Measure
    from convergekit.activity.retention import Cohort, Retention
    from convergekit.attribution.lift import AttributionLift
    from convergekit.attribution.question import Direct, Otherwise, Repeats, Touches
    from convergekit.attribution.result import Attribution
    from convergekit.attribution.without_campaign import WithoutCampaign
    from convergekit.base.durations import Duration
    from convergekit.certainty.asked import AskedOf
    from convergekit.change.asking import Period
    from convergekit.change.compared import ComparedStitching
    from convergekit.change.factors import Number
    from convergekit.change.result import Why
    from convergekit.customers.result import Customers
    from convergekit.diagnostics.explain import Explanation
    from convergekit.diagnostics.hindsight import Hindsight
    from convergekit.diagnostics.orphans import Orphans
    from convergekit.diagnostics.report import Report
    from convergekit.diagnostics.what_if import WhatIf
    from convergekit.events.steps import ExclusionLike, StepLike, Where
    from convergekit.experiments.power import ExperimentPower
    from convergekit.experiments.result import Experiment
    from convergekit.explore.explorer import Explorer
    from convergekit.explore.offered import Offered
    from convergekit.figures.figure import Figure
    from convergekit.figures.frame import DrawnFrame
    from convergekit.figures.style import Template
    from convergekit.fixes.result import NextFix
    from convergekit.funnels.options import Within
    from convergekit.funnels.result import Funnel
    from convergekit.funnels.vendors.presets import (
        ByStep,
        Count,
        Entry,
        Like,
        OnExclude,
        Order,
        RangeAppliesTo,
        Ties,
    )
    from convergekit.identity.conditions import ProfileCondition
    from convergekit.identity.tables import HasTables
    from convergekit.journeys.result import Journeys
    from convergekit.marketing.matches import SpendMatches
    from convergekit.marketing.question import Dated, New, Refunds
    from convergekit.marketing.result import Marketing
    from convergekit.parts.answers.one_profile import Lookup
    from convergekit.privacy.forget import Forgotten
    from convergekit.reconcile.platforms import Dated as ClaimDated
    from convergekit.reconcile.platforms import Windows
    from convergekit.reconcile.result import Reconciliation
    from convergekit.report.about import About
    from convergekit.report.questions import Questions
    from convergekit.spend.result import Spend
    from convergekit.visits.channels import ChannelRule
    from convergekit.visits.entry import Label
    from convergekit.visits.rules import Visits
    from convergekit.watching.watched import WatchedStitching

Question = TypeVar("Question")


@dataclass(frozen=True, eq=False, repr=False)
class StitchedParts(KeepsCalls):
    """Events stitched into profiles part by part, for those that do not fit into memory.

    Its members mean what those of `Stitched` mean. Tables are files of the workdir,
    below each other when they are asked for; an answer loads one part after the other.

    See Also
    --------
    stitch : Makes one, with `workdir` or `memory`.
    """

    _run: Run
    _call = "s"

    @property
    def workdir(self) -> Path:
        """The directory with the files; without `workdir=` it goes when this does."""
        return self._run.workdir.path

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return self._run.workdir.done.parts

    @property
    def identity(self) -> str:
        """``"retroactive"`` or ``"as_of"``."""
        return self._run.options.identity

    @property
    def browser_alias(self) -> str:
        """The alias type of a browser session."""
        return self._run.options.browser_alias

    def __repr__(self) -> str:
        """Return the counts in one line."""
        report = self._counts
        counts = [
            counted(report.events, "event"),
            counted(sum(report.duplicates.values()), "duplicate"),
            f"{sum(report.rejected.values()):,} rejected",
        ]
        segment = ""
        if report.segment:
            counts.append(f"{sum(report.left_out.values()):,} left out")
            segment = f"; segment: {visible(report.segment)}"
        return (
            f"StitchedParts({', '.join(counts)}; {counted(report.aliases, 'alias', 'aliases')}, "
            f"{counted(report.profiles, 'profile')}{segment}; {counted(self.parts, 'part')})"
        )

    def _repr_html_(self) -> str:
        return self.report._repr_html_()

    @property
    def events(self) -> PartsTable:
        """One row per kept event, as `Stitched.events`; in memory by `row`."""
        return self._table("events", _by_row)

    @property
    def profiles(self) -> PartsTable:
        """One row per profile, as `Stitched.profiles`; in memory earliest first."""
        return self._table("profiles", _profiles)

    @property
    def aliases(self) -> PartsTable:
        """One row per alias, as `Stitched.aliases`; in memory earliest first."""
        return self._table("aliases", _aliases)

    @property
    def duplicates(self) -> PartsTable:
        """One row per dropped copy of an event, as `Stitched.duplicates`; in memory by `row`."""
        return self._table("duplicates", _by_row)

    @property
    def rejected(self) -> PartsTable:
        """One row per row that is not an event, as `Stitched.rejected`; in memory by `row`."""
        return self._table("rejected", _by_row)

    @cached_property
    def report(self) -> Report:
        """The report, as `Stitched.report`: the parts' added up."""
        run, counts = self._run, self._counts
        facts, rejected = run.facts, self.rejected.to_pandas()
        found = [Faults(**part.faults) for part in run.about]
        faults = replace(faults_of(found), far=self._far())
        kept = KeptInParts(self.events, self.duplicates, rejected, counts.events)
        shared = shared_in_parts(run.about, self.aliases)
        warnings = [
            *lost_in_parts(run.about, kept, run.remarks),
            *faults.warnings(run.options.observed_until, facts.observed.end),
            *([shared] if shared else []),
        ]
        return replace(
            counts,
            coverage=with_vanished(counts.coverage, vanished_names(rejected, facts.event_names)),
            warnings=warnings,
            own_pages=self._own_pages(),
        )

    def funnel(
        self,
        steps: Sequence[StepLike],
        *,
        within: Within | None = None,
        order: Order = "ordered",
        exclude: ExclusionLike | Sequence[ExclusionLike] = (),
        on_exclude: OnExclude | None = None,
        hold: str | Sequence[str] = (),
        by: str | Sequence[str] = (),
        by_step: ByStep | None = None,
        label: Label | None = None,
        top: int | None = None,
        start: Any = None,
        end: Any = None,
        range_applies_to: RangeAppliesTo | None = None,
        entry: Entry | None = None,
        ties: Ties | None = None,
        tolerance: Duration | None = None,
        count: Count = "profiles",
        freq: str | None = None,
        calendar: str | None = None,
        visits: Visits | None = None,
        like: Like | None = None,
    ) -> Funnel:
        """Count how far profiles get along the steps, as `Stitched.funnel`.

        A profile that enters takes about 100 bytes. `Funnel.conversions` is by the rows of the
        events; a figure, a trend and `drop_offs` go through the parts again.

        Examples
        --------
        >>> import tempfile
        >>> import convergekit as ck
        >>> with tempfile.TemporaryDirectory() as workdir:
        ...     s = ck.stitch(ck.simulate_store().events, workdir=workdir)
        ...     s.funnel(["PageView", "Added To Cart", "Placed Order"], within="7D")
        Funnel(PageView 60 → Added To Cart 30 → Placed Order 18; within 7 days)
        """
        from convergekit.funnels.options import FunnelQuestion
        from convergekit.parts.answers.funnel import funnel_by_parts

        question = FunnelQuestion.of(
            steps,
            within=within,
            order=order,
            exclude=exclude,
            on_exclude=on_exclude,
            hold=hold,
            by=by,
            by_step=by_step,
            label=label,
            top=top,
            start=start,
            end=end,
            range_applies_to=range_applies_to,
            entry=entry,
            ties=ties,
            tolerance=tolerance,
            count=count,
            freq=freq,
            calendar=calendar,
            visits=visits,
            like=like,
            usual=self._run.options.calendar,
        )
        return funnel_by_parts(question, self._run.of_each)

    def retention(
        self,
        start: StepLike = "PageView",
        returns: StepLike = "PageView",
        *,
        freq: str = "W",
        mode: Mode = "on",
        cohort: Cohort = "first",
        periods: Periods = "calendar",
        where: Where | None = None,
        by: str | Sequence[str] = (),
        label: Label = "visit",
        top: int | None = None,
        calendar: str | None = None,
        visits: Visits | None = None,
    ) -> Retention:
        """Return how many profiles come back after an event, as `Stitched.retention`."""
        from convergekit.activity.retention import RetentionAsked, RetentionQuestion
        from convergekit.parts.answers.activity import retention_by_parts

        asked = RetentionQuestion.of(
            start,
            returns,
            freq=freq,
            mode=mode,
            cohort=cohort,
            periods=periods,
            where=where,
            by=by,
            label=label,
            top=top,
        )
        found = retention_by_parts(asked, self._run.of_each, calendar, visits)
        return replace(found, _asked=self._asked(RetentionAsked(asked, calendar, visits)))

    def counts(
        self,
        event: StepLike | None = None,
        *,
        freq: str = "D",
        measure: Measure = "events",
        value: str | None = None,
        by: str | Sequence[str] = (),
        label: Label = "visit",
        top: int | None = None,
        calendar: str | None = None,
        visits: Visits | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> DrawnFrame:
        """Count events, or the profiles that have them, by period, as `Stitched.counts`."""
        from convergekit.activity.counts import CountsQuestion
        from convergekit.parts.answers.activity import counts_by_parts

        asked = CountsQuestion.of(
            event,
            freq=freq,
            measure=measure,
            value=value,
            by=by,
            label=label,
            top=top,
            currency=currency,
            rates=rates,
        )
        return counts_by_parts(asked, self._run.of_each, calendar, visits)

    def customers(
        self,
        order: StepLike = "Placed Order",
        value: str | None = "total_price",
        refund: StepLike | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        *,
        refund_value: str | None = None,
        calendar: str | None = None,
    ) -> Customers:
        """Return customers' orders, as `Stitched.customers`."""
        from convergekit.customers.result import customers
        from convergekit.parts.answers.activity import events_by_parts

        steps = [step for step in (order, refund) if step is not None]
        events = events_by_parts(self._run.of_each, steps)
        found = customers(
            events,
            order,
            value,
            refund,
            currency,
            rates,
            refund_value=refund_value,
            calendar=Calendar.of(calendar, usual=self._run.options.calendar),
            span=self._run.facts.observed,
        )
        return replace(found, _asked=self._asked(True))

    def experiment(
        self,
        variant: str,
        goal: StepLike = "Placed Order",
        *,
        exposure: StepLike | None = None,
        control: str = "control",
        within: Duration = "7D",
        before: Duration | None = None,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        ratio: Mapping[str, float] | None = None,
        confidence: float = 0.95,
        sequential: int | None = None,
    ) -> Experiment:
        """Return what a variant changed, as `Stitched.experiment`."""
        from convergekit.experiments.question import ExperimentQuestion
        from convergekit.parts.answers.experiment import experiment_by_parts

        asked = ExperimentQuestion.of(
            variant,
            goal,
            exposure=exposure,
            control=control,
            within=within,
            before=before,
            value=value,
            currency=currency,
            rates=rates,
            ratio=ratio,
            confidence=confidence,
            sequential=sequential,
        )
        return experiment_by_parts(asked, self._run.of_each)

    def experiment_power(
        self,
        goal: StepLike = "Placed Order",
        *,
        exposure: StepLike = "PageView",
        effect: float | Sequence[float] = 0.05,
        within: Duration = "7D",
        before: Duration | None = None,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        arms: int = 2,
        traffic: float = 1.0,
        power: float = 0.8,
        confidence: float = 0.95,
    ) -> ExperimentPower:
        """Return how long an experiment has to run, as `Stitched.experiment_power`."""
        from convergekit.experiments.power import PowerQuestion
        from convergekit.parts.answers.experiment import power_by_parts

        asked = PowerQuestion.of(
            goal,
            exposure=exposure,
            effect=effect,
            within=within,
            before=before,
            value=value,
            currency=currency,
            rates=rates,
            arms=arms,
            traffic=traffic,
            power=power,
            confidence=confidence,
        )
        return power_by_parts(asked, self._run.of_each)

    def sessions(
        self,
        timeout: Duration | None = None,
        new_on: Iterable[str] | None = None,
        *,
        visits: Visits | None = None,
        conversion: StepLike | None = None,
        rules: Sequence[ChannelRule] | None = None,
    ) -> AnswerFrame:
        """Return each profile's sessions, as `Stitched.sessions`, in memory."""
        from convergekit.parts.answers.visits import sessions_by_parts
        from convergekit.visits.rules import VisitRules

        asked = VisitRules.of(visits, timeout=timeout, new_on=new_on, rules=rules)
        return AnswerFrame.of(sessions_by_parts(self._run.of_each, asked, conversion))

    def attribution(
        self,
        conversion: StepLike,
        value: str | None = None,
        model: str | Sequence[str] = "last_touch",
        lookback: Duration = "30D",
        by: str = "channel",
        *,
        otherwise: Otherwise | None = None,
        direct: Direct = "touch",
        weights: tuple[float, float, float] = (0.4, 0.2, 0.4),
        half_life: Duration = "7D",
        mixed_currencies: bool = False,
        touches: Touches = "all",
        brand: str | None = None,
        repeats: Repeats = "count",
        whole_days: bool = False,
        visits: Visits | None = None,
        timeout: Duration | None = None,
        new_on: Iterable[str] | None = None,
        rules: Sequence[ChannelRule] | None = None,
    ) -> Attribution:
        """Credit conversions to visits, as `Stitched.attribution`.

        For `markov` and `shapley`, which compare all journeys, the parts are gone through twice.
        """
        from convergekit.attribution.question import Question
        from convergekit.parts.answers.visits import attribution_by_parts

        asked = Question.of(
            conversion,
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
            visits=visits,
            timeout=timeout,
            new_on=new_on,
            rules=rules,
        )
        found = attribution_by_parts(self._run.of_each, asked)
        return replace(found, _asked=self._asked(asked))

    def attribution_lift(
        self,
        conversion: StepLike,
        value: str | None = None,
        model: str | Sequence[str] = "last_touch",
        lookback: Duration = "30D",
        by: str = "channel",
        *,
        otherwise: Otherwise | None = None,
        direct: Direct = "touch",
        weights: tuple[float, float, float] = (0.4, 0.2, 0.4),
        half_life: Duration = "7D",
        mixed_currencies: bool = False,
        touches: Touches = "all",
        brand: str | None = None,
        repeats: Repeats = "count",
        whole_days: bool = False,
        visits: Visits | None = None,
        timeout: Duration | None = None,
        new_on: Iterable[str] | None = None,
        rules: Sequence[ChannelRule] | None = None,
    ) -> AttributionLift:
        """Compare attribution with that without stitching, as `Stitched.attribution_lift`."""
        from convergekit.attribution.question import Question
        from convergekit.parts.answers.credit_lift import attribution_lift_by_parts

        asked = Question.of(
            conversion,
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
            visits=visits,
            timeout=timeout,
            new_on=new_on,
            rules=rules,
        )
        return attribution_lift_by_parts(self._run.of_each, asked)

    def journeys(
        self,
        start: StepLike | Sequence[StepLike] | None = None,
        end: StepLike | Sequence[StepLike] | None = None,
        events: Sequence[StepLike] | None = None,
        max_steps: int = 5,
        value: str | None = None,
        *,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> Journeys:
        """Return the paths that profiles take to an event, or from one, as `Stitched.journeys`.

        An event of a journey takes 40 bytes. `differences` goes through the parts again.
        """
        from convergekit.journeys.question import JourneysQuestion
        from convergekit.parts.answers.journeys import journeys_by_parts

        asked = JourneysQuestion.of(start, end, events, max_steps, value, currency, rates)
        return journeys_by_parts(asked, self._run.of_each, self._run.data_end)

    def where(
        self,
        *,
        profiles: ProfileCondition | Sequence[ProfileCondition] | None = None,
        events: Where | None = None,
    ) -> StitchedParts:
        """Return a segment, as `Stitched.where`: of which the same can be asked, by parts.

        The parts are gone through, and the segment's tables are written below the workdir, where
        they are for as long as it is used. A function of the profiles gets the table of all of
        them; one of the events gets those of one part at a time, and is to look at each by itself.
        """
        from convergekit.parts.answers.segments import where_by_parts

        return StitchedParts(
            where_by_parts(self._run, profiles, events, lambda: self.profiles.to_pandas())
        )

    def match_spend(
        self,
        spend: pd.DataFrame | Spend,
        mapping: pd.DataFrame | Mapping[Any, str] | None = None,
        visits: Visits | None = None,
        *,
        rates: Mapping[str, float] | None = None,
    ) -> SpendMatches:
        """Join spend to visits, as `Stitched.match_spend`."""
        from convergekit.parts.answers.marketing import match_spend_by_parts

        return match_spend_by_parts(self._run.of_each, spend, mapping, visits, rates)

    def marketing(
        self,
        spend: pd.DataFrame | Spend,
        *,
        conversion: StepLike = "Placed Order",
        value: str = "total_price",
        freq: str = "M",
        by: str | Sequence[str] = "channel",
        model: str = "last_touch",
        lookback: Duration = "30D",
        dated: Dated = "order",
        new: New = "first_ever",
        minus: str | Sequence[str] = (),
        refund: StepLike | None = None,
        refund_value: str | None = None,
        refunds: Refunds = "order",
        order_id: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        mapping: pd.DataFrame | Mapping[Any, str] | None = None,
        add_to_cart: StepLike | None = None,
        checkout: StepLike | None = None,
        confidence: float = 0.95,
        calendar: str | None = None,
        visits: Visits | None = None,
    ) -> Marketing:
        """Return spend beside what it brought, as `Stitched.marketing`."""
        from convergekit.marketing.question import MarketingQuestion
        from convergekit.parts.answers.marketing import marketing_by_parts

        asked = MarketingQuestion.of(
            conversion,
            value=value,
            freq=freq,
            by=by,
            model=model,
            lookback=lookback,
            dated=dated,
            new=new,
            minus=minus,
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
            calendar=Calendar.of(calendar, usual=self._run.options.calendar),
            visits=visits,
        )
        until = self._run.options.observed_until
        found, known = marketing_by_parts(self._run.of_each, spend, asked, until)
        return replace(found, _asked=self._asked(known))

    def reconcile(
        self,
        spend: pd.DataFrame | Spend,
        *,
        conversion: StepLike = "Placed Order",
        value: str | None = "total_price",
        windows: Windows | None = None,
        dated: Mapping[str, ClaimDated] | None = None,
        start: Any = None,
        end: Any = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        visits: Visits | None = None,
    ) -> Reconciliation:
        """Hold what platforms claim against the orders, as `Stitched.reconcile`."""
        from convergekit.parts.answers.claims import reconcile_by_parts
        from convergekit.parts.view import View
        from convergekit.reconcile.compare import ReconcileQuestion, of_a_segment
        from convergekit.visits.rules import VisitRules

        run = self._run
        if isinstance(run, View) and run.is_segment:
            raise of_a_segment()
        asked = ReconcileQuestion(conversion, value, currency, rates, VisitRules.of(visits))
        return reconcile_by_parts(
            run.of_each,
            spend,
            asked,
            run.facts.observed,
            run.options.calendar,
            windows=windows,
            dated=dated,
            start=start,
            end=end,
        )

    def without_campaign(
        self,
        conversion: StepLike,
        value: str | None = None,
        lookback: Duration = "30D",
        *,
        visits: Visits | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> WithoutCampaign:
        """Say why conversions have no campaign, as `Stitched.without_campaign`."""
        from convergekit.attribution.question import Question
        from convergekit.parts.answers.visits import without_campaign_by_parts
        from convergekit.visits.rules import VisitRules

        asked = Question(conversion=conversion, lookback=lookback, visits=VisitRules.of(visits))
        return without_campaign_by_parts(self._run.of_each, asked, value, currency, rates)

    def without(
        self,
        alias: str | Iterable[str],
        *,
        event: StepLike | None = "Placed Order",
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        carried: str | Sequence[str] | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration | None = None,
    ) -> WhatIf[StitchedParts]:
        """Compare the results with those if an alias had not been sent, as `Stitched.without`.

        `.stitched` is computed by parts like this; its tables are written below the workdir, where
        they are for as long as it is used.
        """
        from convergekit.diagnostics.what_if import WhatIfQuestion
        from convergekit.parts.answers.what_if import what_if_by_parts

        asked = WhatIfQuestion.of(event, value, currency, rates, carried, steps, within)
        return what_if_by_parts(self._run, lambda: self._lookup, alias, asked, StitchedParts)

    def forget(self, alias_or_profile: str) -> Forgotten[StitchedParts]:
        """Delete a person (GDPR), as `Stitched.forget`: return everything without them.

        **The person is still on the disk**: in the rows and tables of the run's workdir, of which
        `.stitched` is another view, without them. To delete them there, too, take them out of the
        source, stitch it again into another workdir, and remove this one. What needs a name
        instead of an address is numbered through the parts: which is ``(erased 2)`` may differ
        from memory.
        """
        from convergekit.parts.answers.forget import forget_by_parts
        from convergekit.parts.view import View
        from convergekit.privacy.forget import of_a_segment

        run = self._run
        if isinstance(run, View) and run.is_segment:
            raise of_a_segment()
        part = self._lookup.part_of(alias_or_profile)
        return forget_by_parts(run, part, alias_or_profile, StitchedParts)

    def why(
        self,
        a: HasTables | StitchedParts | Period,
        b: Period | None = None,
        *,
        number: Number = "conversion",
        steps: Sequence[StepLike] | None = None,
        within: Duration = "7D",
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        by: str | Iterable[str] | None = None,
        spend: pd.DataFrame | Spend | None = None,
        confidence: float = 0.95,
    ) -> Why:
        """Split the difference of a number between two periods, as `Stitched.why`.

        All events of those who were there in either period are gathered in memory, with all their
        properties; of another stitching, ``a.why(b)``, all events of both.
        """
        from convergekit.change.asking import why

        return why(
            self._compared,
            a,
            b,
            number=number,
            steps=steps,
            within=within,
            value=value,
            currency=currency,
            rates=rates,
            by=by,
            spend=spend,
            confidence=confidence,
        )

    def next_fix(
        self,
        event_name: StepLike,
        *,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration | None = None,
    ) -> NextFix:
        """Return which change of the tracking would tell most, as `Stitched.next_fix`.

        Names, times and aliases of all events are gathered in memory, without their properties.
        """
        from convergekit.parts.gathered.next_fix import next_fix_by_parts

        return next_fix_by_parts(
            self._run,
            event_name,
            value=value,
            currency=currency,
            rates=rates,
            steps=steps,
            within=within,
        )

    @cached_property
    def _compared(self) -> ComparedStitching:
        from convergekit.parts.gathered.periods import ComparedParts

        return ComparedParts(self._run)

    @property
    def _watched(self) -> WatchedStitching:
        from convergekit.parts.answers.watched import WatchedParts

        return WatchedParts(self._run)

    # Identity and diagnosis.

    @cached_property
    def alias_graph(self) -> nx.Graph[str]:
        """The alias graph in memory, as `Stitched.alias_graph`."""
        from convergekit.parts.answers.identity import alias_graph_by_parts

        return alias_graph_by_parts(self._run.of_each)

    @cached_property
    def suspects(self) -> AnswerFrame:
        """Profiles that look over-merged, as `Stitched.suspects`."""
        from convergekit.parts.answers.identity import suspects_by_parts

        return AnswerFrame.of(suspects_by_parts(self._run.of_each))

    @cached_property
    def refused_links(self) -> pd.DataFrame:
        """The links that `limits` refused, as `Stitched.refused_links`."""
        from convergekit.parts.answers.identity import refused_links_by_parts

        priority = self._run.options.protection.priority
        return refused_links_by_parts(self._run.of_each, priority)

    @cached_property
    def profile_merges(self) -> pd.DataFrame:
        """Which profile IDs were replaced by which, as `Stitched.profile_merges`."""
        from convergekit.parts.answers.identity import profile_merges_by_parts

        return profile_merges_by_parts(self._run.of_each)

    def provenance(self, name: str) -> pd.DataFrame:
        """Return the event that each value was carried from, as `Stitched.provenance`."""
        from convergekit.parts.answers.identity import provenance_by_parts

        return provenance_by_parts(self._run.of_each, name)

    def property_coverage(self, event_name: StepLike | None = None) -> DrawnFrame:
        """Return how many events have each property, as `Stitched.property_coverage`."""
        from convergekit.parts.answers.identity import property_coverage_by_parts

        return property_coverage_by_parts(self._run.of_each, event_name)

    def explain(self, alias_a: str, alias_b: str) -> Explanation:
        """Explain why two aliases are linked, as `Stitched.explain`: one part is asked."""
        from convergekit.parts.answers.one_profile import explain_by_parts

        return explain_by_parts(self._run.of_one, self._lookup, alias_a, alias_b)

    def profile(self, alias_or_id: str) -> DrawnFrame:
        """Return one profile's timeline, as `Stitched.profile`: one part is asked."""
        from convergekit.parts.answers.one_profile import profile_by_parts

        return profile_by_parts(self._run.of_one, self._lookup, alias_or_id)

    def plot_profile_graph(
        self,
        alias_or_id: str,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw one profile's graph, as `Stitched.plot_profile_graph`: one part is asked."""
        from convergekit.figures.style import Style
        from convergekit.parts.answers.one_profile import profile_graph_by_parts

        style = Style(template, width, height)
        return profile_graph_by_parts(self._run.of_one, self._lookup, alias_or_id, style)

    def orphans(self, event_name: StepLike) -> Orphans:
        """Return the events that had not reached a browser session, as `Stitched.orphans`."""
        from convergekit.parts.answers.identity import orphans_by_parts

        return orphans_by_parts(self._run.of_each, event_name)

    def alias_coverage(self, event_name: StepLike) -> pd.DataFrame:
        """Measure which alias types link events to a session, as `Stitched.alias_coverage`."""
        from convergekit.parts.answers.identity import alias_coverage_by_parts

        return alias_coverage_by_parts(self._run.of_each, event_name)

    def stitching_lift(
        self,
        steps: Sequence[StepLike],
        *,
        within: Within | None = None,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        carried: str | None = None,
        order: Order = "ordered",
        exclude: ExclusionLike | Sequence[ExclusionLike] = (),
        on_exclude: OnExclude | None = None,
        hold: str | Sequence[str] = (),
        start: Any = None,
        end: Any = None,
        range_applies_to: RangeAppliesTo | None = None,
        entry: Entry | None = None,
        ties: Ties | None = None,
        tolerance: Duration | None = None,
        count: Count = "profiles",
        like: Like | None = None,
    ) -> DrawnFrame:
        """Compare a funnel with itself without stitching, as `Stitched.stitching_lift`."""
        from convergekit.funnels.lift import LiftQuestion
        from convergekit.funnels.options import FunnelQuestion
        from convergekit.parts.answers.lift import stitching_lift_by_parts

        check_rates(value, currency, rates)
        question = FunnelQuestion.of(
            steps,
            within=within,
            order=order,
            exclude=exclude,
            on_exclude=on_exclude,
            hold=hold,
            start=start,
            end=end,
            range_applies_to=range_applies_to,
            entry=entry,
            ties=ties,
            tolerance=tolerance,
            count=count,
            like=like,
            usual=self._run.options.calendar,
        )
        asked = LiftQuestion(question, value, currency, rates, carried)
        return stitching_lift_by_parts(asked, self._run.of_each, self.events)

    def hindsight(
        self,
        event_name: StepLike,
        *,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        carried: str | Sequence[str] | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration | None = None,
    ) -> Hindsight:
        """Return what events reach only through later links, as `Stitched.hindsight`."""
        from convergekit.diagnostics.hindsight import HindsightQuestion
        from convergekit.funnels.options import FunnelQuestion
        from convergekit.parts.answers.hindsight import hindsight_by_parts

        asked = HindsightQuestion.of(event_name, value, currency, rates, carried, steps, within)
        funnel = None
        if asked.funnel is not None:
            usual = self._run.options.calendar
            funnel = FunnelQuestion.of(asked.funnel[0], within=asked.funnel[1], usual=usual)
        return hindsight_by_parts(asked, funnel, self._run.of_each)

    @property
    def _lookup(self) -> Lookup:
        from convergekit.parts.answers.one_profile import Lookup

        types = sorted({name for part in self._run.about for name in part.alias_types})
        here = " of the segment" if self._counts.segment else ""
        return Lookup(self.aliases, self.profiles, self._run.options.rules, types, here)

    def explore(
        self,
        state: Mapping[str, Any] | None = None,
        *,
        spend: pd.DataFrame | Spend | None = None,
        template: Template = "auto",
    ) -> Explorer:
        """Open an explorer in a notebook, as `Stitched.explore`: a redraw goes through the parts.

        Its tabs are there before its first answer is. Meanwhile it says how many parts are done;
        interrupt the kernel to stop it.
        """
        from convergekit.explore.explorer import explore
        from convergekit.parts.progress import progress

        with progress("looking at events"):
            return explore(self, lambda s: s._offered, state, spend, template)

    @cached_property
    def _offered(self) -> Offered:
        from convergekit.explore.offered import Offered
        from convergekit.parts.answers.explored import InParts

        return Offered(InParts(self._run, self._lookup))

    def to_arrow(self) -> pa.Table:
        """Return the events as an Arrow table, as `Stitched.to_arrow`, by `row`, in memory."""
        from convergekit.events.arrow import table_of

        return table_of(self._rows_of_all())

    def to_polars(self) -> pl.DataFrame:
        """Return the events as a Polars frame, as `Stitched.to_polars`, by `row`, in memory."""
        from convergekit.events.arrow import polars_of

        return polars_of(self._rows_of_all())

    def to_parquet(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Save everything as `Stitched.to_parquet`, rows as in memory, never all at once.

        `convergekit.read_stitched` reads it into memory as a `Stitched`.
        """
        from convergekit.parts.answers.saved import save_parts

        return save_parts(self._run, self.report, directory, overwrite=overwrite)

    def to_converge(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write Converge's two tables, as `Stitched.to_converge`, rows as in memory."""
        from convergekit.parts.answers.converge import converge_of_parts

        return converge_of_parts(self._run.of_each, directory, overwrite=overwrite)

    def to_html(
        self,
        path: str | Path,
        questions: Questions | None = None,
        *,
        spend: pd.DataFrame | Spend | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration = "7D",
        by: str | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a report as one HTML file, as `Stitched.to_html`."""
        from convergekit.report.write import write_html

        return write_html(
            self,
            self._about(),
            path,
            questions,
            spend=spend,
            steps=steps,
            within=within,
            by=by,
            overwrite=overwrite,
        )

    def to_excel(
        self,
        path: str | Path,
        questions: Questions | None = None,
        *,
        spend: pd.DataFrame | Spend | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration = "7D",
        by: str | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a report as an Excel workbook, as `Stitched.to_excel`."""
        from convergekit.report.write import write_excel

        return write_excel(
            self,
            self._about(),
            path,
            questions,
            spend=spend,
            steps=steps,
            within=within,
            by=by,
            overwrite=overwrite,
        )

    def to_markdown(
        self,
        path: str | Path,
        questions: Questions | None = None,
        *,
        spend: pd.DataFrame | Spend | None = None,
        steps: Sequence[StepLike] | None = None,
        within: Duration = "7D",
        by: str | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a report as Markdown, as `Stitched.to_markdown`."""
        from convergekit.report.write import write_markdown

        return write_markdown(
            self,
            self._about(),
            path,
            questions,
            spend=spend,
            steps=steps,
            within=within,
            by=by,
            overwrite=overwrite,
        )

    def _asked(self, question: Question) -> AskedOf[Question]:
        """Return what bounds of an answer need."""
        from convergekit.certainty.asked import AskedOf

        segment = bool(self._counts.segment)
        return AskedOf(self._run.of_each, question, segment, self.identity)

    def _about(self) -> About:
        from convergekit.parts.answers.about_all import about_all

        return about_all(self._run, self._counts, self.events)

    def _rows_of_all(self) -> pd.DataFrame:
        table = below_each_other(list(self.events.frames()))
        return table.sort_values(ROW, kind="stable", ignore_index=True)

    @cached_property
    def _counts(self) -> Report:
        """The report without what is said of all events together."""
        run = self._run
        return report_of(run.about, run.witnesses.columns, run.remarks, [], "")

    def _own_pages(self) -> str:
        """Return which sites are the shop's own, in words."""
        return self._run.learned.sites(None).said()

    def _far(self) -> tuple[int, list[Any]]:
        """Return how many events are far from the rest, and the first of them."""
        run, count = self._run, 0
        some: list[tuple[int, pd.Timestamp]] = []
        for number in range(self.parts):
            times = run.times(number, ROW, "timestamp", "received_at")
            at = run.facts.observed.outside(times)
            count += len(at)
            first = times.iloc[at[:EXAMPLE_ROWS]]
            some += zip(first[ROW].tolist(), first["timestamp"], strict=True)
        return count, [[row, moment(time)] for row, time in sorted(some)[:EXAMPLE_ROWS]]

    def _table(self, name: str, finish: Any) -> PartsTable:
        return PartsTable(name, self._run.table_files(name), finish, self._run.workdir)


def _by_row(table: pd.DataFrame) -> pd.DataFrame:
    ordered = table.sort_values(ROW, kind="stable", ignore_index=True)
    return with_python_lists(ordered)


def _profiles(table: pd.DataFrame) -> pd.DataFrame:
    types = sorted(name for name in table.columns if name.startswith("aliases."))
    carried = [name for name in table.columns if name.startswith(PROFILE)]
    own = [name for name in table.columns if name not in (*types, *carried)]
    found = table[[*own, *types, *carried]].fillna(dict.fromkeys(types, 0))
    found = found.astype(dict.fromkeys(types, "int64"))
    order = order_of(microseconds(found["first_seen"]), texts=found["profile_id"])
    return found.take(order).reset_index(drop=True)


def _aliases(table: pd.DataFrame) -> pd.DataFrame:
    return table.take(order_of_aliases(table)).reset_index(drop=True)
