"""Random calls: no write, no path outside, no alias in any answer."""

from __future__ import annotations

import tempfile

from convergekit.machines.session import Session
from tests.effort import scaled
from tests.machines.calls import every_call, fuzz, watching
from tests.machines.stores import stores


def test_random_calls_do_nothing_but_answer():
    store = stores()[0]
    session = Session(store.s, store.spend)
    # Modules are imported, and compiled, when they are first needed.
    for name, given in every_call():
        session.ask(name, given)
    counts = fuzz(session, 7, scaled(1500))
    assert min(counts.values()) > 0


def test_the_watch_sees_what_is_done(tmp_path):
    with watching() as done, open(tmp_path / "a", "w", encoding="utf-8"):
        pass
    assert done
    with watching() as done, tempfile.TemporaryDirectory():
        pass
    assert done
