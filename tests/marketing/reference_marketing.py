"""Marketing, slowly: one order, one visit and one row of spend after another."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import pandas as pd

PLATFORMS = {"google": "google_ads", "meta": "meta", "bing": "microsoft"}


def campaign_of(visit, spend):
    """Return the campaign of the spend, by its place, that a visit came from by name; or None."""
    tag = visit["utm_campaign"]
    if not isinstance(tag, str):
        return None
    source = visit["utm_source"] if isinstance(visit["utm_source"], str) else None
    platform = PLATFORMS.get(source)
    found = set()
    for row in spend.to_dict("records"):
        name = row["campaign"]
        if not isinstance(name, str) or name.strip().lower() != tag.strip().lower():
            continue
        if row["platform"] == (platform or source) or source is None:
            found.add((row["platform"], name.strip().lower()))
    return found.pop() if len(found) == 1 else None


def doubtful(visits, spend):
    """Return the campaigns whose name some visit shares with another campaign."""
    found = set()
    for visit in visits.to_dict("records"):
        tag = visit["utm_campaign"]
        if isinstance(tag, str) and not isinstance(visit["utm_source"], str):
            alike = {
                (row["platform"], row["campaign"].strip().lower())
                for row in spend.to_dict("records")
                if row["campaign"].strip().lower() == tag.strip().lower()
            }
            if len(alike) > 1:
                found |= alike
    return found


def channels_of_spend(s, spend):
    """Return the channel of each row of spend: that of most of its campaign's visits."""
    visits = s.sessions()
    visits = visits[visits["channel"].notna()]
    never = doubtful(visits, spend)
    counts = defaultdict(lambda: defaultdict(int))
    for visit in visits.to_dict("records"):
        campaign = campaign_of(visit, spend)
        if campaign is not None and campaign not in never:
            counts[campaign][visit["channel"]] += 1
    found = []
    for row in spend.to_dict("records"):
        of = counts.get((row["platform"], row["campaign"].strip().lower()))
        best = min(of, key=lambda name: (-of[name], name)) if of else "(unmatched spend)"
        found.append(best)
    return found


def by_channel(s, spend, model, freq, dated="order"):
    """Return spend, visits, orders, revenue, new customers and their revenue of each cell."""
    cells = defaultdict(lambda: [Decimal(0), 0, Fraction(0), 0, Fraction(0), 0])

    def period(time):
        return time.tz_localize(None).to_period(freq).start_time

    for row, channel in zip(spend.to_dict("records"), channels_of_spend(s, spend), strict=True):
        day = pd.Timestamp(row["date"]).to_period(freq).start_time
        cells[day, channel][0] += Decimal(str(row["spend"]))
    for visit in s.sessions().dropna(subset="channel").to_dict("records"):
        cells[period(visit["arrived"]), visit["channel"]][1] += 1
    shared = s.attribution("Placed Order", "total_price", model).credits
    seen = set()
    first = set()
    for order in shared.drop_duplicates("row").sort_values(["timestamp", "row"]).to_dict("records"):
        who = order["profile_id"]
        if isinstance(who, str) and who not in seen:
            seen.add(who)
            first.add(order["row"])
    for credit in shared.to_dict("records"):
        touched = dated == "touch" and not pd.isna(credit["arrived"])
        when = period(credit["arrived"] if touched else credit["timestamp"])
        cell = cells[when, credit["channel"]]
        share = Fraction(credit["credit"]).limit_denominator(10_000)
        cell[2] += share
        cell[3] += round(credit["value"] * 100)
        if credit["row"] in first:
            cell[4] += share
            cell[5] += round(credit["value"] * 100)
    return {key: cell for key, cell in cells.items() if any(cell)}


def mean_cumulative(orders, end, age):
    """Return what a customer has brought by an age: (start, [(time, amount)]) of each customer.

    At each age of an order, what was bought at it per head of those who are observed for so long.
    """
    total = 0.0
    for start, bought in orders:
        for time, amount in bought:
            waited = time - start
            if waited <= age:
                total += amount / sum(end - other >= waited for other, _ in orders)
    return total
