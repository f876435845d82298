"""Snowplow's enriched events as tab-separated values: 131 fields a line, without a header.

The order is that of the analytics SDKs, such as
https://github.com/snowplow/snowplow-python-analytics-sdk (``event_transformer.py``); the names are
those of https://docs.snowplow.io/docs/fundamentals/canonical-event. It does not quote: tabs and
line breaks in a value are spaces, and JSON stands as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NAMES = """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id
    name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid
    domain_sessionidx network_userid geo_country geo_region geo_city geo_zipcode geo_latitude
    geo_longitude geo_region_name ip_isp ip_organization ip_domain ip_netspeed page_url page_title
    page_referrer page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery
    page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content
    mkt_campaign contexts se_category se_action se_label se_property se_value unstruct_event
    tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country ti_orderid
    ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min
    pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine br_lang
    br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears
    br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
    os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight
    doc_charset doc_width doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base
    ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags
    dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid
    derived_tstamp event_vendor event_name event_format event_version event_fingerprint
    true_tstamp
"""
#: The fields of a line, in their order.
ENRICHED = tuple(_NAMES.split())
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_enriched(line: str) -> bool:
    r"""Return whether a line is an enriched event: 131 fields, a time and a UUID in their places.

    Examples
    --------
    >>> cells = dict.fromkeys(ENRICHED, "")
    >>> cells["collector_tstamp"] = "2026-03-02 09:08:01.121"
    >>> cells["event_id"] = "f1a20968-586a-4bec-9da1-c797bfed44a2"
    >>> is_enriched("\t".join(cells.values())), is_enriched("\t".join(ENRICHED))
    (True, False)
    """
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) != len(ENRICHED):
        return False
    time, event_id = (cells[ENRICHED.index(name)] for name in ("collector_tstamp", "event_id"))
    return bool(_TIME.match(time) and _UUID.fullmatch(event_id))


def unquoted(lines: Iterable[str]) -> Iterator[list[str]]:
    r"""Yield the cells of each line, a line without any as no cells.

    Examples
    --------
    >>> list(unquoted(['a\t{"b": 1}\n', "\n"]))
    [['a', '{"b": 1}'], []]
    """
    for line in lines:
        text = line.rstrip("\r\n")
        yield text.split("\t") if text else []
