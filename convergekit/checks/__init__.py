"""The checks of `check_up`: each looks for one kind of fault."""

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
    thousands,
)
from convergekit.checks.fault import Check

#: In the order of the documentation.
CHECKS: dict[str, Check] = {
    "conversion-without-event-id": conversions.WITHOUT_EVENT_ID,
    "placeholder-event-id": placeholders.EVENT_IDS,
    "event-id-of-other-event": event_ids.OTHER_NAMES,
    "event-id-of-other-amount": event_ids.OTHER_AMOUNTS,
    "event-id-of-other-person": event_ids.OTHER_PEOPLE,
    "event-id-in-scientific-notation": event_ids.ROUNDED,
    "order-id-on-several-conversions": conversions.REPEATED_ORDER_ID,
    "repeated-without-event-id": event_ids.REPEATED,
    "conversion-without-alias": conversions.WITHOUT_ALIAS,
    "orphaned-conversion": conversions.ORPHANED,
    "lines-of-one-order": orders.LINES_OF_ONE,
    "cancelled-order": orders.CANCELLED_ORDERS,
    "templated-alias": alias_values.TEMPLATED,
    "shared-alias": alias_values.SHARED,
    "alias-of-two-types": alias_values.UNDER_TWO_TYPES,
    "placeholder-campaign": placeholders.CAMPAIGNS,
    "own-pages": referrers.OWN_PAGES,
    "detour-referrer": referrers.DETOURS,
    "unread-referrer": referrers.UNREAD,
    "bot": spikes.BOTS,
    "days-without-aliases": spikes.DAYS_WITHOUT_ALIASES,
    "far-time": clocks.FAR,
    "clock-skew": clocks.SKEWED,
    "silence": gaps.SILENT,
    "changing-type": property_values.CHANGING_TYPES,
    "amount-no-number": property_values.UNREADABLE_AMOUNTS,
    "thousands-or-decimals": thousands.THOUSANDS_OR_DECIMALS,
    "several-currencies": property_values.SEVERAL_CURRENCIES,
    "placeholder-property": placeholders.PROPERTIES,
    "event-name-spelling": event_names.SPELLED_DIFFERENTLY,
    "email-address": personal_data.EMAIL_ADDRESSES,
    "card-number": personal_data.CARD_NUMBERS,
}
