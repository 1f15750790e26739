"""A section's claims: its quotes as they stand, or a language model's lines that they entail.

What the model writes is checked line by line, and a quote that no line carries follows as it
stands, so that nothing found is lost. Knows no page and no provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dragtor import ground, prompt
from dragtor.errors import DragtorError
from dragtor.llm import GenerationOptions
from dragtor.research.budget import Budget
from dragtor.types import CancelToken, Citation, Claim

if TYPE_CHECKING:
    from dragtor.llm import LLM

LINE_TOKENS = 45  # of a line, with its numbers


@dataclass
class Numbered:
    """Citations of a whole dossier, each place once, numbered in the order of their use."""

    _known: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def number(self, citation: Citation) -> tuple[int, Citation | None]:
        """The number of the place, and the citation under it where it is new."""
        from dataclasses import replace

        key = (citation.document_id, citation.start, citation.end)
        if key in self._known:
            return self._known[key], None
        self._known[key] = len(self._known) + 1
        return self._known[key], replace(citation, n=self._known[key])

    def claim(self, text: str, cited: Sequence[Citation]) -> tuple[Claim, list[Citation]]:
        """A claim with its numbers, and its citations that are new."""
        pairs = [self.number(citation) for citation in cited]
        numbers = tuple(dict.fromkeys(number for number, _ in pairs))
        return Claim(text, numbers), [fresh for _, fresh in pairs if fresh is not None]


@dataclass(frozen=True)
class SectionWriter:
    """Makes claims of the sentences of a section; `llm` None: of quotes only."""

    llm: Callable[[], LLM] | None
    support: ground.Support
    embed: ground.EmbedTexts
    budget: Budget
    cancel: CancelToken

    def claims(
        self,
        name: str,
        title: str,
        spans: Sequence[ground.TextSpan],
        also: Mapping[tuple[str, int, int], Sequence[ground.TextSpan]],
        numbered: Numbered,
    ) -> tuple[list[Claim], list[Citation]]:
        """The claims, and the citations that are new with them."""
        claims: list[Claim] = []
        fresh: list[Citation] = []

        def add(text: str, cited: Sequence[ground.TextSpan]) -> None:
            places = [*cited, *(other for span in cited for other in also.get(span.key, ())[:1])]
            claim, new = numbered.claim(text, [span.citation(1) for span in places])
            claims.append(claim)
            fresh.extend(new)

        carried: set[tuple[str, int, int]] = set()
        for text, numbers in self._lines(name, title, spans):
            self.cancel.check()
            entailing = ground.entailing_spans(text, numbers, spans, self.support, self.embed)
            held = [span for span in entailing if span.key in {s.key for s in spans}]
            if held and not {span.key for span in held} <= carried:
                carried |= {span.key for span in held}
                add(prompt.escape(text), held)
        for span in spans:
            if span.key not in carried:
                add(prompt.escape(" ".join(span.text.split())), [span])
        return claims, fresh

    def _lines(
        self, name: str, title: str, spans: Sequence[ground.TextSpan]
    ) -> list[tuple[str, list[int]]]:
        """What the model makes of the quotes: lines and the numbers of what they rest on."""
        if self.llm is None or not spans:
            return []
        most = len(spans)
        schema = {
            "type": "object",
            "properties": {
                "lines": {
                    "type": "array",
                    "maxItems": most,
                    "items": {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string", "maxLength": 300},
                            "quotes": {
                                "type": "array",
                                "items": {"type": "integer", "minimum": 1, "maximum": most},
                                "minItems": 1,
                                "maxItems": 2,
                            },
                        },
                        "required": ["text", "quotes"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["lines"],
            "additionalProperties": False,
        }
        options = GenerationOptions(
            LINE_TOKENS * most + 20, json_schema=schema, fixed=prompt.FIXED_SECTION
        )
        messages = prompt.section_messages(name, title, [span.text for span in spans])
        try:
            with self.llm().stream(messages, options) as stream:
                text = "".join(self.cancel.checked(stream))
            self.budget.tokens += stream.completion_tokens
            return _read_lines(json.loads(text))
        except (DragtorError, ValueError):  # the quotes are there all the same
            return []


def _read_lines(data: Any) -> list[tuple[str, list[int]]]:
    rows = data.get("lines") if isinstance(data, dict) else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        match row:
            case {"text": str(text), "quotes": list(numbers)} if text.strip():
                found.append((" ".join(text.split()), [n for n in numbers if type(n) is int]))
    return found
