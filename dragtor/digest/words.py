"""What a topic is called: by words of its own text, or by a language model that is held to them.

Knows texts, a prompt and a language model; not where the texts stand.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dragtor import prompt
from dragtor.ground.stems import STOP_WORDS, stems
from dragtor.llm import GenerationOptions
from dragtor.split import OPENERS
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from dragtor.llm import LLM

PHRASE_WORDS = 3  # of one phrase, at most
NAMING_PHRASES = 2  # that name a topic
NAME_TOKENS = 16  # that a model may write
NAME_WORDS = 8  # of a model's name, at most
HELD = 0.6  # of the content words of a model's name that must stand in the text
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_LINE = re.compile(r"[^\n.!?;:,()\[\]“”\"|]+")  # a phrase goes over none of these
_COMMON = STOP_WORDS | OPENERS


def own_words(texts: Sequence[str], background: Sequence[str] = ()) -> list[str]:
    """A name for each text, of its own phrases, no two alike.

    A word weighs by how often it stands here and how seldom in all texts together (class-based
    TF-IDF, Grootendorst 2022); a phrase is a run of words that say something (RAKE, Rose et al.
    2010), and weighs as its words do, and the more the oftener it comes. `background` are other
    texts of the kind, so that what all say names nothing.
    """
    own = [_counted(text) for text in texts]
    everywhere = Counter[str]()
    for counts in (*own, *map(_counted, background)):
        everywhere.update(counts)
    average = everywhere.total() / max(1, len(own) + len(background))
    taken: set[str] = set()
    found = []
    for text, counts in zip(texts, own, strict=True):
        weight = {w: n * math.log(1 + average / everywhere[w]) for w, n in counts.items()}
        name = ", ".join(_best_phrases(text, weight, taken))
        taken.add(name)
        found.append(name)
    return found


def _counted(text: str) -> Counter[str]:
    return Counter(word for word in map(str.lower, _WORD.findall(text)) if _says(word))


def _says(word: str) -> bool:
    plain = word.lower().replace("’", "'")
    shortened = "'" in plain and not plain.endswith("'s")  # I'll, don't
    return len(word) > 2 and plain not in _COMMON and not word.isdigit() and not shortened


def _best_phrases(text: str, weight: dict[str, float], taken: set[str]) -> list[str]:
    counted: Counter[str] = Counter()
    written: dict[str, str] = {}
    for phrase in _phrases(text):
        counted[phrase.lower()] += 1
        written.setdefault(phrase.lower(), phrase)
    scores = {
        low: sum(weight.get(word, 0.0) for word in low.split()) * math.log(1 + times)
        for low, times in counted.items()
        if times > 1 or " " not in low  # else words that met once make the name
    }
    best: list[str] = []
    for low in sorted(scores, key=lambda each: (-scores[each], each)):
        if any(stems(low) & stems(other) for other in best):
            continue
        best.append(written[low])
        if len(best) >= NAMING_PHRASES and ", ".join(best) not in taken:
            break
    return best


def _phrases(text: str) -> Iterator[str]:
    """Runs of at most PHRASE_WORDS words that say something, and each such word."""
    for line in _LINE.findall(text):
        run: list[str] = []
        for word in [*_WORD.findall(line), ""]:
            if _says(word):
                run.append(word)
                continue
            for size in range(1, PHRASE_WORDS + 1):
                for at in range(len(run) - size + 1):
                    yield " ".join(run[at : at + size])
            run = []


def model_name(llm: LLM, quotes: Sequence[str], text: str, cancel: CancelToken = NEVER) -> str:
    """What a language model calls a topic; empty where that is not a name, or not of the text.

    Raises GenerationError as the model does, and Cancelled.
    """
    options = GenerationOptions(NAME_TOKENS, stop=("\n",), fixed=prompt.FIXED_TOPIC)
    with llm.stream(prompt.topic_messages(quotes), options) as stream:
        written = "".join(cancel.checked(stream)).strip()
    name = written.strip(" .\"'“”*#").removeprefix("Topic:").strip()
    wanted = stems(name)
    short = 0 < len(name.split()) <= NAME_WORDS and stream.finish_reason != "length"
    held = len(wanted & stems(text)) >= HELD * len(wanted)
    return name if short and wanted and held else ""
