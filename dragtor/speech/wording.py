"""English wording around names and roles: the patterns and lists of config/words/speech.yml.

Owns the form of a name, and how a pattern is put together. Does not know what it is used for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from dragtor.config import packaged

# self: the speaker's own. cohost, guest, intro: somebody introduced. opening: a full name in the
# first minutes. address: somebody spoken to. third: somebody spoken of, who may be there.
Cue = Literal["self", "cohost", "guest", "intro", "opening", "address", "third"]

UPPER = "A-ZÀ-ÖØ-Þ\u0100\u0106\u010c\u010e\u0110\u0141\u0158\u015a\u0160\u017b\u017d"
NAME_WORD = rf"(?:O'|D'|Mc)?[{UPPER}][\w'-]*\w"
PARTICLE = r"(?:de|da|del|der|di|la|van|von|bin|al|[A-Z]\.)"
ONE_NAME = rf"(?:{NAME_WORD}(?: (?:{PARTICLE} ){{0,2}}{NAME_WORD}){{0,2}})"
FULL = rf"(?:{NAME_WORD}(?: (?:{PARTICLE} ){{0,2}}{NAME_WORD}){{1,2}})"
NAME_LIST = rf"{ONE_NAME}(?:(?:,? and |, ){ONE_NAME})*"
FORMS = {
    "UPPER": UPPER,
    "NAME_WORD": NAME_WORD,
    "ONE_NAME": ONE_NAME,
    "FULL": FULL,
    "NAME_LIST": NAME_LIST,
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What the file holds; each list is explained there."""

    cues: tuple[tuple[Cue, float, re.Pattern[str]], ...]  # cue, weight, pattern
    sayings: tuple[tuple[float, re.Pattern[str]], ...]  # log odds, pattern
    spoken_to: re.Pattern[str]
    small_cues: re.Pattern[str]
    not_names: frozenset[str]
    small_words: frozenset[str]  # `not_names` among them


@cache
def wording() -> Wording:
    """The file, read once."""
    import yaml

    data: dict[str, Any] = yaml.safe_load(packaged("words/speech.yml").read_text("utf-8"))
    parts = dict(FORMS)

    def filled(text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda part: parts[part[1]], text.replace("\n", ""))

    for name, text in data["parts"].items():
        parts[name] = filled(text)
    names = rf"{parts['TITLE']}(?P<names>"
    cues = [(*key.split(), filled(text)) for row in data["cues"] for key, text in row.items()]
    sayings = [(odds, filled(text)) for row in data["sayings"] for odds, text in row.items()]
    not_names = frozenset(data["not_names"].split())
    return Wording(
        tuple(
            (cue, float(weight), re.compile(text.replace("<<", names).replace(">>", ")")))
            for cue, weight, text in cues
        ),
        tuple((odds, re.compile(text)) for odds, text in sayings),
        re.compile(filled(data["spoken_to"])),
        re.compile(filled(data["small_cues"])),
        not_names,
        not_names | frozenset(data["small_words"].split()),
    )
