"""Names and conversions of the units that are traded most, and how people write units.

Codes and factors after UN/ECE Recommendation 20 (units) and 21 (packages, with an X before them).
"""

# ruff: noqa: RUF001
from __future__ import annotations

# base code -> "code factor name" of units that convert into it
CONVERSIONS = {
    "C62": """
        C62 1 one; H87 1 piece; EA 1 each; PCE 1 piece; NAR 1 number of articles; NMP 1
        number of packs;
        PR 2 pair; DZN 12 dozen; SCO 20 score; TPR 20 ten pair; DPR 24 dozen pair; CEN 100 hundred;
        HC 100 hundred count; GRO 144 gross; MIL 1000 thousand; T3 1000 thousand piece; MIO
        1000000 million
    """,
    "KGM": """
        KGM 1 kilogram; GRM 0.001 gram; MGM 0.000001 milligram; MC 0.000000001 microgram;
        DJ 0.01 decagram; HGM 0.1 hectogram; DTN 100 decitonne; TNE 1000 tonne; KTN 1000000
        kilotonne;
        CTM 0.0002 metric carat; ONZ 0.028349523125 ounce; LBR 0.45359237 pound;
        STN 907.18474 ton (US); LTN 1016.0469088 ton (UK)
    """,
    "MTR": """
        MTR 1 metre; DMT 0.1 decimetre; CMT 0.01 centimetre; MMT 0.001 millimetre; 4H
        0.000001 micrometre;
        HMT 100 hectometre; KMT 1000 kilometre; INH 0.0254 inch; FOT 0.3048 foot; YRD 0.9144 yard;
        SMI 1609.344 mile; LM 1 linear metre
    """,
    "MTK": """
        MTK 1 square metre; DMK 0.01 square decimetre; CMK 0.0001 square centimetre;
        MMK 0.000001 square millimetre; H16 100 square decametre; H18 10000 square hectometre;
        KMK 1000000 square kilometre; INK 0.00064516 square inch; FTK 0.09290304 square foot;
        YDK 0.83612736 square yard
    """,
    "MTQ": """
        MTQ 1 cubic metre; DMQ 0.001 cubic decimetre; CMQ 0.000001 cubic centimetre;
        MMQ 0.000000001 cubic millimetre; LTR 0.001 litre; HLT 0.1 hectolitre; DLT 0.0001 decilitre;
        CLT 0.00001 centilitre; MLT 0.000001 millilitre; INQ 0.000016387064 cubic inch;
        FTQ 0.028316846592 cubic foot; YDQ 0.764554857984 cubic yard; GLI 0.00454609 gallon (UK);
        GLL 0.003785411784 gallon (US); BLL 0.158987294928 barrel (US)
    """,
    "SEC": "SEC 1 second; MIN 60 minute; HUR 3600 hour",
    "DAY": "DAY 1 day; WEE 7 week",
    "MON": "MON 1 month; QAN 3 quarter (of a year); SAN 6 half year; ANN 12 year",
    "KWH": "KWH 1 kilowatt hour; WHR 0.001 watt hour; MWH 1000 megawatt hour; GWH 1000000"
    " gigawatt hour",
}

# Units that convert into no other: how much is in a box is the supplier's to say.
NAMES = """
    SET set; KT kit; LS lump sum; P1 percent; E48 service unit; E51 job; E49 working day;
    ACT activity;
    KWT kilowatt; MAW megawatt; WTT watt; BAR bar; XBX box; XCT carton; XPK package; XPA packet;
    XBG bag; XSA sack; XBO bottle; XRO roll; XPX pallet; XCX can; XST sheet; XTU tube; XDR drum;
    XBJ bucket; XCI canister; XCR crate; XCS case; XBE bundle; XRL reel; XPF pen; XTY tank;
    XBA barrel
"""

