"""The exports of ad platforms: by which headings each is known, and what these mean.

A heading is compared without regard to case, accents aside as they are spelled, and without a
currency in brackets. The English names are those of the platforms' own pages, which each
declaration names. The names of other languages are those that public readers of such files expect,
for the platforms' pages do not list them: `Kosten`, `Coût` and their like in an export of Google
Ads, `Ausgegebener Betrag (EUR)`, `Montant dépensé (EUR)`, `Importe gastado (EUR)` and
`Besteed bedrag (EUR)` in one of Meta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PlatformFormat = Literal["google_ads", "meta", "tiktok", "microsoft", "pinterest", "plain"]

#: The columns that are text, in the order of the table.
NAMES = ("platform", "account", "time_zone", "channel", "source", "medium", "campaign",
         "campaign_id", "ad_group", "ad_group_id", "ad", "ad_id")  # fmt: skip
IDS = ("campaign_id", "ad_group_id", "ad_id")
COUNTS = ("impressions", "clicks")
#: What is money, in the row's currency.
MONEY = ("spend", "value")
#: The columns of the table of spend, in their order.
COLUMNS = ("date", *NAMES, "spend", "currency", *COUNTS, "conversions", "value", "file", "line")
#: What a file may say of a row, in the order of `COLUMNS`.
CANONICAL = COLUMNS[:-2]
#: The period of a row, of a report that is not by day unless it is of one day.
FIRST_DAY, LAST_DAY = "first_day", "last_day"


@dataclass(frozen=True)
class Platform:
    """One platform's export.

    Attributes
    ----------
    name : str
    title : str
        What people call it.
    documentation : tuple of str
        Its pages on the columns of reports.
    headings : mapping of str to tuple of str
        For each canonical column the headings that hold it, in lower case, the first that a file
        has first.
    proofs : tuple of set of str
        Headings that no other platform's export has, each set enough by itself.
    by_day : str
        What to click for a row per day.
    preamble : str
        How a line above the header begins, in lower case, that proves the platform too; empty
        where there is none.
    time_zone : str or None
        Of the days, where the platform has only one.
    """

    name: str
    title: str
    documentation: tuple[str, ...]
    headings: Mapping[str, tuple[str, ...]]
    proofs: tuple[frozenset[str], ...]
    by_day: str
    preamble: str = ""
    time_zone: str | None = None

    @property
    def meanings(self) -> dict[str, str]:
        """The canonical column of each heading."""
        return {one: name for name, headings in self.headings.items() for one in headings}


def _proofs(*headings: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split("|")) for one in headings)


GOOGLE_ADS = Platform(
    name="google_ads",
    title="Google Ads",
    documentation=(
        "https://support.google.com/google-ads/answer/2454071",
        "https://support.google.com/google-ads/answer/2404176",
        "https://developers.google.com/adwords/api/docs/appendix/reports/campaign-performance-report",
    ),
    headings={
        "date": ("day", "date", "tag", "jour", "día", "dag"),
        "account": ("account name", "account", "customer id"),
        "time_zone": ("time zone",),
        "campaign": ("campaign", "kampagne", "campagne", "campaña"),
        "campaign_id": ("campaign id",),
        "ad_group": ("ad group", "groupe d'annonces"),
        "ad_group_id": ("ad group id",),
        "ad": ("ad name",),
        "ad_id": ("ad id",),
        "spend": ("cost", "kosten", "coût", "coste", "costo"),
        "currency": ("currency code", "currency", "währungscode", "code de la devise"),
        "impressions": ("impr.", "impressions", "impressionen", "impresiones", "vertoningen"),
        "clicks": ("clicks", "klicks", "clics", "klikken"),
        "conversions": ("conversions", "conv.", "conversiones", "conversies"),
        "value": (
            *("conv. value", "total conv. value", "conversion value", "conv.-wert"),
            *("valeur de conv.", "valor de conv.", "conv.waarde"),
        ),
    },
    proofs=_proofs(
        *("impr.|cost", "currency code|cost", "conv. value|cost", "day|campaign|cost"),
        *("impr.|kosten", "impr.|coût", "impr.|coste", "impr.|costo", "tag|kampagne|kosten"),
        *("jour|campagne|coût", "día|campaña|coste", "día|campaña|costo", "dag|campagne|kosten"),
    ),
    by_day="add the segment Time > Day to the table, or the column Day to the report",
)

META = Platform(
    name="meta",
    title="Meta Ads Manager",
    documentation=(
        "https://developers.facebook.com/docs/marketing-api/reference/ad-account/insights/",
    ),
    headings={
        "date": ("day", "tag", "jour", "día", "dag", "giorno", "dia"),
        FIRST_DAY: (
            *("reporting starts", "début des rapports", "inicio del informe", "start rapportage"),
            "início dos relatórios",
        ),
        LAST_DAY: (
            *("reporting ends", "fin des rapports", "fin del informe", "einde rapportage"),
            "término dos relatórios",
        ),
        "account": ("account name", "nom du compte", "nombre de la cuenta", "account id"),
        "campaign": (
            *("campaign name", "kampagnenname", "nom de la campagne", "nombre de la campaña"),
            *("naam campagne", "campagnenaam", "nome della campagna", "nome da campanha"),
        ),
        "campaign_id": ("campaign id", "campagne-id"),
        "ad_group": (
            *("ad set name", "name der anzeigengruppe", "nom de l'ensemble de publicités"),
            *("nombre del conjunto de anuncios", "naam advertentieset"),
            *("nome del gruppo di inserzioni", "nome do conjunto de anúncios"),
        ),
        "ad_group_id": ("ad set id",),
        "ad": (
            *("ad name", "anzeigenname", "nom de la publicité", "nombre del anuncio"),
            *("naam advertentie", "nome dell'inserzione", "nome do anúncio"),
        ),
        "ad_id": ("ad id", "advertentie-id"),
        "spend": (
            *("amount spent", "ausgegebener betrag", "montant dépensé", "importe gastado"),
            *("besteed bedrag", "importo speso", "valor gasto", "valor usado"),
        ),
        "currency": ("currency", "divisa"),
        "impressions": (
            *("impressions", "impressionen", "impresiones", "vertoningen", "weergaven"),
            *("impression", "impressioni", "impressões"),
        ),
        "clicks": (
            *("link clicks", "link-klicks", "clics sur le lien", "clics sur un lien"),
            *("clics en el enlace", "klikken op links", "clic sul link", "cliques no link"),
            *("clicks (all)", "klicks (alle)", "clics (tous)", "clics (todos)"),
            *("klikken (alle)", "clic (tutti)", "cliques (todos)"),
        ),
        "conversions": (
            *("purchases", "achats", "compras", "aankopen"),
            *("website purchases", "website-käufe", "achats sur le site web"),
            *("compras en el sitio web", "acquisti sul sito web", "compras no site"),
        ),
        "value": (
            *("purchases conversion value", "purchase conversion value"),
            *("website purchases conversion value", "valeur de conversion des achats"),
            *("valor de conversión de compras", "conversiewaarde van aankopen"),
        ),
    },
    proofs=_proofs(
        *("amount spent|day", "amount spent|reporting starts", "amount spent|link clicks"),
        *("ausgegebener betrag|tag", "montant dépensé|jour", "montant dépensé|début des rapports"),
        *("importe gastado|día", "importe gastado|inicio del informe", "besteed bedrag|dag"),
        *("besteed bedrag|start rapportage", "importo speso|giorno", "valor gasto|dia"),
        *("valor usado|dia", "valor gasto|início dos relatórios"),
        "valor usado|início dos relatórios",
    ),
    by_day="choose the breakdown By time > Day before you export",
)

TIKTOK = Platform(
    name="tiktok",
    title="TikTok Ads Manager",
    documentation=(
        "https://ads.tiktok.com/help/article/basic-data",
        "https://ads.tiktok.com/help/article/create-scheduled-reports",
    ),
    headings={
        "date": ("by day", "date", "day", "stat time", "stat_time_day", "stat time day"),
        "account": ("account name", "advertiser name", "account id", "advertiser id"),
        "time_zone": ("time zone",),
        "campaign": ("campaign name",),
        "campaign_id": ("campaign id",),
        "ad_group": ("ad group name",),
        "ad_group_id": ("ad group id",),
        "ad": ("ad name",),
        "ad_id": ("ad id",),
        "spend": ("cost", "total cost"),
        "currency": ("currency",),
        "impressions": ("impressions", "impression"),
        "clicks": ("clicks (destination)", "clicks", "clicks (all)"),
        "conversions": ("complete payment", "total complete payment", "purchases", "conversions"),
        "value": ("total complete payment value", "complete payment value", "purchase value"),
    },
    proofs=_proofs(
        *("by day|cost", "clicks (destination)|cost", "complete payment|cost"),
        *("stat_time_day|cost", "stat time|total cost", "campaign name|ad group name|cost"),
    ),
    by_day="add the dimension By Day to the custom report",
)

MICROSOFT = Platform(
    name="microsoft",
    title="Microsoft Advertising",
    documentation=(
        "https://learn.microsoft.com/en-us/advertising/guides/reports",
        "https://learn.microsoft.com/en-us/advertising/reporting-service/campaignperformancereportcolumn",
    ),
    headings={
        "date": ("gregorian date", "timeperiod", "time period", "date", "day"),
        "account": ("account name", "accountname", "account number", "accountnumber", "accountid"),
        "time_zone": ("time zone",),
        "campaign": ("campaign name", "campaignname", "campaign"),
        "campaign_id": ("campaign id", "campaignid"),
        "ad_group": ("ad group", "ad group name", "adgroupname"),
        "ad_group_id": ("ad group id", "adgroupid"),
        "ad": ("ad title", "adtitle"),
        "ad_id": ("ad id", "adid"),
        "spend": ("spend",),
        "currency": ("currency code", "currencycode"),
        "impressions": ("impressions",),
        "clicks": ("clicks",),
        "conversions": ("conversions", "conversionsqualified"),
        "value": ("revenue",),
    },
    proofs=_proofs("gregorian date", "timeperiod|spend", "campaignname|spend"),
    by_day="set the unit of time of the report to Day",
    preamble="report name:",
)

PINTEREST = Platform(
    name="pinterest",
    title="Pinterest Ads",
    documentation=(
        "https://help.pinterest.com/en/business/article/reporting-dashboard-overview",
        "https://help.pinterest.com/en/ad-reporting",
    ),
    headings={
        "date": ("date", "day"),
        "account": ("ad account name", "account name", "ad account id", "account id"),
        "campaign": ("campaign name",),
        "campaign_id": ("campaign id",),
        "ad_group": ("ad group name",),
        "ad_group_id": ("ad group id",),
        "ad": ("ad name",),
        "ad_id": ("ad id",),
        "spend": ("spend in account currency", "spend"),
        "currency": ("currency", "account currency"),
        "impressions": ("impressions", "impression"),
        "clicks": ("outbound clicks", "pin clicks", "clicks"),
        "conversions": ("checkouts", "total conversions (checkout)"),
        "value": ("checkout value in account currency", "total order value (checkout)"),
    },
    proofs=_proofs("spend in account currency", "pin clicks|spend", "outbound clicks|spend"),
    by_day="set the granularity of the report to Day",
    # "Keep in mind that all data is displayed in UTC", https://help.pinterest.com/en/ad-reporting.
    time_zone="UTC",
)

PLAIN = Platform(
    name="plain",
    title="a plain table",
    documentation=(),
    headings={name: (name, name.replace("_", " ")) for name in CANONICAL},
    proofs=_proofs("date|spend"),
    by_day="give each row its day in a column date",
)

#: In the order in which they are named.
PLATFORMS = {
    one.name: one for one in (GOOGLE_ADS, META, TIKTOK, MICROSOFT, PINTEREST, PLAIN)
}  # fmt: skip
