"""Shapes that break naive stitchers: stars, chains, cliques, look-alikes, very many types.

`SIZE` is small so that the tests are quick; the same holds at a million, see benchmarks/shapes.py.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest

import convergekit as ck

SIZE = 50_000


def times(size):
    return pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(np.arange(size), unit="s")


def events(size=SIZE, **columns):
    return pd.DataFrame({"event_name": "PageView", "timestamp": times(size)} | columns)


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_one_alias_on_very_many_events(identity):
    frame = events(**{"alias.cookie": "kiosk", "profile_properties.utm_source": None})
    frame.loc[0, "profile_properties.utm_source"] = "ads"
    s = ck.stitch(frame.astype({"profile_properties.utm_source": "str"}), identity=identity)
    assert s.profiles["events"].tolist() == [SIZE]
    assert (s.events["profile.utm_source"] == "ads").all()
    assert s.aliases["events"].tolist() == [SIZE]


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
@pytest.mark.parametrize("order", ["forward", "backward", "inside out"])
def test_a_chain_of_very_many_aliases(identity, order):
    place = {
        "forward": np.arange(SIZE),
        "backward": np.arange(SIZE)[::-1],
        # Every second link first: all are joined in the end by the other half.
        "inside out": np.concatenate([np.arange(0, SIZE, 2), np.arange(1, SIZE, 2)]),
    }[order]
    links = pd.Series([[f"urn:id:v{i}", f"urn:id:v{i + 1}"] for i in place.tolist()])
    s = ck.stitch(events(aliases=links), identity=identity)
    assert s.profiles["aliases.id"].tolist() == [SIZE + 1]
    merged = s.profile_merges
    # A live pipeline had a profile per pair before the other half joined them.
    assert len(merged) == {"forward": 0, "backward": 0, "inside out": SIZE // 2 - 1}[order]
    assert set(merged["new_profile_id"]) <= set(s.profiles["profile_id"]) | set(
        merged["old_profile_id"]
    )


def test_the_chain_can_be_explained_and_asked_about():
    size = 3_000
    links = pd.Series([[f"urn:id:v{i}", f"urn:id:v{i + 1}"] for i in range(size)])
    s = ck.stitch(events(size, aliases=links))
    assert len(s.explain("urn:id:v0", f"urn:id:v{size}").steps) == size
    assert len(s.without("urn:id:v1500", event=None).stitched.profiles) == 2


def test_a_clique_on_one_event():
    size = 300
    frame = events(1, aliases=[[f"urn:id:v{i}" for i in range(size)]])
    s = ck.stitch(frame)
    assert len(s.profiles) == 1
    assert s.alias_graph.number_of_edges() == size * (size - 1) // 2


def test_a_star_of_single_use_tokens_is_no_suspect():
    tokens = pd.Series([f"t{i}" for i in range(SIZE)])
    frame = events(**{"alias.email": "ada@x.org", "alias.cart_token": tokens})
    s = ck.stitch(frame)
    assert s.profiles["aliases.cart_token"].tolist() == [SIZE]
    assert s.suspects.empty


def test_an_address_under_every_visit_is_found():
    addresses = pd.Series([f"a{i}@x.org" for i in range(SIZE)])
    s = ck.stitch(events(**{"alias.cookie": "kiosk", "alias.email": addresses}))
    assert len(s.profiles) == 1
    assert s.suspects["cut"].tolist() == [["urn:cookie:kiosk"]]
    assert s.suspects["parts"].tolist() == [SIZE]


def test_a_hundred_alias_types():
    columns = {f"alias.type{i}": [f"v{i}", f"v{i}" if i == 57 else None] for i in range(100)}
    s = ck.stitch(events(2, **columns))
    assert len(s.profiles) == 1
    assert s.profiles["aliases"].tolist() == [100]
    assert len(s.report.alias_types) == 100


def test_other_letters_stay_apart_and_the_same_text_in_two_forms_does_not():
    cyrillic = "аda@x.org"
    cafe = "café"
    looks = ["ada@x.org", cyrillic, "ada@x.org​", "ADA@X.ORG"]
    s = ck.stitch(events(4, **{"alias.email": looks}))
    assert s.aliases["alias_value"].tolist() == ["ada@x.org", cyrillic]
    forms = [unicodedata.normalize(form, cafe) for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    assert len(ck.stitch(events(2, **{"alias.customer_id": forms})).profiles) == 1
    # Compatibility forms are other characters: an ID is not rewritten.
    assert len(ck.stitch(events(2, **{"alias.customer_id": ["①", "1"]})).profiles) == 2


def test_values_that_look_like_urns_or_reserved_words():
    values = ["urn:email:ada@x.org", "p_0123456789abcdef", "a:b:c", "x" * 10_000, "0x0", "'; --"]
    s = ck.stitch(events(len(values), **{"alias.customer_id": values}))
    assert len(s.profiles) == len(values)
    assert len(s.profile("urn:customer_id:urn:email:ada@x.org")) == 1
    assert len(s.profile("urn:customer_id:a:b:c")) == 1
