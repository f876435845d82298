"""The checks of `check_up`: each one function that looks for one kind of fault."""

from __future__ import annotations

from convergekit.checks import (
    alias_values,
    clocks,
    conversions,
    event_ids,
    event_names,
    gaps,
    orders,
    personal_data,
    placeholders,
    property_values,
    referrers,
    spikes,
)
from convergekit.checks.fault import Check

#: In the order of the documentation.
CHECKS: dict[str, Check] = {
    "conversion-without-event-id": conversions.without_event_id,
    "placeholder-event-id": placeholders.event_ids,
    "event-id-of-other-event": event_ids.reused_for_other_names,
    "event-id-of-other-amount": event_ids.reused_for_other_amounts,
    "event-id-of-other-person": event_ids.reused_for_other_people,
    "event-id-in-scientific-notation": event_ids.rounded,
    "order-id-on-several-conversions": conversions.repeated_order_id,
    "repeated-without-event-id": event_ids.repeated_without,
    "conversion-without-alias": conversions.without_alias,
    "orphaned-conversion": conversions.orphaned,
    "lines-of-one-order": orders.lines_of_one,
    "cancelled-order": orders.cancelled,
    "templated-alias": alias_values.templated,
    "shared-alias": alias_values.shared,
    "alias-of-two-types": alias_values.under_two_types,
    "placeholder-campaign": placeholders.campaigns,
    "own-pages": referrers.own_pages,
    "detour-referrer": referrers.detours,
    "unread-referrer": referrers.unread,
    "bot": spikes.bots,
    "days-without-aliases": spikes.days_without_aliases,
    "far-time": clocks.far,
    "clock-skew": clocks.skewed,
    "silence": gaps.silent,
    "changing-type": property_values.changing_types,
    "amount-no-number": property_values.unreadable_amounts,
    "several-currencies": property_values.several_currencies,
    "placeholder-property": placeholders.properties,
    "event-name-spelling": event_names.spelled_differently,
    "email-address": personal_data.email_addresses,
    "card-number": personal_data.card_numbers,
}
