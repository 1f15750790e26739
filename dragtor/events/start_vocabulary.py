"""What a date, a time, a length or a repeat can begin with: the model chooses among such places.

Actions, names, places and notes may begin with any word. Pure.
"""

from __future__ import annotations

import re

_NUMBER = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
    "|fourty|fifty|sixty|ninety|hundred"
)
_DAY = (
    "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    "|sun(?:day)?"
)
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_ORDINAL = (
    "first|second|third|fourth|fifth|sixth|seventh|eigh?th|ninth|tenth|eleventh|twelfth"
    "|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twent|thirt"
)
BEGINNINGS = {
    "date": re.compile(
        rf"\d|(?:{_DAY})s?\b|(?:{_MONTH}|{_ORDINAL}|{_NUMBER}|tom+or|tm[wrm]|tod|ton[iy]|2m|wedn|thur"
        r"|satur|week|fort|christmas|xmas|easter|eid|diwali|hanuk|ramad|thanksg|hallow|new\s+year)"
        r"|(?:next|this|last|coming|following|the|a|an|in|on|of|end|start|beginning|early|late|mid"
        r"|middle|from|between|until|till|by|before|after|day|days|month|year|today|later|now|asap"
        r"|same|all|every|any|my|our|mo|tu|th|fr|sa|su)\b|\w{2,7}day\b|(?:thr|wds|tus|mnd)s?\b"
        r"|(?:[\w'’]+\s+){1,2}(?:day|eve|birthday|weekend|holidays?)\b|(?:good|black|easter|palm|ash|holy|whit|cyber|shrove)\s",
        re.I,
    ),
    "time": re.compile(
        rf"(?!\d{{3,}}\s+[a-gi-z])\d|0\d[0-5]\d\b|(?<=\bat\s)[12]\d[0-5]\d\b(?!\s+(?-i:[A-Z\d]))"
        rf"|(?:{_NUMBER}|half|qua|noo|mid|mor|aft|aff|eve|evn|nig|nit|ton|dawn|dusk|lun|din|brea"
        r"|brunch|sun(?:rise|set|down))"  # people slip while typing
        r"|(?:tea(?:time)?|bed(?:time)?|early|late|later|first\s+thing|end|close|start|before|after"
        r"|between|from|until|till|in|at|an?|all|anytime|now|asap|soon|this|today|tomorrow|the|zero"
        r"|o|around|about|by|couple)\b",
        re.I,
    ),
    "duration": re.compile(
        rf"\d|(?:{_NUMBER}|half|over|day|week|month|hour|minute)"
        r"|(?:an?|all|the|whole|few|couple|several|some|entire|quarter|full|solid|under|about|around"
        r"|approximately|roughly|max|just|from|until|till|up|for|at)\b",
        re.I,
    ),
    "recurrence": re.compile(
        rf"(?:ev[er]*y|each|once|twice|thrice|(?:{_NUMBER}|\d+)\s*(?:x|times)\b|(?:bi|semi|tri)-?\s?"
        r"(?:week|month|annual|year|daily)|(?:hour|dai|night|week|month|quarter|year|fortnight)ly"
        r"|annual|fortnight|week(?:day|end)|workday|alternat|regular|repeat|recur"
        rf"|(?:{_DAY})(?:s\b|/[a-z])|mornings|evenings|nights|afternoons|\d+(?:st|nd|rd|th)\s+of\s+(?:every|each))"
        r"|(?:any|all|on|the|first|second|third|fourth|last|per|until|always|still|same)\b",
        re.I,
    ),
}


def may_begin(field: str, text: str, at: int) -> bool:
    """Whether a value of `field` may begin with the word at `at`."""
    known = BEGINNINGS.get(field)
    return known is None or known.match(text, at) is not None
