"""Orders in pages: sentences that speak to whoever reads pages for others, a model above all.

They are no facts about anything, so they are neither quoted nor taken for evidence. English; pure.
"""

from __future__ import annotations

import re

from dragtor.ground.context import is_instruction

# Orders to a model, in the words that such orders have anywhere.
_MODEL = (
    r"(?:AIs?|LLMs?|GPTs?|(?:chat)?bots?|(?:language |AI )?models?|(?:AI )?assistants?|agents?)"
)
_MUST = r"(?:should|must|shall|please|needs? to|(?:has|have|are|is) to)"
_WRITTEN = r"(?:answers?|repl(?:y|ies)|responses?|summar(?:y|ies)|reports?|outputs?|dossiers?)"
_ORDER = re.compile(
    r"\[/?(?:system|inst|assistant|user|admin)\b|<\||\bsystem (?:prompt|message|note|override)"
    rf"|\b{_MODEL}\b.{{0,60}}\b(?:{_MUST}|(?:is|are) (?:asked|instructed|required|told))\b"
    rf"|(?:^|[.!?:|] ){_MODEL}\s*[,:]"
    rf"|\b(?:to|for|dear|attention|hey|note|if you are)\b.{{0,20}}\b{_MODEL}\b.{{0,3}}[:,]"
    r"|(?:^|[.:;!|] )(?:please )?(?:ignore|disregard|forget|override)\b"
    r"|\b(?:ignore|disregard|forget|override) (?:the |all |any |every |your )?"
    r"(?:above|rest|previous|prior|preceding|earlier|instructions?|other (?:pages|sources|text))"
    rf"|\b(?:in|from|into|of|on) your (?:final |next )?{_WRITTEN}"
    r"|\bwhen (?:you )?(?:summari[sz]\w+|answer(?:ing)?|asked|quot(?:e|ing)|cit(?:e|ing))\b"
    rf"|\b{_WRITTEN}\b.{{0,80}}\b{_MUST}\b"
    r"|\b(?:output|print|(?:reply|respond|answer) with|(?:write|say|answer) only)\b"
    r"|\bthe user(?:['’]s)?\b"
    r"|\byou (?:are|must) now\b|\bnew (?:instructions?|task|rules?)\b:?",
    re.IGNORECASE,
)


def is_order(text: str) -> bool:
    """Whether a sentence tells a reader or a model what to do with what it reads."""
    return is_instruction(text) or _ORDER.search(" ".join(text.split())) is not None
