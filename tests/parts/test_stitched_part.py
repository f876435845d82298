"""A part that is loaded is the part that was stitched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, same_frames
from tests.parts.test_parts import known, options
from tests.store.store_cases import batches

NUMBERS = ("component", "profile", "in_time")
OF_ALIASES = ("event", "alias")
REFUSED = ("first", "second", "event", "events", "together")


@given(batches(), options, st.sampled_from([1, 3]))
@tries(40)
def test_a_loaded_part_is_the_one_that_was_stitched(frames, asked, parts):
    if not frames or known(frames, asked) is None:
        return
    with by_parts(frames, parts, **asked) as found:
        for number in range(parts):
            check_same(found._run.part(number), found._run.from_rows(number))


def check_same(loaded, stitched):
    same_frames(loaded.events, stitched.events)
    for name in ("rejected", "duplicates", "malformed"):
        same_frames(getattr(loaded, name), getattr(stitched, name))
    one, other = loaded.resolution, stitched.resolution
    assert one.profile_ids.tolist() == other.profile_ids.tolist()
    assert one.protection == other.protection
    arrays(one, other, NUMBERS)
    arrays(one.aliases, other.aliases, OF_ALIASES)
    arrays(one.refused, other.refused, REFUSED)
    assert one.refused.alias_type == other.refused.alias_type
    pd.testing.assert_frame_equal(one.aliases.table, other.aliases.table)
    same_frames(one.aliases.blocked, other.aliases.blocked)
    assert one.aliases.look_alikes == other.aliases.look_alikes
    np.testing.assert_array_equal(one.aliases.own, other.aliases.own)
    assert loaded.remarks == stitched.remarks
    assert loaded.observed_until == stitched.observed_until
    assert list(loaded.carried_from) == list(stitched.carried_from)
    arrays(loaded.carried_from, stitched.carried_from, stitched.carried_from)
    same_frames(loaded.profile_merges, stitched.profile_merges)
    same_frames(loaded.profiles, stitched.profiles)


def arrays(found, expected, names):
    for name in names:
        one, other = (
            given[name] if hasattr(given, "keys") else getattr(given, name)
            for given in (found, expected)
        )
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_values_that_are_not_carried_are_not_known():
    with by_parts([ck.simulate_store(people=5).events], 2) as found:
        part = found._run.part(0)
        with pytest.raises(ck.UnknownNameError, match="no event carries"):
            part.provenance("shoe_size")


@pytest.mark.parametrize("damage", [b"", b"not numbers", None])
def test_damaged_numbers_are_told(damage):
    with by_parts([ck.simulate_store(people=5).events], 2) as found:
        path = found.workdir / "facts" / "numbers-00001.arrow"
        other = found.workdir / "facts" / "numbers-00000.arrow"
        path.write_bytes(other.read_bytes() if damage is None else damage)
        with pytest.raises(ck.ReadError, match=r"numbers-00001\.arrow is not as it was written"):
            found.counts()
