"""Slips of the pen in the long names of days and months: tuuesday, wendesday, febuary.

Owns which slips are mended: one letter doubled, left out, changed or swapped with the next, and
only where what stands there is no other word. Knows no grammar.
"""

from __future__ import annotations

from functools import lru_cache

from dragtor.dates.words import MONTHS, PLURAL_WEEKDAYS, TODAY, WEEKDAYS

SHORTEST = 6
SURE = 7  # from this length on a changed letter makes no other word: sundry, sundae, munday

NAMES = tuple(
    name
    for name in (*WEEKDAYS, *PLURAL_WEEKDAYS, *MONTHS, "tomorrow", "yesterday")
    if len(name) >= SHORTEST and name.removesuffix("s").endswith(("day", "ry", "ber", "st", "ow"))
)
KNOWN = {*NAMES, *TODAY, "augusta", "auguste", "augustus"}
COMMON = {"wensday": "wednesday", "wendsday": "wednesday", "wednsday": "wednesday",
          "evry": "every", "evrey": "every"}  # fmt: skip


@lru_cache(maxsize=8192)
def mended(word: str) -> str:
    """The name that was meant, else the word itself."""
    if word in COMMON:
        return COMMON[word]
    if len(word) < SHORTEST - 1 or word in KNOWN or not word.isascii():
        return word
    for name in NAMES:
        if name[0] == word[0] and abs(len(name) - len(word)) < 2 and slip(word, name):
            return name
    return word


def slip(word: str, name: str) -> bool:
    """Whether one slip inside the name makes the word; its first letter always stays."""
    if word == name:
        return False
    k = 0
    while k < min(len(word), len(name)) and word[k] == name[k]:
        k += 1
    if len(word) == len(name):
        swapped = word[k : k + 2] == name[k : k + 2][::-1] and word[k + 2 :] == name[k + 2 :]
        bare = name.removesuffix("s")
        return swapped or (len(bare) >= SURE and word[k + 1 :] == name[k + 1 :])
    if k >= min(len(word), len(name)):  # a letter more or less at the end: augusta, frida
        return len(word) < len(name) and len(name.removesuffix("s")) > SURE and name[-1] != "s"
    if len(word) > len(name):
        return word[k + 1 :] == name[k:]
    return word[k:] == name[k + 1 :]
