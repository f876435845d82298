"""What waits before a change of device say, on worlds where it is known what they should."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.certainty.changes import NextVisits
from convergekit.certainty.parts import parts_of

DAY = 86_400


def stitched(visits):
    """Return the stitched events of visits: person, day, cookie, and whether it identifies."""
    person, day, cookie, identifies = zip(*visits, strict=True)
    mail = [
        f"p{one}@x.org" if known else None for one, known in zip(person, identifies, strict=True)
    ]
    seconds = pd.to_timedelta((np.array(day) * DAY).round(), unit="s")
    return ck.stitch(
        pd.DataFrame(
            {
                "event_name": "PageView",
                "timestamp": pd.Timestamp("2026-03-02", tz="UTC") + seconds,
                "alias.cookie": cookie,
                "alias.email": mail,
            }
        )
    ).tables


def found(visits):
    s = stitched(visits)
    return NextVisits.of(s, parts_of(s)).changes()


def errands(rng, *, compete, people=250):
    """Return visits of errands that may move once between four devices.

    Where errands compete, the last visit alone identifies its device.
    """
    visits = []
    for person in range(people):
        for start in rng.random(2) * 40:
            days = start + np.cumsum(rng.exponential(0.5, size=3))
            first, last = rng.integers(4, size=2)
            for at, day in enumerate(days):
                identifies = at == 2 if compete else rng.random() < 1 / 3
                visits.append((person, day, f"c{person}.{last if at == 2 else first}", identifies))
    return visits


def expiring(rng, people=250):
    """Return visits of one device each, whose cookies are new every four days."""
    return [
        (person, day, f"c{person}.{int(day // 4)}", rng.random() < 0.5)
        for person in range(people)
        for start in rng.random(4) * 40
        for day in start + np.cumsum(rng.exponential(0.5, size=2))
    ]


def test_devices_taken_at_random_lack_no_pairs():
    rng = np.random.default_rng(1)
    visits = [
        (person, day, f"c{person}.{rng.integers(3)}", rng.random() < 0.3)
        for person in range(250)
        for start in rng.random(3) * 40
        for day in start + np.cumsum(rng.exponential(0.5, size=2))
    ]
    assert found(visits).missing < 1.1


def test_where_one_order_ends_an_errand_pairs_are_missing():
    changes = found(errands(np.random.default_rng(1), compete=True))
    otherwise = found(errands(np.random.default_rng(1), compete=False))
    assert changes.missing > otherwise.missing + 0.1
    assert changes.expired < 0.2
    assert changes.likely > 1.1


def test_an_expired_cookie_is_not_taken_for_a_device():
    changes = found(expiring(np.random.default_rng(1)))
    assert changes.missing > 1.3
    assert changes.expired > 0.9
    assert changes.likely == pytest.approx(1.0, abs=0.1)


def test_who_never_changed_says_nothing():
    changes = found([(1, 0.0, "a", True), (1, 1.0, "a", True), (2, 0.0, "b", False)])
    assert (changes.missing, changes.likely, changes.expired) == (1.0, 1.0, 0.0)
    assert changes.soon.tolist() == [DAY * 1_000_000]


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_loop_over_visits_finds(seed):
    visits = errands(np.random.default_rng(seed), compete=True, people=12)
    known = {cookie for _, _, cookie, identifies in visits if identifies}
    seen: dict = {}
    for person, day, cookie, _ in sorted(visits, key=lambda visit: visit[1]):
        if cookie in known:
            seen.setdefault(person, []).append((round(day * DAY), cookie))
    same, changed, sure = [], [], 0
    for mine in seen.values():
        for at, (one, other) in enumerate(pairwise(mine)):
            wait = other[0] - one[0]
            if one[1] == other[1]:
                # Half an hour ends a visit.
                same += [wait] if wait > 1800 else []
                continue
            changed.append(wait)
            left = any(cookie == one[1] for _, cookie in mine[at + 2 :])
            sure += left or any(cookie == other[1] for _, cookie in mine[: at + 1])
    same.sort()
    limit = same[(len(same) + 1) // 2 - 1]
    usual = sum(wait <= limit for wait in same) / len(same)
    share = (sum(wait <= limit for wait in changed) + 10 * usual) / (len(changed) + 10)
    changes = found(visits)
    assert changes.missing == pytest.approx(max((1 - share) / (1 - usual), 1), rel=1e-5)
    assert changes.expired == pytest.approx(max(1 - 2 * sure / len(changed), 0), abs=1e-5)
