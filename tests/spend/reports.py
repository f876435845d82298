"""Reports as the platforms write them, made up: titles, totals and notes, several languages."""

from __future__ import annotations

GOOGLE = """Campaign report
"September 1, 2026 - September 3, 2026"
Day,Campaign,Campaign ID,Currency code,Cost,Impr.,Clicks,CTR,Conversions,Conv. value
2026-09-01,Spring & Co,12345678901,CAD,12.34,"1,234",7,0.57%,1.00,99.90
2026-09-02,Spring & Co,12345678901,CAD,"1,020.50","10,500",88,0.84%,2.50,"1,200.00"
2026-09-01,Brand,22222222222,CAD,3.10,40,2,5.00%,0.00,0.00
2026-09-03,Brand,22222222222,CAD,0.00,0,0,--,--,--
Total: Account,--,--,CAD,"1,035.94","11,774",97,0.82%,3.50,"1,299.90"
Total: Search,--,--,CAD,"1,035.94","11,774",97,0.82%,3.50,"1,299.90"
"""

GOOGLE_GERMAN = """Kampagnenbericht
"1. September 2026 - 2. September 2026"
Tag,Kampagne,Währungscode,Kosten,Impr.,Klicks,Conversions,Conv.-Wert
2026-09-01,Frühling,EUR,"1.234,56","12.345",120,"3,00","300,00"
2026-09-02,Frühling,EUR,"99,90",900,9,"0,50","12,50"
Gesamt: Konto,--,EUR,"1.334,46","13.245",129,"3,50","312,50"
"""

GOOGLE_FRENCH = """Rapport sur les campagnes
"1 sept. 2026 - 2 sept. 2026"
Jour;Campagne;Code de la devise;Coût;Impr.;Clics;Conversions
2026-09-01;Toitures;CAD;12,34;1\u202f234;7;1,00
2026-09-02;Toitures;CAD;1\u00a0020,50;10\u202f500;88;2,50
Total : compte;--;CAD;1\u00a0032,84;11\u202f734;95;3,50
"""

GOOGLE_SPANISH = """Informe de campañas
1 sept 2026 - 2 sept 2026
Día,Campaña,Impr.,Clics,Coste
2026-09-01,Marca,1.240,86,"48,20"
2026-09-02,Marca,1.310,92,"51,05"
Total,,2.550,178,"99,25"
"""

META = (
    "Reporting starts,Reporting ends,Campaign name,Campaign ID,Ad set name,Ad name,Ad ID,Day,"
    "Amount spent (USD),Impressions,Link clicks,Clicks (all),Purchases,"
    "Purchases conversion value,Results\n"
    "2026-09-20,2026-09-21,Winter Sale,120211234567890123,Broad,Hoodie,120219876543210987,"
    "2026-09-20,12.50,3400,51,80,2,118.00,51\n"
    "2026-09-20,2026-09-21,Winter Sale,120211234567890123,Broad,Hoodie,120219876543210987,"
    '2026-09-21,"1,010.00",3100,40,60,1,59.00,40\n'
    "2026-09-20,2026-09-21,,,,,,,1022.50,6500,91,140,3,177.00,91\n"
)

META_GERMAN = """Tag;Kampagnenname;Anzeigenname;Ausgegebener Betrag (EUR);Impressionen;Link-Klicks
2026-10-05;Creator;werben;12,50;1.204;35
"""

META_DUTCH = """Dag;Campagnenaam;Naam advertentie;Weergaven;Klikken op links;Besteed bedrag (EUR)
2026-10-01;Merk;Vierkant;1.200;24;"12,50"
2026-10-01;Merk;Staand;3.400;51;"20,10"
"""

META_FRENCH = """Début des rapports;Fin des rapports;Nom de la campagne;Montant dépensé (EUR);Achats
2026-09-01;2026-09-01;Prospection FR;850,50;12
2026-09-02;2026-09-02;Prospection FR;1 200,00;0
"""

META_BY_PERIOD = """Reporting starts,Reporting ends,Campaign name,Amount spent (EUR),Impressions
2026-09-01,2026-09-30,Winter,300,3000
2026-09-01,2026-09-30,,300,3000
"""

TIKTOK = """By Day,Campaign name,Campaign ID,Ad group name,Cost,Impressions,\
Clicks (destination),Complete payment,Total complete payment value,Currency
2026-09-20,TT Winter,1801234567890123,Interest,8.00,5000,70,1,59.00,USD
2026-09-21 00:00:00,TT Winter,1801234567890123,Interest,9.25,5100,71,-,-,USD
Total of 2 results,-,-,-,17.25,10100,141,1,59.00,USD
"""

MICROSOFT = """"Report Name: Campaigns"
"Report Time: 9/1/2026 - 9/20/2026"
"Time Zone: (GMT-08:00) Pacific Time (US & Canada); Tijuana"
"Report Aggregation: Daily"
"Rows: 2"

"TimePeriod","AccountName","CampaignName","CampaignId","CurrencyCode","Spend","Impressions",\
"Clicks","Conversions","Revenue"
"9/1/2026","Roastery","Search - Brand","431","USD","20.00","2000","80","4","300.00"
"9/20/2026","Roastery","Search - Brand","431","USD","10.50","900","31","1","29.00"

"©2026 Microsoft Corporation. All rights reserved. "
"""

PINTEREST = """Date,Campaign name,Ad group name,Spend in account currency,Impressions,\
Pin clicks,Outbound clicks,CTR,Total conversions,Checkouts,Checkout value in account currency
2026-09-01,Spring Pins,Group A,10.00,5000,150,60,3.0%,4,1,8.99
2026-09-02,Spring Pins,Group A,12.00,6000,180,75,3.0%,3,2,17.98
Total,,,22.00,11000,330,135,,7,3,26.97
"""

PLAIN = """date,channel,source,medium,campaign,spend,currency,impressions,clicks,conversions,value
2026-03-02,Radio,radio,offline,spring,100.00,EUR,,,,
2026-03-02,Paid Search,google,cpc,brand,12.50,EUR,1000,40,2,80.00
"""
