"""Where invented people live: the counties of the United Kingdom with real towns.

England by ceremonial county (the City of London as part of Greater London), Wales by preserved county,
Scotland by lieutenancy or council area, whichever people say, Northern Ireland by its six counties.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    weight: int  # inhabitants in thousands, roughly; only the ratio within the county matters
    outward: str  # first half of a postcode of this town


@dataclass(frozen=True, slots=True)
class County:
    name: str
    population_thousands: int
    towns: tuple[Town, ...]


# County, its inhabitants in thousands: town, weight, first half of a postcode; next town …
_TABLE = """
Bedfordshire 710: Luton 225 LU1; Bedford 106 MK40; Dunstable 40 LU6; Leighton Buzzard 43 LU7; Biggleswade 22 SG18; Flitwick 14 MK45
Berkshire 955: Reading 174 RG1; Slough 143 SL1; Bracknell 84 RG12; Maidenhead 70 SL6; Wokingham 46 RG40; Newbury 43 RG14; Windsor 32 SL4
Bristol 480: Bristol 425 BS1; Henbury 20 BS10; Avonmouth 12 BS11
Buckinghamshire 850: Milton Keynes 264 MK9; High Wycombe 78 HP13; Aylesbury 63 HP20; Amersham 23 HP6; Chesham 23 HP5
Cambridgeshire 905: Peterborough 216 PE1; Cambridge 146 CB1; St Neots 33 PE19; Wisbech 33 PE13; Huntingdon 26 PE29; March 23 PE15; Ely 20 CB7
Cheshire 1105: Warrington 175 WA1; Chester 92 CH1; Crewe 76 CW1; Ellesmere Port 65 CH65; Widnes 62 WA8; Runcorn 61 WA7; Macclesfield 54 SK10; Northwich 50 CW9
Cornwall 575: Falmouth 24 TR11; Camborne 23 TR14; Newquay 23 TR7; Truro 21 TR1; St Austell 21 PL25; Penzance 16 TR18; Bodmin 16 PL31
Cumbria 500: Carlisle 74 CA1; Barrow-in-Furness 55 LA14; Kendal 30 LA9; Whitehaven 24 CA28; Workington 22 CA14; Penrith 17 CA11
Derbyshire 1065: Derby 262 DE1; Chesterfield 77 S40; Long Eaton 38 NG10; Ilkeston 38 DE7; Swadlincote 32 DE11; Glossop 18 SK13; Buxton 20 SK17; Matlock 10 DE4
Devon 1220: Plymouth 265 PL1; Exeter 131 EX1; Torquay 53 TQ1; Paignton 50 TQ3; Exmouth 35 EX8; Newton Abbot 26 TQ12; Barnstaple 24 EX31; Tiverton 20 EX16
Dorset 785: Bournemouth 196 BH1; Poole 152 BH15; Weymouth 53 DT4; Christchurch 31 BH23; Dorchester 21 DT1; Bridport 9 DT6
County Durham 880: Darlington 93 DL1; Hartlepool 88 TS24; Stockton-on-Tees 84 TS18; Durham 50 DH1; Newton Aycliffe 26 DL5; Consett 25 DH8; Bishop Auckland 25 DL14
East Riding of Yorkshire 610: Kingston upon Hull 267 HU1; Bridlington 36 YO15; Beverley 30 HU17; Goole 20 DN14; Driffield 14 YO25
East Sussex 825: Brighton 185 BN1; Eastbourne 102 BN21; Hastings 91 TN34; Hove 92 BN3; Bexhill-on-Sea 44 TN40; Hailsham 24 BN27; Lewes 18 BN7; Newhaven 13 BN9
Essex 1880: Southend-on-Sea 180 SS1; Colchester 130 CO1; Basildon 115 SS14; Chelmsford 110 CM1; Harlow 93 CM20; Grays 75 RM17; Clacton-on-Sea 54 CO15; Brentwood 55 CM14
Gloucestershire 945: Gloucester 132 GL1; Cheltenham 119 GL50; Stroud 26 GL5; Yate 29 BS37; Cirencester 20 GL7; Tewkesbury 13 GL20
Greater London 8870: Croydon 391 CR0; Ealing 367 W5; Enfield 330 EN1; Bromley 330 BR1; Wandsworth 328 SW18; Lewisham 300 SE13; Hackney 259 E8; Westminster 205 SW1V
Greater Manchester 2870: Manchester 552 M1; Bolton 184 BL1; Stockport 140 SK1; Salford 130 M6; Oldham 110 OL1; Rochdale 111 OL16; Wigan 108 WN1; Bury 81 BL9
Hampshire 1865: Southampton 249 SO14; Portsmouth 208 PO1; Basingstoke 116 RG21; Gosport 82 PO12; Farnborough 61 GU14; Andover 51 SP10; Winchester 48 SO23; Fareham 43 PO16
Herefordshire 188: Hereford 61 HR1; Leominster 12 HR6; Ross-on-Wye 11 HR9; Ledbury 10 HR8
Hertfordshire 1200: Watford 102 WD17; Hemel Hempstead 95 HP1; Stevenage 89 SG1; St Albans 76 AL1; Welwyn Garden City 52 AL8; Hatfield 42 AL10; Bishop's Stortford 41 CM23; Hertford 28 SG14
Isle of Wight 141: Newport 25 PO30; Ryde 24 PO33; Cowes 15 PO31; Sandown 12 PO36; Ventnor 6 PO38
Kent 1870: Maidstone 110 ME14; Gillingham 108 ME7; Chatham 79 ME4; Ashford 83 TN23; Dartford 59 DA1; Margate 63 CT9; Canterbury 55 CT1; Dover 45 CT16
Lancashire 1540: Blackpool 141 FY1; Blackburn 125 BB1; Preston 95 PR1; Burnley 78 BB11; Lancaster 53 LA1; Chorley 39 PR7; Accrington 36 BB5; Morecambe 34 LA4
Leicestershire 1095: Leicester 369 LE1; Loughborough 65 LE11; Hinckley 50 LE10; Coalville 38 LE67; Melton Mowbray 28 LE13; Market Harborough 25 LE16
Lincolnshire 1105: Lincoln 104 LN1; Grimsby 86 DN31; Scunthorpe 81 DN15; Boston 45 PE21; Grantham 45 NG31; Spalding 35 PE11; Skegness 21 PE25; Stamford 21 PE9
Merseyside 1440: Liverpool 486 L1; Birkenhead 109 CH41; St Helens 107 WA10; Southport 95 PR8; Wallasey 60 CH44; Bootle 51 L20; Crosby 51 L23; Huyton 35 L36
Norfolk 925: Norwich 145 NR1; King's Lynn 48 PE30; Great Yarmouth 39 NR30; Thetford 25 IP24; Dereham 21 NR19; Cromer 8 NR27
North Yorkshire 1170: York 142 YO1; Middlesbrough 144 TS1; Harrogate 75 HG1; Scarborough 60 YO11; Redcar 37 TS10; Northallerton 17 DL7; Skipton 15 BD23; Whitby 13 YO21
Northamptonshire 793: Northampton 245 NN1; Corby 69 NN17; Kettering 63 NN16; Wellingborough 54 NN8; Rushden 33 NN10; Daventry 28 NN11
Northumberland 324: Blyth 39 NE24; Cramlington 29 NE23; Ashington 28 NE63; Morpeth 15 NE61; Berwick-upon-Tweed 13 TD15; Hexham 11 NE46; Alnwick 8 NE66
Nottinghamshire 1160: Nottingham 323 NG1; Mansfield 77 NG18; Worksop 44 S80; Arnold 40 NG5; Beeston 40 NG9; Newark-on-Trent 31 NG24; Retford 24 DN22
Oxfordshire 740: Oxford 162 OX1; Banbury 54 OX16; Abingdon 38 OX14; Bicester 38 OX26; Didcot 33 OX11; Witney 30 OX28
Rutland 41: Oakham 12 LE15; Uppingham 5 LE15
Shropshire 515: Telford 156 TF3; Shrewsbury 77 SY1; Oswestry 18 SY11; Bridgnorth 12 WV16; Ludlow 10 SY8; Whitchurch 10 SY13
Somerset 985: Bath 94 BA1; Weston-super-Mare 83 BS23; Taunton 65 TA1; Yeovil 50 BA20; Bridgwater 41 TA6; Frome 28 BA11; Wells 11 BA5; Glastonbury 9 BA6
South Yorkshire 1390: Sheffield 557 S1; Doncaster 113 DN1; Rotherham 110 S60; Barnsley 97 S70
Staffordshire 1150: Stoke-on-Trent 258 ST1; Tamworth 79 B79; Newcastle-under-Lyme 75 ST5; Burton upon Trent 77 DE14; Stafford 72 ST16; Cannock 65 WS11; Lichfield 34 WS13; Leek 20 ST13
Suffolk 770: Ipswich 140 IP1; Lowestoft 71 NR32; Bury St Edmunds 41 IP33; Haverhill 27 CB9; Felixstowe 24 IP11; Sudbury 23 CO10; Newmarket 17 CB8
Surrey 1220: Woking 104 GU21; Guildford 77 GU1; Epsom 32 KT17; Camberley 40 GU15; Redhill 35 RH1; Farnham 40 GU9; Staines-upon-Thames 26 TW18; Dorking 17 RH4
Tyne and Wear 1150: Newcastle upon Tyne 286 NE1; Sunderland 169 SR1; Gateshead 77 NE8; South Shields 76 NE33; Washington 67 NE38; Wallsend 45 NE28; North Shields 37 NE29; Whitley Bay 36 NE26
Warwickshire 605: Nuneaton 88 CV11; Rugby 78 CV21; Leamington Spa 50 CV31; Warwick 37 CV34; Bedworth 31 CV12; Stratford-upon-Avon 31 CV37
West Midlands 2950: Birmingham 1030 B1; Coventry 345 CV1; Wolverhampton 235 WV1; Sutton Coldfield 110 B73; Solihull 127 B91; West Bromwich 103 B70; Dudley 80 DY1; Walsall 71 WS1
West Sussex 890: Crawley 118 RH10; Worthing 112 BN11; Bognor Regis 64 PO21; Littlehampton 56 BN17; Horsham 51 RH12; Haywards Heath 39 RH16; Chichester 29 PO19
West Yorkshire 2380: Leeds 536 LS1; Bradford 334 BD1; Huddersfield 141 HD1; Wakefield 97 WF1; Halifax 89 HX1; Dewsbury 64 WF12; Keighley 49 BD21; Batley 45 WF17
Wiltshire 750: Swindon 184 SN1; Salisbury 42 SP1; Trowbridge 38 BA14; Chippenham 37 SN15; Warminster 19 BA12; Devizes 17 SN10
Worcestershire 610: Worcester 104 WR1; Redditch 82 B97; Kidderminster 57 DY10; Bromsgrove 35 B61; Great Malvern 31 WR14; Evesham 28 WR11
Clwyd 515: Wrexham 45 LL13; Colwyn Bay 29 LL29; Rhyl 27 LL18; Connah's Quay 17 CH5; Mold 10 CH7; Denbigh 9 LL16
Dyfed 385: Llanelli 43 SA15; Carmarthen 16 SA31; Haverfordwest 15 SA61; Aberystwyth 15 SY23; Milford Haven 14 SA73; Cardigan 4 SA43
Gwent 590: Newport 130 NP20; Cwmbran 47 NP44; Pontypool 29 NP4; Blackwood 24 NP12; Ebbw Vale 18 NP23; Abergavenny 13 NP7; Chepstow 12 NP16
Gwynedd 187: Bangor 16 LL57; Holyhead 12 LL65; Caernarfon 10 LL55; Llangefni 5 LL77; Porthmadog 4 LL49; Pwllheli 4 LL53
Mid Glamorgan 442: Bridgend 51 CF31; Merthyr Tydfil 44 CF47; Aberdare 40 CF44; Pontypridd 33 CF37; Maesteg 18 CF34; Porthcawl 16 CF36
Powys 134: Newtown 11 SY16; Brecon 8 LD3; Welshpool 6 SY21; Llandrindod Wells 5 LD1
South Glamorgan 497: Cardiff 362 CF10; Barry 56 CF62; Penarth 28 CF64
West Glamorgan 382: Swansea 171 SA1; Neath 51 SA11; Port Talbot 32 SA12; Pontardawe 7 SA8
Aberdeen 227: Aberdeen 198 AB10; Cove Bay 8 AB12; Dyce 6 AB21
Aberdeenshire 263: Peterhead 19 AB42; Inverurie 15 AB51; Fraserburgh 13 AB43; Stonehaven 11 AB39; Ellon 10 AB41; Huntly 5 AB54
Angus 115: Arbroath 23 DD11; Forfar 14 DD8; Montrose 12 DD10; Carnoustie 11 DD7
Argyll and Bute 88: Helensburgh 15 G84; Oban 8 PA34; Dunoon 8 PA23; Campbeltown 5 PA28; Rothesay 4 PA20
Ayrshire and Arran 366: Ayr 46 KA7; Kilmarnock 46 KA1; Irvine 34 KA12; Troon 15 KA10; Largs 11 KA30; Brodick 1 KA27
Clackmannanshire 52: Alloa 14 FK10; Tillicoultry 5 FK13
Dumfries and Galloway 146: Dumfries 33 DG1; Stranraer 10 DG9; Annan 9 DG12; Lockerbie 4 DG11; Kirkcudbright 3 DG6
Dunbartonshire 282: Clydebank 26 G81; Bearsden 28 G61; Kirkintilloch 21 G66; Dumbarton 20 G82; Milngavie 13 G62
Dundee 148: Dundee 128 DD1; Broughty Ferry 20 DD5
East Lothian 113: Musselburgh 21 EH21; Tranent 12 EH33; Haddington 10 EH41; Dunbar 10 EH42; North Berwick 8 EH39
Edinburgh 515: Edinburgh 430 EH1; Leith 50 EH6; Portobello 20 EH15; South Queensferry 10 EH30
Fife 372: Dunfermline 56 KY12; Kirkcaldy 50 KY1; Glenrothes 38 KY7; St Andrews 18 KY16; Leven 9 KY8; Cupar 9 KY15
Glasgow 620: Glasgow 540 G1; Govan 26 G51; Easterhouse 25 G34; Partick 20 G11
Highland 236: Inverness 48 IV2; Fort William 10 PH33; Nairn 10 IV12; Thurso 7 KW14; Wick 7 KW1; Dingwall 5 IV15; Portree 2 IV51
Lanarkshire 585: East Kilbride 75 G74; Hamilton 54 ML3; Coatbridge 43 ML5; Airdrie 37 ML6; Motherwell 33 ML1; Wishaw 30 ML2; Lanark 9 ML11
Midlothian 97: Bonnyrigg 18 EH19; Penicuik 16 EH26; Dalkeith 14 EH22
Moray 94: Elgin 24 IV30; Forres 10 IV36; Buckie 8 AB56; Lossiemouth 7 IV31
Orkney 22: Kirkwall 10 KW15; Stromness 2 KW16
Perth and Kinross 152: Perth 47 PH1; Blairgowrie 9 PH10; Crieff 7 PH7; Kinross 5 KY13; Pitlochry 3 PH16
Renfrewshire 358: Paisley 77 PA1; Greenock 41 PA15; Newton Mearns 28 G77; Barrhead 18 G78; Johnstone 16 PA5; Port Glasgow 14 PA14
Scottish Borders 117: Hawick 13 TD9; Galashiels 12 TD1; Peebles 9 EH45; Kelso 7 TD5; Selkirk 5 TD7
Shetland 23: Lerwick 7 ZE1; Scalloway 1 ZE1
Stirling and Falkirk 251: Stirling 38 FK8; Falkirk 36 FK1; Grangemouth 16 FK3; Dunblane 9 FK15
West Lothian 183: Livingston 57 EH54; Bathgate 24 EH48; Broxburn 16 EH52; Linlithgow 12 EH49
Western Isles 26: Stornoway 7 HS1; Tarbert 1 HS3
County Antrim 720: Belfast 293 BT1; Newtownabbey 67 BT36; Lisburn 51 BT28; Ballymena 31 BT43; Carrickfergus 28 BT38; Antrim 25 BT41; Larne 19 BT40
County Armagh 195: Lurgan 28 BT66; Portadown 23 BT62; Armagh 16 BT61
County Down 553: Bangor 64 BT20; Newtownards 29 BT23; Banbridge 17 BT32; Downpatrick 11 BT30; Holywood 10 BT18
County Fermanagh 63: Enniskillen 14 BT74; Lisnaskea 3 BT92
County Londonderry 252: Derry 85 BT48; Coleraine 25 BT52; Limavady 12 BT49; Magherafelt 10 BT45
County Tyrone 188: Omagh 20 BT79; Dungannon 16 BT70; Strabane 13 BT82; Cookstown 12 BT80
"""


def counties() -> tuple[County, ...]:
    """Every county with its towns, always in the same order: people depend on it."""
    return tuple(_county(line) for line in _TABLE.strip().splitlines())


def _county(line: str) -> County:
    head, towns = line.split(": ")
    name, population = head.rsplit(" ", 1)
    return County(name, int(population), tuple(_town(town) for town in towns.split("; ")))


def _town(text: str) -> Town:
    name, weight, outward = text.rsplit(" ", 2)
    return Town(name, int(weight), outward)
