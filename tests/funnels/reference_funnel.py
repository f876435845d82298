"""The slow, obvious definition of a funnel: try every choice of events.

Events are dictionaries with `name`, `minute`, `place` (arrival) and, for `hold`, `held`.
"""

from __future__ import annotations


class SlowFunnel:
    def __init__(
        self,
        steps,
        window,
        *,
        exclusions=(),
        on_exclude="remove",
        start=None,
        end=None,
        cut=False,
        only_first=False,
        ties="best",
        order="ordered",
        tolerance=0,
        optional=(),
    ):
        every = [{step} if isinstance(step, str) else set(step) for step in steps]
        self.every_step, self.optional = every, sorted(optional)
        self.required = [i for i in range(len(every)) if i not in self.optional]
        self.steps = [every[i] for i in self.required]
        self.window = window
        self.exclusions = exclusions
        self.on_exclude = on_exclude
        self.start, self.end, self.cut = start, end, cut
        self.only_first = only_first
        self.ties = ties
        self.order = order
        self.tolerance = tolerance

    def profile(self, events):
        """Return (status-free) the times of the best attempt, and whether it was excluded."""
        events = self.prepared(events)
        if self.order == "any":
            return self.any_order(events)
        chains = self.possible(events)
        clean = [chain for chain in chains if self.is_clean(chain, events)]
        deepest = max(map(len, chains), default=0)
        best = min(clean, key=self.rank, default=[])
        void = len(best) < deepest
        excluded = void and (self.on_exclude == "remove" or not best)
        return [event["minute"] for event in best], excluded

    def earliest(self, events):
        """Return the same of the attempt that entered first, of those that get deepest."""
        found = self.each_attempt(self.prepared(events))
        times, _ = min(found, key=lambda one: (-len(one[0]), one[0]), default=([], False))
        void = len(times) < max((free for _, free in found), default=0)
        excluded = void and (self.on_exclude == "remove" or not times)
        return times, excluded

    def prepared(self, events):
        """The events that may take part, each at the time of the first of its tie."""
        if self.cut:
            events = [e for e in events if e["minute"] < self.end]
        names = set().union(*self.every_step, *(names for names, _, _ in self.exclusions))
        tied, anchors = [], {}
        for event in sorted(events, key=lambda e: (e["minute"], e["place"])):
            if event["name"] in names or self.order == "strict":
                anchor = anchors.get(event.get("held"), event["minute"])
                if event["minute"] - anchor > self.tolerance:
                    anchor = event["minute"]
                anchors[event.get("held")] = anchor
                tied.append({**event, "minute": anchor})
        return tied

    def possible(self, events):
        chains = list(self.chains(events))
        if self.order == "strict":
            chains = [chain for chain in chains if self.is_unbroken(chain, events)]
        return chains

    def is_unbroken(self, chain, events):
        """Whether every event between the chain's first and last is of the chain, or let by."""
        used = {event["place"] for event in chain}
        return not any(
            self.key(chain[0]) < self.key(event) < self.key(chain[-1])
            and not self.excludes(event, chain)
            and not self.stands_there(event, chain)
            for event in events
            if event["place"] not in used and self.holds(event, chain)
        )

    def stands_there(self, event, chain):
        """Whether the event is of an optional step that stands where the event lies."""
        key = self.key(event)
        return any(
            event["name"] in self.optional_after(place)
            and self.key(chain[place]) <= key <= self.key(chain[place + 1])
            for place in range(len(chain) - 1)
        )

    def optional_after(self, place):
        """The names of the optional steps between a required step and the next."""
        later = [*self.required, len(self.every_step)]
        between = range(later[place] + 1, later[place + 1])
        return set().union(*(self.every_step[step] for step in between), set())

    def any_order(self, events):
        """The times at which so many steps were done, of the best attempt; whether excluded."""
        everything = set().union(*self.steps)
        starts = [e for e in events if e["name"] in everything and self.in_range(e)]
        if self.only_first and starts:
            earliest = min(self.key(e) for e in starts)
            starts = [e for e in starts if self.key(e) == earliest]
        clean = [self.done_from(start, events, exclusions=True) for start in starts]
        free = [self.done_from(start, events, exclusions=False) for start in starts]
        best = min(clean, key=self.any_rank, default=[])
        void = len(best) < max(map(len, free), default=0)
        excluded = void and (self.on_exclude == "remove" or not best)
        return [key[0] for key in best], excluded

    @staticmethod
    def any_rank(done):
        return -len(done), done[-1], tuple(-k for k in done[0]), done

    def done_from(self, start, events, *, exclusions):
        """The moments at which one more step was done, from a start on."""
        later = [e for e in events if self.key(e) >= self.key(start) and self.holds(e, [start])]
        later = [e for e in later if e["minute"] - start["minute"] <= self.window]
        done = []
        for moment in sorted({self.key(e) for e in later}):
            so_far = [e["name"] for e in later if self.key(e) <= moment]
            done += [moment] * (self.most_steps(so_far, self.steps) - len(done))
            names = {e["name"] for e in later if self.key(e) == moment}
            excluding = set().union(*(names for names, _, _ in self.exclusions), set())
            if exclusions and names & excluding and moment > self.key(start):
                break
        return done

    def most_steps(self, names, steps):
        """The most steps that the events fill, each event once."""
        if not steps:
            return 0
        best = self.most_steps(names, steps[1:])
        for i, name in enumerate(names):
            if name in steps[0]:
                best = max(best, 1 + self.most_steps(names[:i] + names[i + 1 :], steps[1:]))
        return best

    def rank(self, chain):
        """Deepest first; then first there; then latest entry; then each step as early."""
        times = [event["minute"] for event in chain]
        order = [self.key(event) for event in chain]
        return -len(chain), order[-1], tuple(-k for k in order[0]), order[1:], times

    def attempts(self, events):
        """Return every attempt's depth, and whether it is excluded."""
        found = self.each_attempt(self.prepared(events))
        statuses = []
        for times, free in found:
            void = len(times) < free
            statuses.append((len(times), void and (self.on_exclude == "remove" or not times)))
        return sorted(statuses)

    def each_attempt(self, events):
        """Return the times of every attempt, and how deep it gets if nothing is excluded."""
        if self.order == "any":
            everything = set().union(*self.steps)
            starts = [e for e in events if e["name"] in everything and self.in_range(e)]
            if self.only_first and starts:
                earliest = min(self.key(e) for e in starts)
                starts = [e for e in starts if self.key(e) == earliest]
            return [
                (
                    [key[0] for key in self.done_from(start, events, exclusions=True)],
                    len(self.done_from(start, events, exclusions=False)),
                )
                for start in starts
            ]
        chains = self.possible(events)
        found = []
        for start in {chain[0]["place"] for chain in chains}:
            own = [chain for chain in chains if chain[0]["place"] == start]
            clean = [chain for chain in own if self.is_clean(chain, events)]
            best = min(clean, key=self.rank, default=[])
            found.append(([event["minute"] for event in best], max(map(len, own))))
        return found

    def optional_time(self, step, chain, events):
        """Return when an optional step is done, or None.

        By its first event between the steps of the chain, a mapping of steps to events, that
        does not fill another of them.
        """
        last = max(i for i in self.required if i < step)
        if last not in chain:
            return None
        entry, since = chain[0], max(self.key(chain[i]) for i in chain if i < step)
        others = {chain[i]["place"] for i in chain if i in self.required or i < step}
        reached = [self.key(chain[i]) for i in self.required if i > step and i in chain]
        place = self.required.index(last)
        fits = [
            event["minute"]
            for event in events
            if event["name"] in self.every_step[step]
            and event["place"] not in others
            and self.holds(event, [entry])
            and self.key(event) >= since
            and (not reached or self.key(event) <= reached[0])
            and (reached or event["minute"] - entry["minute"] <= self.window)
            and (reached or self.follows(event, chain[last], place, events))
        ]
        return min(fits, default=None)

    def follows(self, event, last, place, events):
        """Whether strict order lets an event of an optional step follow the last required one."""
        return self.order != "strict" or not any(
            self.key(last) < self.key(other) < self.key(event)
            and other["name"] not in self.optional_after(place)
            for other in events
            if self.holds(other, [last])
        )

    def key(self, event):
        return (event["minute"],) if self.ties == "best" else (event["minute"], event["place"])

    def chains(self, events):
        """Every choice of distinct events for the steps, in order of time and in the window."""
        starts = [e for e in events if e["name"] in self.steps[0] and self.in_range(e)]
        if self.only_first and starts:
            earliest = min(self.key(e) for e in starts)
            starts = [e for e in starts if self.key(e) == earliest]
        for start in starts:
            yield from self.extended([start], events)

    def extended(self, chain, events):
        yield chain
        if len(chain) == len(self.steps):
            return
        for event in events:
            used = any(event["place"] == other["place"] for other in chain)
            fits = event["name"] in self.steps[len(chain)]
            held = event.get("held") == chain[0].get("held")
            in_time = event["minute"] - chain[0]["minute"] <= self.window
            if fits and held and in_time and not used and self.key(event) >= self.key(chain[-1]):
                yield from self.extended([*chain, event], events)

    def in_range(self, event):
        after = self.start is None or event["minute"] >= self.start
        return after and (self.end is None or event["minute"] < self.end)

    def is_clean(self, chain, events):
        return not any(self.excludes(event, chain) for event in events)

    def excludes(self, event, chain):
        """Whether the event lies between the two steps of an exclusion that it is of."""
        return any(
            event["name"] in names
            and self.holds(event, chain)
            and after <= len(chain)
            and self.key(chain[after - 1])
            < self.key(event)
            < self.key(chain[min(before, len(chain)) - 1])
            for names, after, before in self.exclusions
        )

    @staticmethod
    def holds(event, chain):
        return event.get("held") == chain[0].get("held")
