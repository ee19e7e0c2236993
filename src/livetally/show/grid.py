"""Where each county of the United Kingdom lies on the tile map: one square each, neighbours beside each other as far as squares can be.

Drawn by hand. A county's square says where it is, not how large it is: Rutland counts as much to look at as Greater London.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

# One word per square: the county's three letters, or dots where there is none. Rows from north to south.
_SQUARES = """
... ... ... ... ... ... ... ... SHE ... ...
... ... ... ... ... ... ... ORK ... ... ...
... ... ... WIS ... HIG MOR ABE ABC ... ...
... ... ... ... ARG PER ANG DND ... ... ...
... ... ... ... DNB STF CLK FIF ... ... ...
... ... ... REN GLW WLO EDI ELO ... ... ...
... ... ... AYR LAN DUM MLO BOR ... ... ...
... LDY ANT ... ... ... ... NBL TYN ... ...
FER TYR DOW ... ... ... CUM DUR NYK ... ...
... ARM ... ... ... ... LNC WYK ERY ... ...
... ... ... ... ... MER GTM SYK LIN ... ...
... ... ... GWY CLW CHE DBY NTT ... ... ...
... ... ... ... POW SHR STA LEI RUT ... NFK
... ... ... DYF HEF WOR WMD WAR NTH CAM SFK
... ... WGL MGL GWE GLO OXF BUC BED HRT ESS
... ... ... SGL ... BRI WIL BRK SRY LON ...
... ... ... ... DEV SOM HAM WSX ESX KEN ...
... ... ... COR ... DOR IOW ... ... ... ...
"""

_NAMES = """
SHE Shetland; ORK Orkney; WIS Western Isles; HIG Highland; MOR Moray; ABE Aberdeenshire; ABC Aberdeen; ARG Argyll and Bute
PER Perth and Kinross; ANG Angus; DND Dundee; DNB Dunbartonshire; STF Stirling and Falkirk; CLK Clackmannanshire; FIF Fife
REN Renfrewshire; GLW Glasgow; WLO West Lothian; EDI Edinburgh; ELO East Lothian; AYR Ayrshire and Arran; LAN Lanarkshire
DUM Dumfries and Galloway; MLO Midlothian; BOR Scottish Borders
LDY County Londonderry; ANT County Antrim; FER County Fermanagh; TYR County Tyrone; DOW County Down; ARM County Armagh
GWY Gwynedd; CLW Clwyd; POW Powys; DYF Dyfed; WGL West Glamorgan; MGL Mid Glamorgan; SGL South Glamorgan; GWE Gwent
NBL Northumberland; TYN Tyne and Wear; CUM Cumbria; DUR County Durham; NYK North Yorkshire; LNC Lancashire; WYK West Yorkshire
ERY East Riding of Yorkshire; MER Merseyside; GTM Greater Manchester; SYK South Yorkshire; LIN Lincolnshire; CHE Cheshire
DBY Derbyshire; NTT Nottinghamshire; SHR Shropshire; STA Staffordshire; LEI Leicestershire; RUT Rutland; NFK Norfolk
HEF Herefordshire; WOR Worcestershire; WMD West Midlands; WAR Warwickshire; NTH Northamptonshire; CAM Cambridgeshire; SFK Suffolk
GLO Gloucestershire; OXF Oxfordshire; BUC Buckinghamshire; BED Bedfordshire; HRT Hertfordshire; ESS Essex; BRI Bristol
WIL Wiltshire; BRK Berkshire; SRY Surrey; LON Greater London; DEV Devon; SOM Somerset; HAM Hampshire; WSX West Sussex
ESX East Sussex; KEN Kent; COR Cornwall; DOR Dorset; IOW Isle of Wight
"""

CODE_CHARS = 3


@dataclass(frozen=True, slots=True)
class Square:
    """`row` and `column` count from 1, as the style sheet does."""

    name: str
    code: str
    row: int
    column: int


@cache  # read again by every viewer at every refresh
def squares() -> Mapping[str, Square]:
    """Every county's square by its name, from north to south and west to east."""
    names = dict(one.strip().split(" ", 1) for line in _NAMES.strip().splitlines() for one in line.split(";"))
    return {
        names[code]: Square(names[code], code, row, column)
        for row, line in enumerate(_SQUARES.strip().splitlines(), 1)
        for column, code in enumerate(line.split(), 1)
        if code != "..."
    }


def code_of(name: str) -> str:
    """Three letters for a place that is not on the map; other places may have the same."""
    letters = "".join(character for character in name if character.isalnum())
    return (letters or "?")[:CODE_CHARS].upper()
