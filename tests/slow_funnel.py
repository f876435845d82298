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
    ):
        self.steps = [{step} if isinstance(step, str) else set(step) for step in steps]
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
        names = set().union(*self.steps, *(names for names, _, _ in self.exclusions))
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
        """Whether every event between the chain's first and last is of the chain."""
        used = {event["place"] for event in chain}
        return not any(
            self.key(chain[0]) < self.key(event) < self.key(chain[-1])
            for event in events
            if event["place"] not in used and self.holds(event, chain)
        )

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

    def optional(self, chain, events, step, before, until):
        """Return when an optional step is done: by its first event between two, or None."""
        used = {event["place"] for event in chain}
        fits = [
            event["minute"]
            for event in events
            if event["name"] in step
            and event["place"] not in used
            and self.key(before) <= self.key(event)
            and (self.key(event) <= self.key(until) if until else self.in_window(chain, event))
        ]
        return min(fits, default=None)

    def in_window(self, chain, event):
        return event["minute"] - chain[0]["minute"] <= self.window

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
        for names, after, before in self.exclusions:
            last = min(before, len(chain))
            for event in events:
                if event["name"] in names and last > after and self.holds(event, chain):
                    inside = (
                        self.key(chain[after - 1]) < self.key(event) < self.key(chain[last - 1])
                    )
                    if inside:
                        return False
        return True

    @staticmethod
    def holds(event, chain):
        return event.get("held") == chain[0].get("held")
