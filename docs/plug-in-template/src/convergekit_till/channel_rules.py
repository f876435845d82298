"""The channels of what buyers say at the till."""

import convergekit as ck

RULES = [
    ck.ChannelRule("Podcast", source="the-bean-show|coffee talk", because="our list of podcasts"),
]
