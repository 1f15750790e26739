"""How well names that a model wrote of pictures are those that stand there.

Spellings are compared as `dragtor eval entities` does it. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dragtor.entities.spelling import bare_letters, is_misread
from dragtor.training.vision.examples import Names, PictureExample


@dataclass(frozen=True, slots=True)
class PictureScore:
    """One picture: names of gold that were given or not, and given names that are not gold's.

    `extra` stand in the picture, `invented` do not; where nobody says what stands there, a name
    that is no gold counts as invented.
    """

    id: str
    matched: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """For a line of JSON."""
        return asdict(self)


def picture_score(example: PictureExample, given: Iterable[tuple[str, str]]) -> PictureScore:
    """Hold names, each with its category, against a picture's gold; said twice counts once."""
    golds = [*(("person", n) for n in example.people), *(("company", n) for n in example.companies)]
    seen = bare_letters(example.text)
    found: set[int] = set()
    extra: list[str] = []
    invented: list[str] = []
    for name, category in dict.fromkeys(given):
        alike = [i for i, (_, names) in enumerate(golds) if is_any(name, names)]
        own = [i for i in alike if golds[i][0] == category]
        found.update(own)
        if own or (category == "company" and is_any(name, example.optional)):
            continue
        (extra if bare_letters(name) and bare_letters(name) in seen else invented).append(name)
    return PictureScore(
        example.id,
        tuple(names[0] for i, (_, names) in enumerate(golds) if i in found),
        tuple(names[0] for i, (_, names) in enumerate(golds) if i not in found),
        tuple(extra),
        tuple(invented),
    )


def summed(scores: Sequence[PictureScore]) -> dict[str, float]:
    """Recall, precision and F1 of all names; matched, extra and invented ones a picture."""
    matched, missed = (sum(len(getattr(s, n)) for s in scores) for n in ("matched", "missed"))
    extra, invented = (sum(len(getattr(s, n)) for s in scores) for n in ("extra", "invented"))
    given, count = matched + extra + invented, max(1, len(scores))
    return {
        "recall": matched / max(1, matched + missed),
        "precision": matched / max(1, given),
        "f1": 2 * matched / max(1, given + matched + missed),
        "matched": matched / count,
        "extra": extra / count,
        "invented": invented / count,
    }


def is_any(name: str, names: Names) -> bool:
    """Whether a name is one of these spellings."""
    return any(is_misread(bare_letters(name), bare_letters(other)) for other in names)
