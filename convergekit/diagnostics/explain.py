"""Explain why two aliases are on one profile: the shortest chain, event by event."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.figures.card import TextResult

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.identity.tables import StitchedEvents


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(TextResult):
    """Why two aliases are one profile, or that they are not.

    Attributes
    ----------
    alias_a, alias_b : str
        The two URNs, normalised.
    linked : bool
        Whether they belong to one profile.
    profile_a, profile_b : str
        Their profile IDs; equal when linked.
    steps : pandas.DataFrame
        One row per hop of the shortest chain: `step` (from 1), `alias_from`, `alias_to`, and of
        the first event that links the two `row`, `event_id`, `event_name`, `timestamp`,
        `source`; `events` says how many link them in all. Empty when they are not linked.
    refused : pandas.DataFrame
        The rows of `Stitched.refused_links` that would have joined the two profiles.
    """

    alias_a: str
    alias_b: str
    linked: bool
    profile_a: str
    profile_b: str
    steps: pd.DataFrame
    refused: pd.DataFrame

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return the chain from left to right as a `plotly.graph_objects.Figure`.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, or as its names need, and as high as what
            it shows.
        """
        from convergekit.diagnostics.explain_figure import explanation_figure
        from convergekit.figures.style import Style

        return explanation_figure(self, Style(template, width, height))

    def _sentences(self) -> list[str]:
        if not self.linked:
            why = (
                "limits refused to link them"
                if len(self.refused)
                else "no chain of events joins them"
            )
            return [
                f"{self.alias_a}, on profile {self.profile_a}, and {self.alias_b}, on "
                f"{self.profile_b}, are not linked: {why}.",
                *(_refusal(link) for link in self.refused.to_dict("records")),
            ]
        if not len(self.steps):
            return [f"{self.alias_a} is one alias of profile {self.profile_a}."]
        links = counted(len(self.steps), "link")
        lines = [
            f"{self.alias_a} and {self.alias_b} are one profile, {self.profile_a}, by {links}:"
        ]
        return lines + [_sentence(step) for step in self.steps.to_dict("records")]


def explain(s: StitchedEvents, alias_a: str, alias_b: str) -> Explanation:
    """Return the shortest chain of aliases between two. See `Stitched.explain`."""
    # Events that a segment leaves out may be what links the two.
    s = s.whole
    found = s.resolution
    first, second = s.alias_position(alias_a), s.alias_position(alias_b)
    urn_a, urn_b = found.aliases.urns(np.array([first, second]))
    profile_a, profile_b = found.profile_ids.iloc[found.component[[first, second]]]
    chain: list[str] = []
    graph = nx.Graph()
    if profile_a == profile_b:
        graph = s.graph_of(found.profile == found.component[first])
        chain = nx.shortest_path(graph, urn_a, urn_b)
    return Explanation(
        alias_a=urn_a,
        alias_b=urn_b,
        linked=profile_a == profile_b,
        profile_a=profile_a,
        profile_b=profile_b,
        steps=_steps(s.events, graph, chain),
        refused=_refused_between(s, profile_a, profile_b),
    )


def _refused_between(s: StitchedEvents, profile_a: str, profile_b: str) -> pd.DataFrame:
    links = s.refused_links
    between = links["profile_id_a"].isin([profile_a, profile_b]) & links["profile_id_b"].isin(
        [profile_a, profile_b]
    )
    return links[between].reset_index(drop=True)


def _refusal(link: dict[str, object]) -> str:
    return (
        f"{link['alias_a']} met {link['alias_b']} on {_event(link)} at "
        f"{link['timestamp']:%Y-%m-%d %H:%M:%S} UTC (row {link['row']}), which would have made "
        f"{link['values']} values of {link['limited']} on one profile; the limit is "
        f"{link['limit']}."
    )


def _steps(events: pd.DataFrame, graph: nx.Graph[str], chain: list[str]) -> pd.DataFrame:
    hops = list(itertools.pairwise(chain))
    links = [graph.edges[hop] for hop in hops]
    linking = events.set_index("row").loc[[link["row"] for link in links]].reset_index()
    return pd.DataFrame(
        {
            "step": np.arange(1, len(hops) + 1),
            "alias_from": pd.Series([a for a, _ in hops], dtype="str"),
            "alias_to": pd.Series([b for _, b in hops], dtype="str"),
            **{name: linking[name] for name in _EVENT_COLUMNS},
            "events": pd.Series([link["events"] for link in links], dtype="int64"),
        }
    )


_EVENT_COLUMNS = ("row", "event_id", "event_name", "timestamp", "source")


def _sentence(step: dict[str, object]) -> str:
    event = _event(step)
    source = step["source"]
    of_source = f" from {source}" if isinstance(source, str) else ""
    more = int(str(step["events"])) - 1
    others = f", and on {counted(more, 'more event')}" if more else ""
    return (
        f"{step['alias_from']} met {step['alias_to']} on {event}{of_source} "
        f"at {step['timestamp']:%Y-%m-%d %H:%M:%S} UTC (row {step['row']}){others}"
    )


def _event(named: dict[str, object]) -> str:
    name = named["event_name"]
    return f"{name!r}" if isinstance(name, str) else "an identify call"
