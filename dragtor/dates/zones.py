"""Time zones: PST, Pacific time, UTC+2, Boston time.

Owns their names. Gives nodes of kind "timezone"; their TIMEX code is the zone's IANA name where the
offset changes with the season, their value the offset from UTC in January.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from dragtor.dates.parser import Node, Parse, Parser, PhraseTable, rule
from dragtor.dates.quantities import integer

OFFSETS = {  # minutes; what the letters mean to most who write them
    "utc": 0, "gmt": 0, "est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "hst": -600, "cet": 60, "cest": 120, "eet": 120,
    "eest": 180, "wet": 0, "bst": 60, "msk": 180, "jst": 540, "kst": 540, "sgt": 480, "hkt": 480,
    "aest": 600, "aedt": 660, "acst": 570, "acdt": 630, "awst": 480, "nzst": 720, "nzdt": 780,
    "sast": 120, "ist": 330, "aoe": -720, "anywhere on earth": -720, "greenwich mean time": 0,
}  # fmt: skip
AMERICAN_LETTERS = {"et": "eastern", "ct": "central", "mt": "mountain", "pt": "pacific"}
PLACES = {  # of an IANA zone: other names of where its clocks go
    "America/New_York": "eastern/boston/washington/atlanta/miami/philadelphia",
    "America/Chicago": "central/dallas/houston/austin", "America/Denver": "mountain/salt lake city",
    "America/Los_Angeles": "pacific/san francisco/seattle/portland/las vegas/california",
    "America/Halifax": "atlantic", "America/Toronto": "montreal/ottawa",
    "Europe/London": "uk/british/manchester/edinburgh",
    "Europe/Berlin": "central european/german/munich/frankfurt/hamburg/cologne",
    "Europe/Paris": "french", "Europe/Zurich": "swiss/geneva", "Europe/Dublin": "irish",
    "Europe/Athens": "eastern european", "Europe/Lisbon": "western european",
    "Africa/Johannesburg": "south african/cape town",
    "Asia/Kolkata": "india/indian/mumbai/delhi/bangalore", "Asia/Tokyo": "japan",
    "Asia/Shanghai": "china/beijing", "Asia/Dubai": "gulf/gulf standard/emirates/abu dhabi",
    "Asia/Riyadh": "arabia/arabian/saudi", "Asia/Jerusalem": "israel/israeli/tel aviv",
    "Asia/Karachi": "pakistan/pakistani/lahore/islamabad", "Asia/Seoul": "korea/korean",
    "Asia/Manila": "philippine/philippines", "Asia/Ho_Chi_Minh": "vietnam",
    "Asia/Bangkok": "thai/thailand/indochina", "Australia/Sydney": "australian eastern/canberra",
    "Australia/Perth": "australian western",
    "Africa/Nairobi": "east africa/east african/kenya/kenyan",
    "Africa/Lagos": "west africa/west african/nigeria/nigerian", "Africa/Cairo": "egypt/egyptian",
    "America/Sao_Paulo": "brasilia/brazil/brazilian/rio",
    "America/Argentina/Buenos_Aires": "argentina", "America/Mexico_City": "mexico",
    "America/Phoenix": "arizona", "America/Anchorage": "alaska", "America/St_Johns": "newfoundland",
    "Pacific/Honolulu": "hawaii/hawaiian", "Europe/Istanbul": "turkey/turkish",
    "Europe/Madrid": "spain/spanish/barcelona", "Europe/Rome": "italy/italian/milan",
    "Europe/Amsterdam": "dutch", "Pacific/Auckland": "new zealand/wellington",
}  # fmt: skip
ZONE_OF_PLACE = {place: zone for zone, places in PLACES.items() for place in places.split("/")}
ZONE_ABBREVIATIONS = PhraseTable({name: name for name in (*OFFSETS, *AMERICAN_LETTERS)})
PLACE_NAMES = PhraseTable({place: place for place in ZONE_OF_PLACE})


@cache
def cities() -> PhraseTable:
    """The cities that a zone is named after, with the zone."""
    zones = sorted(zone for zone in available_timezones() if "/" in zone)
    return PhraseTable({z.rpartition("/")[2].replace("_", " ").lower(): z for z in zones})


@rule("zone")
def abbreviated_zone(p: Parser, i: int) -> Parse | None:
    """PST, ET, UTC+2; in small letters only behind a time."""
    found = ZONE_ABBREVIATIONS.match(p, i)
    if not found:
        return None
    name, j = found
    upper = p.tokens[i].raw.isupper()
    if name in AMERICAN_LETTERS:
        node = zone_node(ZONE_OF_PLACE[AMERICAN_LETTERS[name]])
        return (Node(node.kind, node.timex, value=node.value, weak=True), j) if upper else None
    minutes = OFFSETS[name]
    hours = integer(p, j + 1, 2) if p.word(j) in ("+", "-") and name in ("utc", "gmt") else None
    if hours is not None and hours <= 14:
        minutes = hours * 60 * (1 if p.word(j) == "+" else -1)
        j += 2
        if p.word(j) == ":" and (more := integer(p, j + 1, 2)) is not None:
            minutes, j = minutes + (more if minutes >= 0 else -more), j + 2
        j = p.optional(j, ("h",))
    return Node("timezone", "", value=offset_text(minutes), weak=not upper and j == i + 1), j


@rule("zone")
def named_zone(p: Parser, i: int) -> Parse | None:
    """Pacific time, central european summer time; Pacific, Boston time: only behind a time."""
    found = PLACE_NAMES.match(p, i)
    place = found[0] if found else ""
    near = any(p.word(k) == "time" for k in range(i + 1, i + 4))
    if not found and not (near and (found := cities().match(p, i))):
        return None
    k = p.optional(found[1], ("standard", "daylight", "summer"))
    j = p.match(k, "time zone") or p.match(k, "timezone") or p.match(k, "time")
    if not j and place not in AMERICAN_LETTERS.values():
        return None
    node = zone_node(ZONE_OF_PLACE.get(place, found[0]))
    weak = not j or (place not in AMERICAN_LETTERS.values() and "european" not in place)
    return Node(node.kind, node.timex, value=node.value, weak=weak), j or found[1]


def zone_node(name: str) -> Node:
    """The node of an IANA zone."""
    offset = datetime(2000, 1, 1, tzinfo=ZoneInfo(name)).utcoffset()
    return Node(
        "timezone", name, value=offset_text(int(offset.total_seconds() // 60) if offset else 0)
    )


def offset_text(minutes: int) -> str:
    """UTC+05:30."""
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def zone_info(name: str) -> tzinfo:
    """The zone of `Mention.zone`: an IANA name, or UTC+05:30."""
    if not name.startswith("UTC"):
        return ZoneInfo(name)
    return datetime.fromisoformat(f"2000-01-01T00:00{name[3:]}").tzinfo or UTC


def skip_zone(p: Parser, j: int) -> int:
    """The place behind a time zone, if one stands here."""
    found = p.parse("zone", j)
    return found[1] if found else j
