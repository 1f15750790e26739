"""Red flags: a question that sounds like an emergency gets a line of caution.

Which words those are is data: the domain's and the user's own. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dragtor.config import AUTO, AnswerConfig, WordLists

MAX_WORDS_BETWEEN = 3  # of a red flag's words


@dataclass(frozen=True, slots=True)
class RedFlags:
    """The line that cautions, and the words that call for it: none unless they are given.

    A flag's words stand in its order with at most MAX_WORDS_BETWEEN others between; a word that
    ends in * is the beginning of one.
    """

    line: str = ""
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: AnswerConfig, words: WordLists) -> RedFlags:
        """As configured; AUTO stands for the domain's."""
        line = words.caution if config.caution == AUTO else config.caution
        own = [words.red_flags if flag == AUTO else (flag,) for flag in config.red_flags]
        return cls(line, tuple(flag for flags in own for flag in flags))

    def caution(self, question: str) -> str:
        """The line where the question holds a red flag, else empty."""
        typed = question.replace("’", "'")
        gap = rf"(?:\W+\w+){{0,{MAX_WORDS_BETWEEN}}}?\W+"
        for flag in self.flags:
            words = (
                re.escape(word.rstrip("*")) + r"\w*" * word.endswith("*") for word in flag.split()
            )
            if flag.strip() and re.search(rf"\b{gap.join(words)}\b", typed, re.IGNORECASE):
                return self.line
        return ""
