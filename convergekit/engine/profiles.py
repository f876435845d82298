"""An engine's profiles: the components of the alias graph, with the IDs they have in memory."""

from __future__ import annotations

from typing import Any

import ibis

from convergekit.engine.aliases import USABLE, alias_type_of, alias_value_of
from convergekit.engine.backends import Backend
from convergekit.engine.columns import OWN
from convergekit.engine.links import Progress, connected_components
from convergekit.identity.profiles import TYPE_PRIORITY

#: An alias's type and value as one text, and its number.
KEY, NUMBER = OWN + "key", OWN + "number"


def find_profiles(backend: Backend, events: Any, progress: Progress | None) -> Any:
    """Return every alias of the events, and the profile that it is of.

    Parameters
    ----------
    backend : Backend
    events : ibis.Table
        The kept events, with `USABLE`.
    progress : callable, optional
        As `connected_components` takes it.

    Returns
    -------
    ibis.Table
        `KEY`, `alias_type`, `alias_value`, `profile_id`, `first_seen`, `last_seen`, `events`.
    """
    aliases = backend.keep(_aliases(backend, events))
    links = backend.keep(_links(events, aliases))
    component = connected_components(backend, links, progress)
    found = backend.keep(_identified(aliases, component))
    backend.drop(aliases, links)
    return found


def _aliases(backend: Backend, events: Any) -> Any:
    carried = events.select("timestamp", **{KEY: events[USABLE].unnest()})
    seen = carried.group_by(KEY).aggregate(
        first_seen=carried["timestamp"].min(),
        last_seen=carried["timestamp"].max(),
        events=carried.count(),
    )
    parts = {"alias_type": alias_type_of(seen[KEY]), "alias_value": alias_value_of(seen[KEY])}
    return backend.numbered(seen.mutate(**parts), NUMBER)


def _links(events: Any, aliases: Any) -> Any:
    """Return which aliases met on an event: the first of each event with each of its others."""
    several = events.filter(events[USABLE].length() > 1)
    met = several.select(one=several[USABLE][0], other=several[USABLE][1:].unnest()).distinct()
    first, second = aliases.select(KEY, NUMBER), aliases.select(KEY, NUMBER).view()
    ends = met.inner_join(first, met["one"] == first[KEY])
    ends = ends.select(one=first[NUMBER], other=met["other"])
    ends = ends.inner_join(second, ends["other"] == second[KEY])
    ends = ends.select(one=ends["one"], other=second[NUMBER])
    return ends.select(
        low=ibis.least(ends["one"], ends["other"]), high=ibis.greatest(ends["one"], ends["other"])
    ).distinct()


def _identified(aliases: Any, component: Any) -> Any:
    """Return the aliases with the ID of their profile: that of its earliest alias."""
    joined = aliases.left_join(component, aliases[NUMBER] == component["vertex"])
    joined = joined.select(
        *aliases.columns, component=ibis.coalesce(component["component"], aliases[NUMBER])
    )
    priority = joined["alias_type"].cases(
        *((name, place) for place, name in enumerate(TYPE_PRIORITY)), else_=len(TYPE_PRIORITY)
    )
    earliest = ibis.window(
        group_by="component", order_by=["first_seen", priority, "alias_type", "alias_value"]
    )
    leader = ibis.literal("urn:") + joined[KEY].first().over(earliest)
    profile_id = ibis.literal("p_") + leader.hexdigest("sha256").lower().substr(0, 16)
    columns = ("first_seen", "last_seen", "events")
    return joined.mutate(profile_id=profile_id).select(
        KEY, "alias_type", "alias_value", "profile_id", *columns
    )