# code -> words, as `fold` leaves them: without case, accents, blanks and dots
WORDS = {
    "C62": "item items one unit units unite unites unita unitate unidad unidades единица од",
    "H87": "pc pcs pce pces piece pieces stk stck stuck stueck st шт штука штуки штук szt"
    " sztuka sztuki"
    " sztuk buc bucata bucati ks kus kusy kusu db darab kom komad komada ком kos pz pza pezzo pezzi"
    " pieza piezas ud uds und stuks stuk tk tuk gab vnt adet ad бр броя τεμ ед кос",
    "EA": "each",
    "PR": "pair pairs paar paare paire paires para pary par пара пары пар pereche perechi"
    " paio paia",
    "SET": "set sets satz satze zestaw zestawy komplet komplety kpl kompl компл комплект комплекта"
    " набор набір serie sada souprava",
    "KT": "kit kits",
    "DZN": "dozen dozens dz dutzend дюжина tuzin duzina dozzina docena tucat",
    "CEN": "hundred hundert сотня",
    "MIL": "thousand tausend tys тыс тис tis mille",
    "XPK": "pack packs pak pck pkg pkt package packages packung packungen paket pakete упак"
    " уп упаковка"
    " упаковки пач пачка opak opakowanie opakowania op pachet pachete balik confezione"
    " confezioni conf"
    " paquete csomag pakiranje pakk",
    "XBX": "box boxes schachtel kiste коробка кор коробки короб pudełko pudełka cutie cutii scatola"
    " scatole caja cajas krabice doboz kutija boite",
    "XCT": "carton cartons ctn karton kartons kartony картон cartone cartoni",
    "XBG": "bag bags beutel tute пакет worek worki punga sacchetto bolsa tasak zacskó",
    "XSA": "sack sacks sacke мешок мешки мішок sac saci sacco saco zsak pytel",
    "XBO": "bottle bottles flasche flaschen бутылка пляшка butelka butelki sticla bottiglia"
    " botella lahev",
    "XRO": "roll rolls rolle rollen rolka rolki рулон рулоны рул rola role rulou rotolo"
    " rotoli rollo"
    " tekercs rouleau",
    "XPX": "pallet pallets palette paletten paleta palety паллета палета поддон palet"
    " bancale raklap",
    "XCX": "can cans dose dosen банка puszka puszki doza lattina barattolo lata plechovka",
    "XST": "sheet sheets blatt bogen лист листа листов arkusz arkusze ark coala coli foglio"
    " fogli hoja",
    "XTU": "tube tubes tuba tubka туба тюбик",
    "XDR": "drm drum drums fass бочка beczka butoi fusto sud",
    "XBJ": "bucket buckets eimer ведро відро wiadro galeata secchio kbelik vodor",
    "XCI": "canister kanister канистра каністра bidon tanica",
    "XBE": "bundle bundles bund связка wiazka legatura fascio",
    "LS": "lumpsum pauschal pauschale psch ryczałt forfait forfetar corpo acorpo",
    "E48": "service serviceunit услуга послуга usługa serviciu servizio",
    "KGM": "kg kgs kilo kilos kilogram kilograms kilogramm кг килограмм кілограм chilogram"
    " chilogrammo",
    "GRM": "g gr gram grams gramm г гр грамм грам grammo grame",
    "MGM": "mg мг",
    "DJ": "dag dkg deka dekagramm",
    "DTN": "dt ц центнер kwintal",
    "TNE": "t tonne tonnes to mt тонна тонн т тонни tona tony tone tonn tonnellata",
    "LBR": "lb lbs pound pounds pfund",
    "ONZ": "oz ounce ounces unze",
    "MTR": "m metre metres meter meters metr metry metrow mb mtr lfm lfdm lm м метр метра"
    " метров пм погм мп"
    " metru metri metro metros",
    "DMT": "dm дм",
    "CMT": "cm см",
    "MMT": "mm мм",
    "KMT": "km км kilometre kilometer kilometr",
    "INH": "in inch inches zoll cal дюйм",
    "FOT": "ft foot feet",
    "YRD": "yd yard yards",
    "MTK": "m2 sqm qm mq mp mkw m2kw м2 квм мкв metropatrat metruqadrato metroquadro",
    "DMK": "dm2 дм2",
    "CMK": "cm2 см2",
    "MMK": "mm2 мм2",
    "FTK": "ft2 sqft",
    "H16": "are ar",
    "H18": "har ha hektar hectare га",
    "MTQ": "m3 cbm mc м3 кубм куб mszesc metrocubo",
    "DMQ": "dm3",
    "CMQ": "cm3 ccm",
    "LTR": "l lt ltr litre litres liter liters litr litry litrow л литр литра литров літр"
    " litru litri litro",
    "HLT": "hl гл",
    "DLT": "dl",
    "CLT": "cl",
    "MLT": "ml мл",
    "GLL": "gal gallon gallons",
    "SEC": "s sec second seconds",
    "MIN": "min minute minutes мин минута minuta",
    "HUR": "h hr hrs hour hours std stunde stunden ч час часа часов година godz godzina"
    " godziny ora ore"
    " hora heure hod",
    "DAY": "d day days tag tage день дн дней дня днів доба dzien dni zi zile giorno giorni"
    " dia jour den",
    "WEE": "week weeks wk woche wochen неделя тиждень tydzien saptamana settimana",
    "MON": "month months monat monate мес месяц міс місяць mies miesiac luna luni mese mesi mesic",
    "ANN": "year years yr jahr jahre рік rok lat an ani anno anni ano",
    "KWH": "kwh квтч кwh",
    "MWH": "mwh мвтч",
    "KWT": "kw квт",
    "WTT": "w вт",
    "P1": "% percent prozent процент procent",
}
