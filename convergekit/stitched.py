"""`Stitched`: what `stitch` returns. Plain DataFrames, and answers about them.

A Stitched is frozen: nothing that is asked of it changes it. Every method is a signature, what it
means, and one call of the answer; the answers are computed from `StitchedEvents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.events.arrow import with_python_lists
from convergekit.events.calendar import Calendar
from convergekit.figures.calls import KeepsCalls
from convergekit.figures.frame import AnswerFrame
from convergekit.identity.tables import StitchedEvents, counts_in_one_line

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
    from convergekit.privacy.forget import Forgotten
    from convergekit.reconcile.platforms import Dated as ClaimDated
    from convergekit.reconcile.platforms import Windows
    from convergekit.reconcile.result import Reconciliation
    from convergekit.report.questions import Questions
    from convergekit.spend.result import Spend
    from convergekit.visits.channels import ChannelRule
    from convergekit.visits.entry import Label
    from convergekit.visits.rules import Visits
    from convergekit.watching.watched import WatchedStitching


@dataclass(frozen=True, eq=False, repr=False)
class Stitched(KeepsCalls):
    """Events stitched into profiles.

    Attributes
    ----------
    events : pandas.DataFrame
        One row per kept event, in input order: the canonical columns, `row` (0-based position
        in the input), `kind` (``"track"`` or ``"identify"``), `profile_id` (missing without a
        usable alias) and `profile.<name>`, the profile properties as known at that event.
    rejected : pandas.DataFrame
        One row per input row that is not an event: `row`, `reason`, and the input's columns.
    identity : str
        ``"retroactive"`` or ``"as_of"``.
    browser_alias : str
        The alias type of a browser session.

    Notes
    -----
    Always: rows in = events + duplicates + rejected; of a segment (`where`) + left out.
    """

    tables: StitchedEvents
    _call = "s"

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row per kept event, in input order; see `Stitched`."""
        return with_python_lists(self.tables.events)

    @cached_property
    def rejected(self) -> pd.DataFrame:
        """One row per input row that is not an event; see `Stitched`."""
        return with_python_lists(self.tables.rejected)

    @property
    def identity(self) -> str:
        """``"retroactive"`` or ``"as_of"``."""
        return self.tables.identity

    @property
    def browser_alias(self) -> str:
        """The alias type of a browser session."""
        return self.tables.browser_alias

    @cached_property
    def _compared(self) -> ComparedStitching:
        from convergekit.change.compared import ComparedInMemory

        return ComparedInMemory(self.tables)

    @cached_property
    def _watched(self) -> WatchedStitching:
        from convergekit.watching.watched import WatchedInMemory

        return WatchedInMemory(self.tables)

    def __repr__(self) -> str:
        """Return the counts in one line."""
        return f"Stitched({counts_in_one_line(self.tables)})"

    def _repr_html_(self) -> str:
        return self.report._repr_html_()

    @property
    def duplicates(self) -> pd.DataFrame:
        """One row per dropped copy of an event.

        Columns: `row`, `kept_row`, `event_id`, `event_name`, `timestamp`, `source`, `repeat`
        (``"identical"``, ``"different content"``, ``"other source"``, ``"other state"`` for an
        earlier or later state of the kept event, or ``"implausible"``), `differs` (the fields whose
        values differ), `conflicts` (those of them in which both copies have a value, none for
        another state) and `lost_aliases` (the copy's aliases that no kept event carries).

        A copy is implausible, whatever else it is, if it has another customer_id, user_id, email or
        phone than the kept event, or lies more than 24 hours from it without a common alias.
        """
        return self.tables.duplicates

    @property
    def aliases(self) -> pd.DataFrame:
        """One row per alias, earliest first.

        Columns: `alias_type`, `alias_value`, `profile_id`, `first_seen`, `last_seen`, `events`.
        """
        return self.tables.aliases

    @property
    def profiles(self) -> pd.DataFrame:
        """One row per profile, earliest first.

        Columns: `profile_id`, `first_seen`, `last_seen`, `events` (identify calls left out),
        `sources` (how many), `aliases` (how many), `has_browser_session`, the number of aliases
        of each type as `aliases.<type>`, and each profile property's latest value as
        `profile.<name>`.
        """
        return self.tables.profiles

    @property
    def alias_graph(self) -> nx.Graph[str]:
        """The alias graph: a node per alias (its URN), an edge per pair that met on an event.

        Nodes carry `alias_type`, `alias_value`, `profile_id`, `first_seen`, `last_seen` and
        `events`; edges carry `events` (how many link the pair), `first_seen`, `row` and
        `event_id` of the first. The connected components are the profiles.
        """
        return self.tables.alias_graph

    @property
    def refused_links(self) -> pd.DataFrame:
        """The links that `limits` refused, in the order of refusal, each pair of aliases once.

        Columns: `alias_a`, `alias_b` (URNs, that of the higher priority first), `profile_id_a`,
        `profile_id_b`, `limited` (the alias type whose limit the merge would have exceeded),
        `limit`, `values` (how many of it the two profiles would have had together when they met),
        `row`, `event_id`, `event_name`, `timestamp` (of the first event on which the two met) and
        `events` (on how many they met).
        """
        return self.tables.refused_links

    @property
    def profile_merges(self) -> pd.DataFrame:
        """Which profile IDs were replaced by which, as a live pipeline would have recorded it.

        One row per ID that was once a profile's and no longer is, in the order of knowing.
        Columns: `timestamp` (when it became known: `received_at` where the events have it),
        `old_profile_id`, `new_profile_id`, and `event_name`, `event_id` and `row` of the event
        that did it. Follow `new_profile_id` from row to row to reach the ID in `profiles`.

        The shape is that of the table `profile_merges` of Converge's BigQuery export.
        """
        return self.tables.profile_merges

    @cached_property
    def suspects(self) -> AnswerFrame:
        """Profiles that look over-merged (several people in one), most suspicious first.

        One row per profile that holds several values of a type of which a person usually has
        one (``customer_id``, ``user_id``, ``email``, ``phone``), or in which a token alone joins
        five browsers or more. ``docs/identity-suspects.md`` says how they are found.

        Columns: `profile_id`; `evidence` (``"strong"``: values of two such types, or three or
        more of one, ``"shared token"``, or ``"weak"``: two values of one type);
        `aliases.<login type>`, `events` and `aliases` (counts); `cut_kind` (``"alias"``,
        ``"event"``, or missing if none was found) with `cut` (the URNs to blame) or `cut_rows`
        (the events' rows); `separates` (two URNs that are then on different profiles); `parts`
        (how many profiles it would become) and `largest_parts` (of the three with the most
        events: `events`, `aliases`, `login_values`, and the first five of these as `logins`);
        `reason`, a sentence; and `repair`, the call that removes the cut.
        """
        from convergekit.diagnostics.suspects import find_suspects

        return AnswerFrame.of(find_suspects(self.tables))

    @cached_property
    def report(self) -> Report:
        """The input, what was left out and why, and what stitching linked."""
        from convergekit.diagnostics.report import make_report

        return make_report(self.tables)

    def where(
        self,
        *,
        profiles: ProfileCondition | Sequence[ProfileCondition] | None = None,
        events: Where | None = None,
    ) -> Stitched:
        """Return a segment: the profiles or the events that meet a condition.

        Identity stays as it is: profile IDs, links and carried values are those of the whole.

        Parameters
        ----------
        profiles : str, mapping, callable, Did, FirstSeen, or sequence of these, optional
            Which profiles, with all their events: a query of the table `profiles` such as
            ``"events > 3"``, a mapping of its columns to a value or a list of values, a function of
            it, or ``ck.Did(name, at_least=2)`` and ``ck.FirstSeen(start="2026-03-01")``. Of
            several, all must hold. ``utm_source`` stands for ``profile.utm_source``, the latest
            value.
        events : str, mapping or callable, optional
            Which events, as ``ck.Step(where=...)``: a query, a mapping of columns to values, or a
            function of the events. Asked after `profiles`.

        Returns
        -------
        Stitched
            Of which everything can be asked but `forget`. Its `report` says what was left out. A
            segment may be empty.

        Raises
        ------
        ConvergekitError
            No condition is given, or one cannot be evaluated.
        ColumnError
            A condition names no column, or one of several.

        Notes
        -----
        `events`, `profiles`, `duplicates` and the answers made of events are of the segment.
        `profiles` counts the segment's events. `aliases`, `alias_graph`, `explain`, `suspects`,
        `refused_links`, `profile_merges` and `provenance` say how its profiles came about, so
        events that are left out may take part. ``docs/segments.md`` says which question asks what.

        A profile that was chosen by what it did in the end had to stay or to buy to be chosen: its
        conversion cannot be compared with that of other profiles, and the report says so.

        See Also
        --------
        convergekit.Did, convergekit.FirstSeen

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> new = s.where(profiles=ck.FirstSeen(start="2026-03-02", end="2026-03-08"))
        >>> new.funnel(["PageView", "Added To Cart", "Placed Order"], within="7D")
        Funnel(PageView 24 → Added To Cart 12 → Placed Order 6; within 7 days)
        >>> s.where(events={"source": "browser"}).report
        Report(445 rows in = 379 events + 0 duplicates + 0 rejected + 66 left out; 64 profiles)
        """
        from convergekit.identity.conditions import where

        return Stitched(where(self.tables, profiles, events))

    def provenance(self, name: str) -> pd.DataFrame:
        """Return the event that each value of a profile property was carried from.

        Parameters
        ----------
        name : str
            A profile property, such as ``"utm_source"``.

        Returns
        -------
        pandas.DataFrame
            One row per event that has a value: `row`, `event_name`, `timestamp`, `profile_id`,
            `value`, `from_row`, `from_event_name`, `from_source`, `age` (Timedelta since the
            event it is carried from) and `hindsight`: whether the value came over a link that
            was learned only after the event. Under ``identity="as_of"`` nothing is hindsight.

        Raises
        ------
        UnknownNameError
            No event carries such a profile property.
        """
        return self.tables.provenance(name)

    def property_coverage(self, event_name: StepLike | None = None) -> DrawnFrame:
        """Return how many events have each profile property, before and after filling.

        Parameters
        ----------
        event_name : str, sequence of str, or Step, optional
            Such as ``"Placed Order"``; by default all events but identify calls.

        Returns
        -------
        pandas.DataFrame
            One row per profile property, the best known first: `property`, `events` (how many
            were asked about), `sent` (the share that sent a value) and `filled` (the share that
            has one, its own or carried). Its ``plot(template=...)`` returns a figure.

        Raises
        ------
        UnknownNameError
            No event is of that name.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.property_coverage("Placed Order").query("sent == 0").round(2)
               property  events  sent  filled
        5  utm_campaign      27   0.0    0.74
        6    utm_medium      27   0.0    0.74
        7    utm_source      27   0.0    0.74
        """
        from convergekit.diagnostics.property_coverage import property_coverage

        return property_coverage(self.tables, event_name)

    def explain(self, alias_a: str, alias_b: str) -> Explanation:
        """Explain why two aliases are linked: the shortest chain, with the event of each hop.

        Parameters
        ----------
        alias_a, alias_b : str
            URNs, such as ``"urn:email:ada@example.com"``.

        Returns
        -------
        Explanation
            In a notebook and printed, a sentence per hop; `.linked` and `.steps` as data.

        Raises
        ------
        UnknownAliasError
            No event carries one of the two.
        """
        from convergekit.diagnostics.explain import explain

        return explain(self.tables, alias_a, alias_b)

    def profile(self, alias_or_id: str) -> DrawnFrame:
        """Return one profile's timeline: what its events sent, and what was carried to them.

        Parameters
        ----------
        alias_or_id : str
            A URN, such as ``"urn:email:ada@example.com"``, or a profile ID.

        Returns
        -------
        pandas.DataFrame
            The profile's rows of `events` in order of time, columns without any value left out,
            and `profile.<name>` (carried) next to `profile_properties.<name>` (sent). Its
            ``plot(template=...)`` returns the timeline as a figure.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.
        """
        from convergekit.diagnostics.timeline import timeline

        return timeline(self.tables, alias_or_id)

    def plot_profile_graph(
        self,
        alias_or_id: str,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw one profile's identity graph: its aliases and the links between them.

        Colour and shape show an alias's type; width shows on how many events two aliases met.
        What `suspects` blames is marked. Of a large profile the most linked aliases are shown, and
        the figure says how many are left out.

        Parameters
        ----------
        alias_or_id : str
            A URN, such as ``"urn:email:ada@example.com"``, or a profile ID.
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.plot_profile_graph("urn:email:milo.duval37@example.com").layout.title.text
        '5 aliases on profile p_3424b071e0668a79'
        """
        from convergekit.diagnostics.profile_graph import profile_graph_figure
        from convergekit.figures.style import Style

        return profile_graph_figure(self.tables, alias_or_id, Style(template, width, height))

    def funnel(
        self,
        steps: Sequence[StepLike],
        *,
        within: Within | None = None,
        profile: str = "profile_id",
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
        """Count how far profiles get along the steps.

        Parameters
        ----------
        steps : sequence of str, sequence of str, or Step
            At least one. A name, several of which any will do, or ``ck.Step(name, where=...)``.
        within : str, datetime.timedelta, or mapping of these
            The conversion window from the first step, such as ``"7D"`` or ``"90min"``. A mapping
            gives steps windows of their own, since the step before; that of the first is the whole.
        profile : str, default "profile_id"
            The column that names each event's profile.
        order : {"ordered", "strict", "any"}, default "ordered"
            Whether other events may lie between the steps, or none, or steps come in any order.
        exclude : str, Exclusion, or sequence of these
            Events that void an attempt when they happen between two of its steps.
        on_exclude : {"remove", "drop_off"}, default "remove"
            Whether a profile with void attempts alone leaves the funnel, or drops off.
        hold : str or sequence of str
            Properties that must have equal values on all events of an attempt.
        by : str or sequence of str
            Breakdown, such as ``"utm_source"``.
        by_step : {"entry", "first", "last"} or int, default "entry"
            Where a profile's label is read. Elsewhere than at the entry it depends on who got
            further, so groups chosen so are not to be compared.
        label : {"visit", "carried"}, default "visit"
            Whether a campaign property at the entry is what the visit had sent, or what the profile
            carried from earlier visits too.
        top : int, optional
            Keep so many labels; the rest is ``"other"``.
        start, end : str or datetime, optional
            Attempts enter from `start` on and before `end`; a date as `end` includes that day.
        range_applies_to : {"entry", "entry_and_completion"}, default "entry"
            Whether `end` also cuts off later steps.
        entry : {"first", "any", "earliest"}, default "first"
            Which events of the first step start an attempt: a profile's first, or every one.
        ties : {"best", "arrival"}, default "best"
            How events at the same time are ordered.
        tolerance : str or datetime.timedelta, optional
            Events so close together are at one time.
        count : {"profiles", "attempts", "visits"}, default "profiles"
            What is counted. With ``"visits"`` all steps are within the visit, and `within` may be
            left out.
        freq : str, optional
            Periods of `Funnel.trend`, such as ``"W"``.
        calendar : str, optional
            The time zone of periods and dates; by default that of `stitch`.
        visits : VisitRules or str, optional
            What a visit is, where visits are counted or label a breakdown, as `sessions` takes it.
        like : {"posthog", "mixpanel", "amplitude", "clickhouse"}, optional
            Count as this tool does.

        Returns
        -------
        Funnel
            `.table`, `.conversions`, `.drop_offs()`, `.time_to_convert()`, `.curve()`, `.trend()`,
            `.test()`, `.compare()` and `.plot()`.

        Raises
        ------
        ColumnError
            A needed column is missing or ambiguous.
        ConvergekitError
            An option has a value that it does not take.

        See Also
        --------
        convergekit.funnel : The same of any frame; it says what each option means.
        stitching_lift : The same funnel without stitching, beside it.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.funnel(["PageView", "Added To Cart", "Placed Order"], within="7D")
        Funnel(PageView 60 → Added To Cart 30 → Placed Order 18; within 7 days)
        """
        from convergekit.funnels.funnel import funnel_of

        return funnel_of(
            self.tables,
            steps,
            within=within,
            profile=profile,
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
        )

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
        """Return the paths that profiles took to an event, or from one.

        Parameters
        ----------
        start : str, Step, or sequence of these, optional
            The event that a journey begins with: a profile's first of that name, or of any of
            several. By default its first event.
        end : str, Step, or sequence of these, optional
            The event that a journey ends with, the first after its begin: its profile then
            counts as converted. By default, and if it never happens, the profile's last event.
        events : sequence of str or Step, optional
            Only these events are steps, and those of `start` and `end`.
        max_steps : int, default 5
            How many steps paths and the figure distinguish: the first ones, or the last ones
            before `end` if only `end` is given.
        value : str, optional
            What an `end` event is worth, such as ``"total_price"``.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.

        Returns
        -------
        Journeys
            `.paths`, `.transitions`, `.times`, `.plot()` and `.differences()`.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.

        Notes
        -----
        ``docs/journeys.md`` defines every number. Tables list events by their names; the label of a
        step names it in texts alone.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.journeys(start="PageView", end="Placed Order")
        Journeys(60 profiles on 15 paths; 21 reached Placed Order)
        """
        from convergekit.journeys.result import journeys

        return journeys(
            self.tables.events,
            start,
            end,
            events,
            max_steps,
            value,
            currency=currency,
            rates=rates,
            data_end=self.tables.data_end,
        )

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
        """Return customers' orders: how often, when and for how much.

        Parameters
        ----------
        order : str, sequence of str, or Step, default "Placed Order"
            The event that is an order; each counts once.
        value : str or None, default "total_price"
            The property that holds an order's amount; None to leave money out.
        refund : str, sequence of str, or Step, optional
            The event that is a refund: its amount is subtracted from its profile's value. It is
            never guessed; without it nothing is subtracted.
        currency : str, optional
            The property that holds an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``. Without it,
            several currencies are an error.
        refund_value : str, optional
            The property that holds a refund's amount, a positive number, if it is not `value`.
        calendar : str, optional
            The time zone of days, weeks and months, such as ``"Europe/Brussels"``; that of `stitch`
            when absent.

        Returns
        -------
        Customers
            `.new_and_returning()`, `.repeat_purchases()`, `.retention()`, `.lifetime_value()`,
            each a DataFrame with ``plot(template=...)``; `.left_out` counts what they leave out.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.
        ColumnError
            No column, or more than one, matches a property's name.
        ConvergekitError
            Amounts cannot be added up: they are in several currencies, or in one without a rate,
            or a refund is below zero.

        Notes
        -----
        ``docs/customers.md`` defines every number. Customers who ordered before the events
        begin count as new at the first order that is there.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.customers(currency="currency")
        Customers(23 customers with 27 orders; 4 ordered again)
        """
        from convergekit.customers.result import customers_of_stitched

        return customers_of_stitched(
            self.tables,
            order,
            value,
            refund,
            currency,
            rates,
            refund_value=refund_value,
            calendar=Calendar.of(calendar, usual=self.tables.calendar),
        )

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
        """Count events, or the profiles that have them, by day, week or month.

        Parameters
        ----------
        event : str, sequence of str, or Step, optional
            Such as ``"PageView"``; by default all events but identify calls.
        freq : str, default "D"
            A pandas period such as ``"D"``, ``"W"`` or ``"M"``.
        measure : {"events", "profiles", "new_profiles"}, default "events"
            What to count: the events; the profiles with such an event in the period, each once
            (daily or weekly active people); or the profiles whose first such event in the data is
            in the period.
        value : str, optional
            A number of these events, such as ``"total_price"``, to add up instead.
        by : str or sequence of str, default ()
            Columns to count by: an event's own value, or the profile property that it carries. A
            campaign property is what the event's visit had sent up to it. Of new profiles, the
            labels are those of their first event.
        label : {"visit", "carried"}, default "visit"
            With ``"carried"`` a campaign property is what the profile carried from earlier visits
            too.
        top : int, optional
            Keep as many labels of each column, and gather the others as "other".
        calendar : str, optional
            A time zone for the periods, such as ``"Europe/Brussels"``; by default that of `stitch`.
        visits : VisitRules or str, optional
            What a visit is, where visits label a breakdown, as `sessions` takes it.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error, unless `by` parts them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.

        Returns
        -------
        pandas.DataFrame
            One row per group and period, from that of the first event of the data, of any name, to
            that of the last: `period` (its start), the columns of `by`, `count` (or `sum`, with
            `value`), and `complete`: whether the period was over when the data ended. Its
            ``plot(template=...)`` returns a figure, and its ``attrs["left_out"]`` says how many
            events had no profile where profiles were counted.

        Raises
        ------
        UnknownNameError
            No event is of that name.
        ColumnError
            No column, or more than one, matches a property's name.
        ConvergekitError
            An option is not usable.

        Notes
        -----
        The profiles of the days of a week are more than those of the week: who comes twice is
        counted on both days. The same holds for groups: a profile may be in several.

        Profiles whose first event is before the data begin are new in the first periods.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.counts("PageView", freq="W", measure="profiles").head(3)
              period  count  complete
        0 2026-03-02     24      True
        1 2026-03-09     19      True
        2 2026-03-16     24      True
        """
        from convergekit.activity.counts import CountsQuestion, counts_of
        from convergekit.activity.events import Subject

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
        return counts_of(Subject.of_stitched(self.tables, calendar, visits), asked)

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
        """Return how many profiles come back after an event, by cohort (retention).

        Parameters
        ----------
        start : str, sequence of str, or Step, default "PageView"
            The event that puts a profile into a cohort.
        returns : str, sequence of str, or Step, default "PageView"
            The event by which it comes back; the same as `start` or another.
        freq : str, default "W"
            A pandas period such as ``"D"``, ``"W"``, ``"M"`` or ``"Q"``.
        mode : {"on", "within", "on_or_after"}, default "on"
            When `returns` must happen to count at k periods: in the k-th period; at least once
            in the first to the k-th; in the k-th or any later one.
        cohort : {"first", "every"}, default "first"
            Whether a profile is in the cohort of the period of its first start event in the data,
            or in that of every period in which it has one.
        periods : {"calendar", "elapsed"}, default "calendar"
            Whether the periods since are those of the calendar, or begin for each profile with
            its start: 24 hours for a day, seven days for a week, thirty days for a month.
        where : str, mapping or callable, optional
            Which start events count, as for `Step`.
        by : str or sequence of str, default ()
            Columns for a breakdown. The label is read at the start event that puts the profile
            into the cohort: its own value, or the profile property that it carries. A campaign
            property is what the visit of that event had sent up to it.
        label : {"visit", "carried"}, default "visit"
            With ``"carried"`` a campaign property is what the profile carried from earlier visits
            too. Who comes often has carried one for longer, and comes back more.
        top : int, optional
            Keep as many labels of each column, and gather the others as "other".
        calendar : str, optional
            A time zone for the periods, such as ``"Europe/Brussels"``; by default that of `stitch`.
        visits : VisitRules or str, optional
            What a visit is, where visits label a breakdown, as `sessions` takes it.

        Returns
        -------
        Retention
            `.table`, `.curve()` (the average over cohorts), both with ``plot(template=...)``, and
            `.plot()`.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.
        ColumnError
            No column, or more than one, matches a property's name.
        ConvergekitError
            An option is not usable.

        Notes
        -----
        Period 0 is that of the start. There an event counts from the start on, the start event
        included if it is one by which profiles return: with the same event for both, everybody
        has returned in it.

        `complete` depends on the calendar alone, not on who came back. With
        ``mode="on_or_after"`` even a complete share may still grow, and that of an old cohort has
        had longer to: compare cohorts with ``"on"`` or ``"within"``.

        ``docs/retention.md`` says which options give PostHog's, Mixpanel's and Amplitude's
        numbers.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=300).events)
        >>> s.retention(returns="Placed Order", mode="within").curve().round(3)
           periods  cohorts  profiles  returned  share
        0        0        3       264        56  0.212
        1        1        2       203        13  0.064
        2        2        1       120        14  0.117
        """
        from convergekit.activity.retention import RetentionQuestion, retention_of_stitched

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
        return retention_of_stitched(self.tables, asked, calendar, visits)

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
        """Return what a variant changed: an experiment (A/B test) on people, not on cookies.

        Parameters
        ----------
        variant : str
            The property of exposures that says the arm, such as ``"variant"``. What an event
            carries from earlier ones is not an exposure.
        goal : str, sequence of str, or Step, default "Placed Order"
            The event that the arms are to change.
        exposure : str, sequence of str, or Step, optional
            The event that is an exposure, such as ``ck.Step("Experiment Viewed",
            where={"experiment": "checkout"})``; by default any that says a variant.
        control : str, default "control"
            The arm that the others are compared with.
        within : str or datetime.timedelta, default "7D"
            How long after its first exposure a profile's goals count, the end included. Profiles
            exposed later than that before the data end are left out of all arms.
        before : str or datetime.timedelta, optional
            Such as ``"28D"``: take off what the same metric of so long before the exposure
            explains (CUPED).
        value : str, optional
            The property that holds a goal's amount, such as ``"total_price"``, to compare money
            too.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.
        ratio : mapping of str to float, optional
            How many profiles are expected in each arm, in proportion, such as
            ``{"control": 9, "new": 1}``; by default as many in each.
        confidence : float, default 0.95
        sequential : int, optional
            With how many profiles it is planned to end, for intervals and p-values that hold
            however often one looks before; by default they hold for one look, at an end that was
            chosen before.

        Returns
        -------
        Experiment
            `.table`, `.arms`, `.people`, `.finding`, `.warnings` and `.plot()`.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.
        ColumnError
            No column, or more than one, matches a property's name.
        ConvergekitError
            An option is not usable; nobody was exposed, or nobody to control or to another arm.

        See Also
        --------
        experiment_power : How long an experiment has to run.

        Notes
        -----
        A profile is in the arm of its first exposure, whatever it saw later, so that nothing that
        happens after it chooses the arm. Means are compared by Welch's test; the effect relative to
        control is on the log scale, by the delta method. ``docs/experiments.md`` has the methods
        and their sources, and when not to use them.

        Examples
        --------
        >>> import convergekit as ck
        >>> events = ck.simulate_store(people=400).events
        >>> events["properties.variant"] = events["alias.cookie"].map(
        ...     lambda cookie: "new" if int(cookie, 16) % 2 else "control", na_action="ignore"
        ... )
        >>> ck.stitch(events).experiment("variant", "Placed Order", exposure="PageView")
        Experiment(Placed Order within 7 days, 418 profiles; new −16.3% (−42.4% to +21.7%))
        """
        from convergekit.experiments.question import ExperimentQuestion
        from convergekit.experiments.result import experiment

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
        return experiment(self.tables, asked)

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
        """Return how long an experiment has to run, from what the store's people did so far.

        Parameters
        ----------
        goal : str, sequence of str, or Step, default "Placed Order"
        exposure : str, sequence of str, or Step, default "PageView"
            The event by which people would be exposed.
        effect : float or sequence of float, default 0.05
            The relative change that is to be found, such as 0.05 for 5 % more.
        within, before, value, currency, rates
            As `experiment` takes them.
        arms : int, default 2
            How many, control included; as many people in each.
        traffic : float, default 1.0
            The share of people who take part.
        power : float, default 0.8
            How often an effect of that size is to be found.
        confidence : float, default 0.95
            How often none is to be found where there is none.

        Returns
        -------
        ExperimentPower
            `.table` with the profiles and days that each effect needs, and `.finding`.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.
        ConvergekitError
            An option is not usable, or nobody would have been exposed.

        See Also
        --------
        experiment : What a variant changed.

        Notes
        -----
        The experiment is taken to begin when the data do, or `before` later: who comes for the
        first time since then, arrives. The formula is the usual one for two means. A sequential
        experiment needs more in the worst case, and may end sooner.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=400).events)
        >>> s.experiment_power("Placed Order", effect=0.5)
        ExperimentPower(+50.0% of Placed Order within 7 days: 32 days)
        """
        from convergekit.experiments.power import PowerQuestion, experiment_power

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
        return experiment_power(self.tables, asked)

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
        """Compare a funnel with the same funnel counted without stitching.

        Parameters
        ----------
        steps : sequence of str, sequence of str, or Step
        within : str or datetime.timedelta
            As `funnel` takes it.
        value : str, optional
            A number of the last step's event, such as ``"total_price"``, to sum up.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.
        carried : str, optional
            A profile property, such as ``"utm_source"``: which share of the converting events
            has it.
        order, exclude, on_exclude, hold, start, end, range_applies_to, entry, ties, tolerance
            As `convergekit.funnel` takes them.
        count, like
            As `convergekit.funnel` takes them.

        Returns
        -------
        pandas.DataFrame
            One row per way of counting visitors: by each alias type alone (one cookie, one
            visitor), by each source alone (stitched within itself), and ``"stitched"``.
            Columns: `counted_by`, `step_1` ... (visitors that reached the step), `conversion`,
            and where asked for `value` and `with_<carried>`. Its ``plot(template=...)`` returns
            a figure with a bar per step and way of counting.

        Notes
        -----
        Without stitching nothing is carried: a condition on a profile property, or one that is
        held, looks at what the event itself sent.
        """
        from convergekit.funnels.lift import stitching_lift

        return stitching_lift(
            self.tables,
            steps,
            value=value,
            currency=currency,
            rates=rates,
            carried=carried,
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
        )

    def sessions(
        self,
        timeout: Duration | None = None,
        new_on: Iterable[str] | None = None,
        *,
        visits: Visits | None = None,
        conversion: StepLike | None = None,
        rules: Sequence[ChannelRule] | None = None,
    ) -> AnswerFrame:
        """Return each profile's sessions, and the traffic source of each.

        Parameters
        ----------
        timeout : str or datetime.timedelta, optional
            A longer pause between two events of one browser starts a new session: 30 minutes,
            unless `visits` says another.
        new_on : iterable of str, optional
            Properties of which another value than the last one sent starts a new session, and
            so does a first value after events that sent none: by default the five tags
            (`utm_source` and so on), `click_id` (another kind of ad click) and `referrer`, unless
            `visits` says others. What an event leaves out changes nothing. ``()`` is none.
        visits : VisitRules or {"convergekit", "converge", "ga4", "universal", "matomo"}, optional
            What ends a visit: the rule of a tool, by its name, or your own.
        conversion : str, sequence of str, or Step, optional
            An event's name: a column `conversions` counts these events in each session.
        rules : sequence of ChannelRule, optional
            By default ``convergekit.CHANNEL_RULES``.

        Returns
        -------
        pandas.DataFrame
            One row per session, earliest first: `session_id` (the profile's ID and the start),
            `profile_id`, `number` (from 1, of the profile), `start`, `end`, `arrived` (when the
            event came that says where the visit is from), `events`, `channel`, `source`, `medium`
            and `campaign` (as Google Analytics shows them), `utm_source`, `utm_medium`,
            `utm_campaign`, `utm_content`, `utm_term`, `click_id` (the parameter's name),
            `landing_page`, `referrer` (a host that is not the site's own, nor among those to
            ignore), `why` (the rule of the channel, and its evidence) and `row` (of the event
            that says where the visit is from, or of the first).

        Raises
        ------
        ColumnError
            No event sends a property that `new_on` names.
        ConvergekitError
            The timeout is not a duration, `visits` is not a rule, or a rule is not a
            `ChannelRule`.

        Notes
        -----
        A session is one browser's: what carries an alias of the type `browser_alias` or of a
        device, and what shows a page. Two devices of one person have sessions of their own, also
        at the same time. What a server or a CRM sends is of the session that is under way; it
        neither starts one nor keeps it alive. Where none is under way, such events, as an order by
        telephone, make sessions too: these have no `channel`.

        A session's campaign is what its own events sent: carried values (`profile.utm_source`)
        are left aside. All tags are those of the first event that sent any. Identify calls and
        events without a profile are in no session.

        A page's address is the property `$url`, `$current_url`, `page_location` or
        `[Amplitude] Page Location`, and `url` of events that are page views; that of the page
        before, or its host, is `$referrer`, `referrer`, `page_referrer` or `$referring_domain`.
        Others go by these names with ``columns={"properties.$url": "page"}``.
        ``docs/channels.md`` says which pages are the shop's own, and what the channels are.

        Half an hour is Google Analytics' and Snowplow's (https://docs.snowplow.io, "Session
        tracking"), and a new session for each new campaign is what Universal Analytics had,
        https://support.google.com/analytics/answer/2731565. ``docs/attribution.md`` has the table
        of the presets, and the source of each.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.sessions()[["number", "events", "channel", "utm_campaign"]].iloc[1:4]
           number  events      channel  utm_campaign
        1       1       4        Email   march-offer
        2       1       2  Paid Social  spring-roast
        3       1       3  Paid Search       kettles
        """
        from convergekit.visits.rules import VisitRules
        from convergekit.visits.sessions import sessions

        asked = VisitRules.of(visits, timeout=timeout, new_on=new_on, rules=rules)
        return AnswerFrame.of(sessions(self.tables, asked, conversion))

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
        """Credit conversions, or their value, to the visits (touchpoints) before them.

        Parameters
        ----------
        conversion : str, sequence of str, or Step
            The converting event, such as ``"Placed Order"``.
        value : str, optional
            A number of these events, such as ``"total_price"``, to share out.
        model : str or sequence of str, default "last_touch"
            One or several of ``"first_touch"``, ``"last_touch"``, ``"last_non_direct"``,
            ``"linear"``, ``"position_based"``, ``"time_decay"``, ``"markov"`` and ``"shapley"``.
        lookback : str or datetime.timedelta, default "30D"
            The lookback window before a conversion in which a visit may have begun, end included.
        by : str, default "channel"
            What receives credit: a column of `sessions`, such as ``"utm_campaign"``. Visits
            without a value there are one of their own, such as ``"(no utm_campaign)"``.
        otherwise : {"channel"}, optional
            Credit visits without such a value by their channel instead.
        direct : {"touch", "last_resort"}, default "touch"
            Whether a direct visit is a touchpoint like others, or only if a journey has no other.
        weights : tuple of float, default (0.4, 0.2, 0.4)
            Those of ``"position_based"``: of the first touch, of those between, of the last.
        half_life : str or datetime.timedelta, default "7D"
            That of ``"time_decay"``.
        mixed_currencies : bool, default False
            Add up a value although the conversions are in several currencies.
        touches : {"all", "paid", "non_brand"}, default "all"
            Which visits may be touchpoints: all; those of paid channels (`Paid ...`, `Display` and
            `Cross-network`); or all but direct ones and those that looked for your brand.
        brand : str, optional
            For ``"non_brand"``: a regular expression that the whole `utm_campaign` or `utm_term` of
            such visits matches, such as ``".*acme.*"``; capitals do not matter.
        repeats : {"count", "collapse"}, default "count"
            Whether visits of one label in a row are touchpoints each, or one, the last of them.
        whole_days : bool, default False
            Whether the lookback window begins at midnight in the shop's calendar, so many days
            before the day of the conversion.
        visits, timeout, new_on, rules
            As `sessions` takes them.

        Returns
        -------
        Attribution
            `.table`, `.comparison` (of several models), `.credits`, `.effects`, `.explain(row)`
            and `.plot()`.

        Raises
        ------
        UnknownNameError
            No event is of that name.
        ConvergekitError
            The model or column does not exist, the value is not a number or is in several
            currencies, or a duration or the weights are not usable.

        Notes
        -----
        No conversion is lost: one without a touchpoint is credited to ``"(none)"``. Amounts are
        rounded to the cent and shared out in whole cents, so that credits add up exactly. A
        touchpoint is a session that a visit explains; its campaign is what it sent itself. Under
        as-of identity it counts only if it was known to be of the profile when the conversion
        became known. ``docs/attribution.md`` defines each model.

        Data-driven models weigh labels over all journeys, but each conversion is shared among its
        own touches alone; so the table is the sum of the credits, and `.effects` has the shares
        of the total that these models are usually read as.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.attribution("Placed Order", "total_price", ["last_touch", "linear"]).comparison
               channel  last_touch  linear
        0  Paid Search       418.5   406.9
        1       Direct       309.5   293.0
        2        Email       193.0   195.0
        3  Paid Social        62.5    88.6
        4     Referral        20.0    20.0
        5       (none)        12.5    12.5
        """
        from convergekit.attribution.attribute import attribution
        from convergekit.attribution.question import Question

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
        return attribution(self.tables, asked)

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
        """Compare an attribution with the same attribution without stitching.

        Parameters
        ----------
        conversion, value, model, lookback, by
            As `attribution` takes them.
        otherwise, direct, weights, half_life, mixed_currencies, touches, brand, repeats,
        whole_days, visits, timeout, new_on, rules
            As `attribution` takes them.

        Returns
        -------
        AttributionLift
            `.table`, a row per model, way of counting visitors and label; `.summary`, the share
            of the value that each way credits to a visit, and that stitching moved; `.plot()`.

        Raises
        ------
        ConvergekitError
            As `attribution` does.

        Notes
        -----
        The ways are those of `stitching_lift` (each alias type alone, each source alone) and both
        identities of stitched profiles, whichever this Stitched has: ``"stitched"`` with all data
        in hand, and ``"stitched, as-of identity"``, where a touchpoint counts only if it was known
        to be of the profile when the conversion became known. Each way credits all conversions,
        with models that look at its own journeys; what it cannot place is credited to
        ``"(none)"``.
        ``docs/attribution.md`` defines every number.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> found = s.attribution_lift("Placed Order", "total_price")
        >>> found.summary.tail(3).round(3)
                            counted_by  credited  found  lost  moved_last_touch
        8          source server alone     0.000  0.988   0.0             0.000
        9   stitched, as-of identity     0.911  0.077   0.0             0.029
        10                    stitched     0.988  0.000   0.0             0.000
        """
        from convergekit.attribution.lift import attribution_lift
        from convergekit.attribution.question import Question

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
        return attribution_lift(self.tables, asked)

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
        """Return why each conversion has, or does not have, a campaign.

        Parameters
        ----------
        conversion : str, sequence of str, or Step
            The converting event, such as ``"Placed Order"``.
        value : str, optional
            A number of these events, such as ``"total_price"``, to add up by reason.
        lookback : str or datetime.timedelta, default "30D"
            The lookback window before a conversion in which a visit may have begun, end included.
        visits : VisitRules or str, optional
            What a visit is, as `sessions` takes it.
        currency, rates
            As `customers` takes them.

        Returns
        -------
        WithoutCampaign
            `.events`, a row per conversion with its `outcome`; `.summary`, which adds up to all
            conversions; and `.plot()`.

        Raises
        ------
        UnknownNameError
            No event is of that name.
        ConvergekitError
            A duration is not usable, or amounts cannot be added up.

        Notes
        -----
        A campaign is a tag or a click ID that a visit sent itself, within the lookback window and,
        under as-of identity, known when the conversion became known. Without one, the first of
        these holds: pages, but none with a browser's alias (somebody who refuses the cookie);
        visits in the window, but none with a campaign; those of `orphans` (an alias seen in the
        browser only later, or never, only aliases that identify nobody, no alias at all); visits,
        but none in the window; a browser's alias, but no page.

        See Also
        --------
        orphans : The conversions that reach no browser session.
        attribution : Credit conversions to visits.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.without_campaign("Placed Order")
        WithoutCampaign(Placed Order: 7 of 27 conversions without a campaign in the 30 days before)
        """
        from convergekit.attribution.without_campaign import without_campaign

        return without_campaign(
            self.tables,
            conversion,
            value,
            lookback,
            visits=visits,
            currency=currency,
            rates=rates,
        )

    def match_spend(
        self,
        spend: pd.DataFrame | Spend,
        mapping: pd.DataFrame | Mapping[Any, str] | None = None,
        visits: Visits | None = None,
        *,
        rates: Mapping[str, float] | None = None,
    ) -> SpendMatches:
        """Join spend to visits: which campaign brought which, and what belongs to nothing.

        Parameters
        ----------
        spend : Spend or DataFrame
            What `read_spend` returns; or a frame with a row per day and campaign: `date` and
            `spend`, and as far as known `platform`, `account`, `channel`, `source`, `medium`,
            `campaign`, `campaign_id`, `ad_group_id`, `ad_id` and `currency`.
        mapping : DataFrame or mapping, optional
            What belongs together by hand: names of campaigns, or pairs of a platform and a name,
            to a `utm_campaign` or a channel, as visits spell it; or a frame with `campaign` or
            `campaign_id` (and `platform`, `account`), and `utm_campaign`, `channel`, `source` or
            `medium`, such as rows of `.proposals`.
        visits : VisitRules or str, optional
            What a visit is, as `sessions` takes it.
        rates : mapping of str to float, optional
            What one of each currency is worth. Without it, spend in several is an error.

        Returns
        -------
        SpendMatches
            `.table`, a row per campaign; `.without_visits` and `.without_spend`, what belongs to
            nothing; `.proposals`, what may belong together. As a card, what matched and what it
            cost.

        Raises
        ------
        ReadError
            The frame has no column `date` or `spend`.
        ConvergekitError
            Amounts are in several currencies, or the mapping names what is not there.

        See Also
        --------
        read_spend : Read the exports of ad platforms.
        marketing : What the spend brought.

        Notes
        -----
        A visit belongs to the campaign whose ID it came with (the ad's, then the ad group's, then
        the campaign's own); else to that to which `mapping` maps it; else to the one campaign of
        its `utm_campaign` on its platform, capitals and blanks around it aside. A name that may be
        that of two campaigns is that of none, and nothing is matched because it is alike.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> spend = pd.DataFrame({
        ...     "date": "2026-03-02", "platform": ["google_ads", "meta"],
        ...     "campaign": ["brand", "Spring Roast"], "spend": [12.5, 20],
        ... })
        >>> s.match_spend(spend)
        SpendMatches(1 of 2 campaigns and 12.50 of 32.50 (38.5%) have visits; 21 visits matched)
        >>> s.match_spend(spend).proposals[["campaign", "utm_campaign", "reason"]]
               campaign  utm_campaign                       reason
        0  Spring Roast  spring-roast  the same letters and digits
        >>> s.match_spend(spend, {"Spring Roast": "spring-roast"})
        SpendMatches(2 of 2 campaigns and 32.50 of 32.50 (100.0%) have visits; 41 visits matched)
        """
        from convergekit.marketing.matches import match_spend

        return match_spend(self.tables, spend, mapping, visits, rates)

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
        """Return what was spent, and what it brought: orders, revenue, customers, by period.

        Parameters
        ----------
        spend : Spend or DataFrame
            As `match_spend` takes it.
        conversion : str, sequence of str, or Step, default "Placed Order"
            The event that is an order; each counts once.
        value : str, default "total_price"
            The property that holds an order's amount.
        freq : str, default "M"
            A pandas period of days, weeks, months or longer, such as ``"W"``.
        by : str or sequence of str, default "channel"
            One or several of ``"channel"``, ``"source"``, ``"medium"``, ``"campaign"`` and
            ``"platform"``.
        model : str, default "last_touch"
            An attribution model, as `attribution` takes it; a data-driven one compares channels,
            or the first of `by` that visits have.
        lookback : str or datetime.timedelta, default "30D"
            How long before an order a visit is a touchpoint.
        dated : {"order", "touch"}, default "order"
            Whether a credit is counted in the period of its order, or in that of the visit that
            gets it: by the clock of the till, or of the ad. Orders without a touchpoint are
            counted in their own.
        new : {"first_ever", "first_by_address", "first_in_period"}, default "first_ever"
            Which order is a new customer's: the first of its profile in all the data; the first of
            its e-mail address; or the first of its profile in each period.
        minus : str or sequence of str, default ()
            Properties of an order that are not revenue, such as ``["total_tax",
            "total_shipping"]``: they are subtracted from its amount.
        refund : str, sequence of str, or Step, optional
            The event of a refund, or of a cancellation; without it nothing is subtracted.
        refund_value : str, optional
            The property that holds its amount, a positive number, if it is not `value`.
        refunds : {"order", "refund"}, default "order"
            Whether a refund lessens the period of its order, or that in which it was made.
        order_id : str, optional
            The property that order and refund share. Without it a refund is of the latest order of
            its profile before it.
        currency : str, optional
            The property that holds an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, of orders and of spend alike.
        mapping : DataFrame or mapping, optional
            As `match_spend` takes it.
        add_to_cart, checkout : str, sequence of str, or Step, optional
            The events of these steps of a visit; ``"Added To Cart"`` and ``"Started Checkout"``
            when absent, if there are such.
        confidence : float, default 0.95
            Of all intervals.
        calendar : str, optional
            The time zone of days, weeks and months, such as ``"Europe/Brussels"``; that of `stitch`
            when absent.
        visits : VisitRules or str, optional
            What a visit is, as `sessions` takes it.

        Returns
        -------
        Marketing
            `.table`, by period and group; `.periods` and `.groups`, by one of them; `.cohorts()`
            and `.payback()`, what acquired customers brought; `.matches`, the join. As a card, the
            groups.

        Raises
        ------
        UnknownNameError
            No event is of a name that was given.
        ColumnError
            A property or a column of the spend is not there.
        ConvergekitError
            Amounts cannot be added up, the mapping names what is not there, or an option is not
            one of those above.

        See Also
        --------
        match_spend : The join of spend to visits.
        attribution : Which visits get the credit for an order.
        customers : Who orders again, and what customers are worth.

        Notes
        -----
        ``docs/marketing.md`` defines every column and names the source of its definition. The rows
        of a period add up to all its orders, to the cent: orders without a touchpoint are in
        ``(none)``, and spend without a visit has a row of its own.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> spend = pd.DataFrame({
        ...     "date": "2026-03-02", "platform": ["google_ads", "meta"],
        ...     "campaign": ["brand", "spring-roast"], "spend": [60.0, 80],
        ... })
        >>> found = s.marketing(spend)
        >>> found
        Marketing(140.00 EUR spent, 27 orders for 1,016.00 EUR, MER 7.26; last_touch by channel)
        >>> found.groups[["channel", "spend", "orders", "revenue", "roas"]].head(3).round(2)
               channel  spend  orders  revenue  roas
        0  Paid Social   80.0     3.0     62.5  0.78
        1  Paid Search   60.0    10.0    418.5  6.98
        2       Direct    0.0     7.0    309.5   NaN
        """
        from convergekit.marketing.measure import marketing
        from convergekit.marketing.question import MarketingQuestion

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
            calendar=Calendar.of(calendar, usual=self.tables.calendar),
            visits=visits,
        )
        return marketing(self.tables, spend, asked)

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
        """Hold what ad platforms claim against the orders that there are.

        Parameters
        ----------
        spend : Spend or pandas.DataFrame
            What `read_spend` returns, or a frame with its columns: a row per day, campaign or ad
            with `date`, `platform` (such as ``"meta"`` and
            ``"google_ads"``), `conversions`, and, if there are, `value`, `currency`, `account` and
            `time_zone`. What a platform claims is the sum of its rows.
        conversion : str, sequence of str, or Step, default "Placed Order"
            The event that is an order; each counts once.
        value : str or None, default "total_price"
            The property that holds an order's amount, as platforms are sent it; None to leave
            money out.
        windows : mapping of str to str, timedelta or a pair of them, optional
            By platform: how long after a click it claims an order, or a pair, after a click and
            after a view, such as ``{"meta": ("1D", "1D")}``. By default as each documents it: 30
            days after a click for Google Ads, Microsoft Advertising and Pinterest, 7 days for Meta
            and TikTok; 1 day after a view.
        dated : mapping of str to {"click", "order", "either"}, optional
            By platform: whether a claim is dated by the ad's click or view, by the order, or by
            what nobody knows. By default ``"either"`` for Meta and for platforms that are not
            known, and ``"click"`` for the others.
        start, end : str, datetime.date or datetime, optional
            The first and the last day of the claims; by default those of the rows. Give `end` if
            rows are of weeks or months, of which only the first day is there.
        currency : str, optional
            The property that holds an order's currency.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``. Without it,
            several currencies are an error.
        visits : str or VisitRules, optional
            As `sessions` takes them.

        Returns
        -------
        Reconciliation
            `.headline`, `.table` (per platform), `.patterns` (orders by the platforms that they are
            eligible for), `.bounds`, `.orders`, `.clicks`, `.by_period()` and `.plot()`.

        Raises
        ------
        ColumnError
            The spend lacks a column, or no property has a name that was given.
        UnknownNameError
            No event is of that name, or a window is of a platform without claims.
        ConvergekitError
            Nothing is claimed, more than eight platforms claim something, amounts are in several
            currencies without rates, or these are the events of a segment.

        Notes
        -----
        An export holds totals, so which orders a platform claims is not known; how many can be
        claimed at all is. The bounds are sharp: some way of claiming attains each. They hold
        whatever each platform does, as long as it claims an order at most once. Money is bounded as
        if a platform might claim a part of an order's amount, which is never too narrow.
        ``docs/reconcile.md`` has the reasoning and an example.

        See Also
        --------
        Stitched.attribution : Give each order to one or several visits, none of them twice.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> claims = pd.DataFrame({
        ...     "date": pd.to_datetime(["2026-03-02", "2026-03-29"]),
        ...     "platform": ["google_ads", "meta"],
        ...     "conversions": [21.0, 12.0],
        ... })
        >>> s.reconcile(claims, value=None).headline  # doctest: +NORMALIZE_WHITESPACE
        'Google Ads and Meta together claim 33 conversions, and 27 orders could be behind them: at
        least 6 of them (18%) are counted twice or more, or have no order.'
        """
        from convergekit.reconcile.compare import ReconcileQuestion, reconcile
        from convergekit.visits.rules import VisitRules

        asked = ReconcileQuestion(conversion, value, currency, rates, VisitRules.of(visits))
        return reconcile(
            self.tables, spend, asked, windows=windows, dated=dated, start=start, end=end
        )

    def why(
        self,
        a: HasTables | Period,
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
        """Split the difference of a number between two periods, or two stitchings, exactly.

        Who came, what they were like, at which step they stopped, and what only the tracking
        changed: the parts add up to the difference. ``docs/what-changed.md`` explains each.

        Parameters
        ----------
        a, b : tuple of two dates, or Stitched
            Two periods, each its first and its last day (or moments): ``s.why(("2026-03-02",
            "2026-03-08"), ("2026-03-09", "2026-03-15"))``. None is the begin or the end of the
            data. Alone, another stitching or store: ``a.why(b)`` compares all of `a`, before, with
            all of `b`, after.
        number : {"conversion", "orders", "revenue", "revenue a visit", "return on spend"}
            What is compared. Conversion is the share of those who entered who got to the last step
            within the window; orders are all events of the last step; return on spend is all
            revenue by all spend.
        steps : sequence of str, Step or sequence of str, optional
            Two or more steps, in order; by default what the names of the events suggest.
        within : str or Timedelta, default "7D"
            The conversion window from the entry.
        value, currency, rates
            As `check_up` takes them. Without `rates` amounts are added up as they are, and a
            currency that one period lacks is a part of the difference.
        by : str or sequence of str, optional
            What the mix is told by, as ``by`` of `funnel`. By default the channel, the device and
            the country, where events carry them, new and returning where there is a week of
            history, and the weekday where the periods differ in that.
        spend : Spend or pandas.DataFrame, optional
            For return on spend: what `read_spend` returns, or a frame with `date` and `spend`.
        confidence : float, default 0.95
            Of the intervals of chance.

        Returns
        -------
        Why
            `.table`, a row a part, ranked; `.finding`, a sentence; ``.profiles(part)`` behind each;
            ``.plot()``, a waterfall.

        Raises
        ------
        ConvergekitError
            The periods overlap, or one has no events; the steps are fewer than two, or not apart;
            or an option has a value that it does not take.
        UnknownNameError
            No event is named as a step is.

        Notes
        -----
        The Shapley value of the factors (Shorrocks 2013), the mix by Oaxaca and Blinder. A part is
        beyond chance below 0.02, by a jackknife over 40 groups of people, adjusted by Holm for how
        many parts there are.

        See Also
        --------
        funnel : With ``by=``, what each group converts, and ``test``, whether groups differ.
        check_up : What is wrong with the tracking at any time.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=600).events)
        >>> found = s.why(("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29"))
        >>> found
        Why(conversion 22.5% → 22.1%; nothing beyond chance)
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

    def orphans(self, event_name: StepLike) -> Orphans:
        """Return the events that had not reached a browser session when they became known, and why.

        Parameters
        ----------
        event_name : str, sequence of str, or Step
            Such as ``"Placed Order"``.

        Returns
        -------
        Orphans
            `.events`, one row per such event: `row`, `event_id`, `timestamp`, `source`,
            `profile_id`, `reason`, `aliases` (a list of URNs), and where an event linked it to a
            session only later, its row and the time at which that became known, `linked_row` and
            `linked_at`. `.summary`: `outcome`, `events`, `share`.

        Raises
        ------
        UnknownNameError
            No event is of that name.

        Notes
        -----
        The answer is the same under retroactive and as-of identity. The reasons, the first that
        applies: ``"no alias at all"``; ``"only aliases that identify nobody"`` (blocked or
        malformed); ``"alias never seen in the browser"``, the event's profile has no alias of the
        browser's type; ``"alias seen in the browser only later"``, in the order of knowing.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.orphans("Placed Order").summary["events"].tolist()
        [24, 0, 0, 3, 0]
        """
        from convergekit.diagnostics.orphans import orphans

        return orphans(self.tables, event_name)

    def alias_coverage(self, event_name: StepLike) -> pd.DataFrame:
        """Measure which alias types link events of a name to a browser session.

        Parameters
        ----------
        event_name : str, sequence of str, or Step
            Such as ``"Placed Order"``.

        Returns
        -------
        pandas.DataFrame
            One row per alias type that these events carry, the one that reaches most first, and
            ``"(any)"`` for all types together. Columns: `alias_type`; `events` that carry it;
            and of all events of the name `share` (that carry it), `reaches` (would reach a
            browser session if they carried this type alone), `reaches_as_of` (would have when
            they became known), `lost` (reach one, but would not if they did not carry this
            type), `lost_as_of`; and `median_lead`, over those that reach: the Timedelta from
            when the alias was known to be of a browser session to when the event became known,
            negative where the link came later.

        Raises
        ------
        UnknownNameError
            No event is of that name.

        Notes
        -----
        Only the aliases on these events are varied; all other events stay as they are. The answer
        is the same under retroactive and as-of identity. An event becomes known at its
        `received_at`, or without one at its `timestamp`.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s.alias_coverage("Placed Order")[["alias_type", "events", "reaches", "lost"]].round(2)
               alias_type  events  reaches  lost
        0           email      27     0.78  0.07
        1  checkout_token      22     0.74  0.11
        2      cart_token       9     0.33  0.00
        3     customer_id       4     0.15  0.00
        4           phone       2     0.04  0.00
        5           (any)      27     0.89  0.89
        """
        from convergekit.diagnostics.alias_coverage import alias_coverage

        return alias_coverage(self.tables, event_name)

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
        """Return which change of the tracking would tell most of where orders come from.

        Parameters
        ----------
        event_name : str, sequence of str, or Step
            The orders.
        value : str, optional
            A number of the orders, such as ``"total_price"``. Changes are ranked by it; without
            it, by how many orders they are.
        currency, rates : optional
            As `customers` takes them.
        steps, within : optional
            A funnel, as `funnel` takes it: how wide its interval of identity would be with each
            change. It takes longer.

        Returns
        -------
        NextFix
            `.table`, one row per change that the data suggest: what to do, of how many orders and
            how much money it would tell the first or the last visit, with intervals of 90 %;
            `.finding`, what to do first.

        Raises
        ------
        UnknownNameError
            No event is of the name.
        ColumnError
            No column, or more than one, is of the value's name.
        ConvergekitError
            The value is not a number; of `steps` and `within` one is missing; or these events are
            a segment.

        See Also
        --------
        alias_coverage : What each alias does now.
        orphans : Which orders reach no visit.
        Funnel.bounds : How sure a funnel is.

        Notes
        -----
        The changes are derived from the data: alias types that the browser sends and the order
        does not, or not always; logins that are given late, or not by everybody; events at which
        the cookie changes; and the age of cookies. docs/next-fix.md has the method, what it
        assumes, and how well it does where the truth is known.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store(people=800).events)
        >>> found = s.next_fix("Placed Order", value="total_price")
        >>> found.table[["change", "orders", "money"]].round(0).head(3)
                                                     change  orders  money
        0  Ask for email one step earlier, at Added To Cart    20.0  531.0
        1             Send cart_token on every Placed Order    17.0  421.0
        2          Keep the cookie through Started Checkout    17.0  380.0
        """
        from convergekit.fixes.answer import next_fix

        return next_fix(
            self.tables,
            event_name,
            value=value,
            currency=currency,
            rates=rates,
            steps=steps,
            within=within,
        )

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
    ) -> WhatIf[Stitched]:
        """Compare the results with those if an alias had not been sent.

        Parameters
        ----------
        alias : str or iterable of str
            Alias types, such as ``"email"``, or URNs, such as ``"urn:cookie:kiosk"``.
        event : str, sequence of str, or Step, optional
            The events to measure; None to measure no event.
        value : str, optional
            A number of these events, such as ``"total_price"``, to sum up.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.
        carried : str or sequence of str, optional
            Profile properties, such as ``"utm_source"``: how many of the events have them.
        steps, within : optional
            A funnel, as `funnel` takes it.

        Returns
        -------
        WhatIf
            `.table`, one row per measure that was asked for: `measure`, `with_it`, `without_it`,
            `difference`; and `.stitched`, the same events stitched without the alias.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or one of the type.
        UnknownNameError
            No event is of the name, or none carries the profile property.
        ConvergekitError
            Of `steps` and `within` one is missing, or the value is not a number.

        Notes
        -----
        Which events are kept does not change, only how they are linked. `.stitched` equals what
        `stitch` returns with the alias in `block=`, but for the report's count of blocked
        aliases.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> print(s.without("checkout_token", value="total_price", carried="utm_source"))
                                    measure with_it without_it difference
                                   profiles      81         85          4
                      events with a profile     388        388          0
        Placed Order with a browser session      24         21         -3
         total_price with a browser session  905.50     807.50        -98
               Placed Order with utm_source      20         17         -3
                total_price with utm_source     727        629        -98
        """
        from convergekit.diagnostics.what_if import what_if

        return what_if(
            self.tables,
            alias,
            event=event,
            value=value,
            currency=currency,
            rates=rates,
            carried=carried,
            steps=steps,
            within=within,
            face=Stitched,
        )

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
        """Return what events reach only through links that became known after them.

        Parameters
        ----------
        event_name : str, sequence of str, or Step
            Such as ``"Placed Order"``.
        value : str, optional
            A number of these events, such as ``"total_price"``, to sum up.
        currency : str, optional
            The property that says an amount's currency. Without it, amounts of several currencies
            are an error, as far as ``currency`` or what is spelled like it says them.
        rates : mapping of str to float, optional
            What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.
        carried : str or sequence of str, optional
            Profile properties, such as ``"utm_source"``, that the events carry.
        steps, within : optional
            A funnel, as `funnel` takes it, whose last step is the event.

        Returns
        -------
        Hindsight
            `.events`, one row per event that reaches a browser session, a value or a conversion
            in hindsight alone; `.summary`, one row per measure: `measure`, `retroactive`,
            `as_of`, `hindsight`, `share`, where retroactive = as_of + hindsight.

        Raises
        ------
        UnknownNameError
            No event is of the name, or none carries the profile property.
        ConvergekitError
            Of `steps` and `within` one is missing, the steps end with another event, or the
            value is not a number.

        Notes
        -----
        The answer is the same under retroactive and as-of identity. A session is hindsight if
        the event's profile, as known when the event became known, had none; a carried value if
        the event it is carried from was not known to be of that profile (as in `provenance`); a
        conversion if an event of an earlier step was not. A live pipeline may have had another
        value in its place.

        `saved_by` is the alias next to the event on the chain of links by which it came to reach
        what it reaches, among those that were then known to be of that other profile: the
        session's (the last that had begun) or the carried value's.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> print(s.hindsight("Placed Order", value="total_price", carried="utm_source"))
                                    measure retroactive  as_of hindsight share
        Placed Order with a browser session          24     24         0    0%
         total_price with a browser session      905.50 905.50         0    0%
               Placed Order with utm_source          20     16         4   20%
                total_price with utm_source         727    649        78   11%
        """
        from convergekit.diagnostics.hindsight import hindsight

        return hindsight(
            self.tables,
            event_name,
            value=value,
            currency=currency,
            rates=rates,
            carried=carried,
            steps=steps,
            within=within,
        )

    def forget(self, alias_or_profile: str) -> Forgotten[Stitched]:
        """Delete a person (GDPR): return everything without them, and how much was removed.

        Parameters
        ----------
        alias_or_profile : str
            A URN, such as ``"urn:email:ada@example.com"``, or a profile ID: the whole profile is
            removed.

        Returns
        -------
        Forgotten
            `.stitched`, without the profile's events, the dropped copies of them, its aliases, the
            values that it alone sent, and rejected rows that hold one of these. Its e-mail
            addresses and phone numbers are erased wherever other people's events name them, in
            any spelling. Other profiles keep their IDs and values. `.removed`: `table`, `rows`.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.

        Notes
        -----
        This Stitched, the frame it was made of, the exports and directories saved earlier still
        hold the person. Events of theirs without a usable alias are on no profile and cannot be
        told from others. If another person's profile ID was made from an alias with such an
        address, that profile gets a new ID. ``docs/privacy.md`` says what is
        found, and what is not.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> s
        Stitched(434 events, 11 duplicates, 0 rejected; 239 aliases, 81 profiles)
        >>> s.forget("urn:email:milo.duval37@example.com").stitched
        Stitched(426 events, 11 duplicates, 0 rejected; 234 aliases, 80 profiles)
        """
        from convergekit.privacy.forget import forget

        return forget(self.tables, alias_or_profile, face=Stitched)

    def explore(
        self,
        state: Mapping[str, Any] | None = None,
        *,
        spend: pd.DataFrame | Spend | None = None,
        template: Template = "auto",
    ) -> Explorer:
        """Open an interactive explorer in a notebook, with the funnel that the data suggest.

        Tabs for the funnel, trend and retention, the people behind a number, channels and spend,
        and identity with the check-up. Dates, segment, breakdown and calendar are those of all
        tabs; a bar of the funnel or a period of the trend that is brushed is what the others are
        about. Each answer shows the code that gives the same.

        Parameters
        ----------
        state : mapping, optional
            What to open it with: the `state` of an Explorer, or a part of it, such as
            ``{"breakdown": "channel", "tab": "trend"}``.
        spend : DataFrame or Spend, optional
            What was spent, as `marketing` takes it; without it the explorer says how to read it.
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
            Of the figures.

        Returns
        -------
        Explorer
            The last line of a cell shows it. Its `state` is plain data, which JSON holds.

        Raises
        ------
        ConvergekitError
            The state has something unknown, or names what is not in the data.

        Notes
        -----
        ``docs/explorer.md`` says what each tab answers, and ``docs/notebooks.md`` what differs
        between JupyterLab, Notebook, VS Code and Colab.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> explorer = s.explore({"breakdown": "channel"})
        >>> explorer.state["funnel"]["steps"]
        ['PageView', 'Added To Cart', 'Placed Order']
        """
        from convergekit.explore.explorer import explore
        from convergekit.explore.offered import offered_in_memory

        return explore(self, offered_in_memory, state, spend, template)

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
        """Write a report as one HTML file that needs no network and no kernel: a file to send.

        Each section begins with what was found; figures and tables follow, and the call that makes
        the numbers. It is in light or dark, as the reader's system is, and can be printed.

        Parameters
        ----------
        path : str or pathlib.Path
            Such as ``"report.html"``.
        questions : list or mapping, optional
            Which sections, in which order: ``"report"``, ``"funnel"``, ``"trend"``,
            ``"channels"``, ``"spend"``, ``"suspects"``, ``"check-up"``; by default all, ``"spend"``
            only where it is given. A result that you have already is a section too: in a list,
            ``[f, "suspects"]``, or with a heading, ``{"Weekly funnel": f}``, and the code that made
            it, ``{"Trend": (f.trend("W"), 'f.trend("W")')}``.
        spend : DataFrame or Spend, optional
            What was spent, as `marketing` takes it.
        steps : sequence of str, sequence of str, or Step, optional
            Of the funnel and the trend; by default page → cart → order, as far as the names of the
            events say which these are.
        within : str or datetime.timedelta, default "7D"
            Conversion window.
        by : str, optional
            The breakdown of the funnel; by default ``"utm_source"`` where events carry it. Empty
            for none.
        overwrite : bool, default False
            Whether to replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        AlreadyThereError
            The file is there already, and `overwrite` is False.
        WriteError
            The system does not let the file be written; an earlier one is unchanged.
        ColumnError
            No column, or more than one, matches the name `by`.
        ConvergekitError
            A question is not known, or a section that was asked for by name cannot be answered.

        See Also
        --------
        to_excel, to_markdown : The same report for a spreadsheet, and as text.

        Notes
        -----
        The same events give the same file. Without `questions`, a section that cannot be answered
        says why. E-mail addresses of suspects are masked; labels of a breakdown, names of events
        and headings are shown as they are. ``docs/report-file.md`` shows a report.

        Examples
        --------
        >>> import tempfile
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = s.to_html(f"{directory}/report.html", ["report", "funnel", "trend"])
        ...     "18 of 60 profiles reached Placed Order" in path.read_text("utf-8")
        True
        """
        from convergekit.report.about import About
        from convergekit.report.write import write_html

        return write_html(
            self,
            About.of(self.tables),
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
        """Write a report as an Excel workbook. Needs XlsxWriter.

        A sheet lists what there is, with findings and calls, one what is assumed, left out and
        rejected, and each table has a sheet. No cell is a formula: a text that begins with ``=``
        stays text. Numbers are numbers, shares have a percent format, and headings of times name
        their time zone.

        Parameters
        ----------
        path : str or pathlib.Path
            Such as ``"report.xlsx"``.
        questions : list or mapping, optional
            Which sections, in which order: ``"report"``, ``"funnel"``, ``"trend"``,
            ``"channels"``, ``"spend"``, ``"suspects"``, ``"check-up"``; by default all, ``"spend"``
            only where it is given. A result that you have already is a section too: in a list,
            ``[f, "suspects"]``, or with a heading, ``{"Weekly funnel": f}``, and the code that made
            it, ``{"Trend": (f.trend("W"), 'f.trend("W")')}``.
        spend : DataFrame or Spend, optional
            What was spent, as `marketing` takes it.
        steps : sequence of str, sequence of str, or Step, optional
            Of the funnel and the trend; by default page → cart → order, as far as the names of the
            events say which these are.
        within : str or datetime.timedelta, default "7D"
            Conversion window.
        by : str, optional
            The breakdown of the funnel; by default ``"utm_source"`` where events carry it. Empty
            for none.
        overwrite : bool, default False
            Whether to replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        AlreadyThereError
            The file is there already, and `overwrite` is False.
        WriteError
            The system does not let the file be written; an earlier one is unchanged.
        ColumnError
            No column, or more than one, matches the name `by`.
        ConvergekitError
            A question is not known, or a section that was asked for by name cannot be answered;
            or XlsxWriter is not installed (``pip install 'convergekit[excel]'``), or a table has
            more rows than a sheet.

        See Also
        --------
        to_html, to_markdown
        """
        from convergekit.report.about import About
        from convergekit.report.write import write_excel

        return write_excel(
            self,
            About.of(self.tables),
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
        """Write a report as Markdown, for a ticket, a chat or a repository.

        Parameters
        ----------
        path : str or pathlib.Path
            Such as ``"report.md"``.
        questions : list or mapping, optional
            Which sections, in which order: ``"report"``, ``"funnel"``, ``"trend"``,
            ``"channels"``, ``"spend"``, ``"suspects"``, ``"check-up"``; by default all, ``"spend"``
            only where it is given. A result that you have already is a section too: in a list,
            ``[f, "suspects"]``, or with a heading, ``{"Weekly funnel": f}``, and the code that made
            it, ``{"Trend": (f.trend("W"), 'f.trend("W")')}``.
        spend : DataFrame or Spend, optional
            What was spent, as `marketing` takes it.
        steps : sequence of str, sequence of str, or Step, optional
            Of the funnel and the trend; by default page → cart → order, as far as the names of the
            events say which these are.
        within : str or datetime.timedelta, default "7D"
            Conversion window.
        by : str, optional
            The breakdown of the funnel; by default ``"utm_source"`` where events carry it. Empty
            for none.
        overwrite : bool, default False
            Whether to replace a file that is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        AlreadyThereError
            The file is there already, and `overwrite` is False.
        WriteError
            The system does not let the file be written; an earlier one is unchanged.
        ColumnError
            No column, or more than one, matches the name `by`.
        ConvergekitError
            A question is not known, or a section that was asked for by name cannot be answered.

        See Also
        --------
        to_html, to_excel
        """
        from convergekit.report.about import About
        from convergekit.report.write import write_markdown

        return write_markdown(
            self,
            About.of(self.tables),
            path,
            questions,
            spend=spend,
            steps=steps,
            within=within,
            by=by,
            overwrite=overwrite,
        )

    def to_arrow(self) -> pa.Table:
        """Return the events as an Arrow table, which Polars, DuckDB and others read.

        Returns
        -------
        pyarrow.Table
            The columns of `events`, with their types. Text is not copied. A column of mixed types
            is JSON text.

        Examples
        --------
        >>> import convergekit as ck
        >>> table = ck.stitch(ck.simulate_store().events).to_arrow()
        >>> table.num_rows, str(table.schema.field("timestamp").type)
        (434, 'timestamp[us, tz=UTC]')
        """
        from convergekit.events.arrow import table_of

        return table_of(self.tables.events)

    def to_polars(self) -> pl.DataFrame:
        """Return the events as a Polars frame. Needs Polars.

        Returns
        -------
        polars.DataFrame
            As `to_arrow` gives them.

        Raises
        ------
        ConvergekitError
            Polars is not installed: ``pip install 'convergekit[polars]'``.

        Examples
        --------
        >>> import convergekit as ck
        >>> ck.stitch(ck.simulate_store().events).to_polars().height
        434
        """
        from convergekit.events.arrow import polars_of

        return polars_of(self.tables.events)

    def to_parquet(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Save everything as Parquet files that `convergekit.read_stitched` reads back.

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it does not exist.
        overwrite : bool, default False
            Whether to replace an earlier Stitched in the directory.

        Returns
        -------
        list of pathlib.Path
            The files written.

        Raises
        ------
        AlreadyThereError
            The directory holds such files already, and `overwrite` is False.
        WriteError
            The system does not let the files be written.
        ConvergekitError
            A column holds values that Parquet cannot.

        Notes
        -----
        An earlier Stitched stays until the new one is whole, whatever ends the writing: an error,
        a full disk, a kill, a power cut. `read_stitched` finds one of the two.
        """
        from convergekit.writers.parquet import write_stitched

        return write_stitched(self, directory, overwrite=overwrite)

    def to_converge(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the two tables of Converge's BigQuery export, as Parquet files.

        `events` has the events as they were known when they arrived: `profile_id` is the ID that
        the profile had then, and `profile_properties` are those known by then, whatever this
        Stitched's own `identity` is. `profile_merges` leads to the profiles as they are now.
        ``convergekit.read_events`` reads both back.

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it does not exist.
        overwrite : bool, default False
            Whether to replace earlier tables in the directory.

        Returns
        -------
        list of pathlib.Path
            ``events.parquet`` and ``profile_merges.parquet``.

        Raises
        ------
        AlreadyThereError
            The directory holds such files already, and `overwrite` is False.
        WriteError
            The system does not let the files be written.

        Notes
        -----
        IDs are whole numbers there: the sixteen digits of ours, read as a signed 64-bit integer.
        An event without an ID is named by its row. Identify calls are not events, but what they
        said is in the events after them, and in the merges.

        Earlier tables stay until both new ones are whole. Both are then put into their places;
        killed in that moment, the process may leave one of them in ``.convergekit-new`` below the
        directory. `read_events` reads it there, and the next call puts it into its place.

        Examples
        --------
        >>> import tempfile
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     again = ck.stitch(ck.read_events(s.to_converge(directory)))
        >>> steps = ["PageView", "Added To Cart", "Placed Order"]
        >>> s.funnel(steps, within="7D")
        Funnel(PageView 60 → Added To Cart 30 → Placed Order 18; within 7 days)
        >>> again.funnel(steps, within="7D")
        Funnel(PageView 60 → Added To Cart 30 → Placed Order 18; within 7 days)
        """
        from convergekit.writers.converge import write_converge

        return write_converge(self.tables, directory, overwrite=overwrite)
