"""RudderStack: Segment's calls, with `channel` on every one of them.

https://www.rudderstack.com/docs/event-spec/standard-events/common-fields/ documents `channel`,
`context`, `type` and `originalTimestamp` as required, and the same meaning of `userId`,
`anonymousId`, `messageId`, `sentAt` and `receivedAt`. Traits of an identify call stand in
`context.traits`. RudderStack's warehouse tables are read as Segment's (`vendors.segment_tables`).
"""

from __future__ import annotations

from dataclasses import replace

from convergekit.readers.vendors.segment import SEGMENT

RUDDERSTACK = replace(
    SEGMENT,
    name="rudderstack",
    documentation="https://www.rudderstack.com/docs/event-spec/standard-events/common-fields/",
    recognised_by=[
        ["messageId", "type", "channel", "originalTimestamp", "anonymousId"],
        ["messageId", "type", "channel", "originalTimestamp", "userId"],
    ],
)
