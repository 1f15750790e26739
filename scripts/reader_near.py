"""Near misses of questions over contexts: each maker of reader_makers on one set's items.

Knows which passages are near which question and how sure one must be that none answers; does not
know files, windows or how many rows of what are wanted.
"""

from __future__ import annotations

import difflib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import reader_makers as makers
from reader_sets import Item, lines, unpacked
from reader_text import Index, holds, sentence_at, sentences, stems

WIKI = frozenset({"squad2", "shifts_wiki", "nq", "qed"})
RARE = 4.0  # from this inverse document frequency on a word says what a question is about
IN_CONTEXT = 0.4  # share of exchanges made in the context, not in the question
_YES_NO = re.compile(
    r"(?:is|are|was|were|did|does|do|can|could|has|have|had|will|would|should)\b", re.I
)
_BARE = re.compile(r"(?:who|what|which|where|when|why|how|in|on|at|to|from|for|by|during)\b", re.I)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies near the items of one split: their articles' contexts, names, search."""

    contexts: dict[tuple[str, str], list[str]]
    owner: dict[str, Item]  # an item of each context
    names: dict[tuple[str, str], list[tuple[str, str]]]
    indexes: dict[str, Index]
    antonyms: dict[str, list[str]]

    @classmethod
    def of(cls, items: Iterable[Item], antonyms: dict[str, list[str]]) -> Surroundings:
        """The surroundings of all items."""
        contexts: dict[tuple[str, str], list[str]] = defaultdict(list)
        owner: dict[str, Item] = {}
        for item in items:
            if item.context not in owner:
                owner[item.context] = item
                contexts[item.source, item.group].append(item.context)
        names = {
            key: [n for text in texts for n in makers.names(text)]
            for key, texts in contexts.items()
        }
        families: dict[str, list[str]] = defaultdict(list)
        for text, item in owner.items():
            families[_family(item)].append(text)
        indexes = {family: Index.of(texts) for family, texts in families.items()}
        return cls(contexts, owner, names, indexes, antonyms)

    def index(self, item: Item) -> Index:
        """The index of all contexts of an item's kind."""
        return self.indexes[_family(item)]

    def others(self, item: Item, draw: random.Random) -> list[tuple[str, str]]:
        """Names to exchange one for: of the paragraph, of its article, or of another article."""
        chance = draw.random()
        first = self.owner[item.context]  # two sets may share a context
        key = first.source, first.group
        if chance < 0.5:
            return makers.names(item.context)
        if chance < 0.8 and len(self.contexts[key]) > 3:
            return [pair for pair in self.names[key] if not holds(item.context, pair[0])]
        keys = list(self.names)
        more = [pair for key in draw.sample(keys, min(40, len(keys))) for pair in self.names[key]]
        return [pair for pair in more if not holds(item.context, pair[0])]


Maker = Callable[[Item, Surroundings, random.Random], Item | None]


def _family(item: Item) -> str:
    return "wiki" if item.source in WIKI else item.source


def learned_antonyms(folder: Path) -> dict[str, list[str]]:
    """Words that people exchange to make a question unanswerable by an antonym (SQuAD2-CR's cause
    A, the pairs of unansq): seen twice, or once in each direction."""
    reasons = unpacked(folder / "squad2_cr" / "reason_gold_full.tsv.xz").splitlines()
    cause = dict(row.split("\t") for row in reasons[1:])
    counts: Counter[tuple[str, str]] = Counter()
    for row in lines(folder / "unansq" / "question_pairs.jsonl.xz"):
        plain = row["answerable"].split("\t")[1].split()
        key, changed = row["unanswerable"].split("\t")[:2]
        if cause.get(key) != "A":
            continue
        codes = difflib.SequenceMatcher(None, plain, changed.split(), autojunk=False).get_opcodes()
        ops = [code for code in codes if code[0] != "equal"]
        if len(ops) == 1 and ops[0][0] == "replace":
            _, a, b, c, d = ops[0]
            if b - a == d - c == 1:
                counts[plain[a], changed.split()[c]] += 1
    table: dict[str, list[str]] = defaultdict(list)
    for (one, other), count in counts.items():
        fine = one.isalpha() and other.isalpha() and len(one) > 3 < len(other)
        if (
            fine
            and (count > 1 or (other, one) in counts)
            and not {one, other} & makers.ANTONYM_NOISE
        ):
            table[one].append(other)
            if one not in table[other]:
                table[other].append(one)
    return {word: sorted(set(others)) for word, others in table.items()}


def sentence_of(item: Item) -> str:
    """The sentences of the context that the first answer touches."""
    text, start = item.answers[0]
    spans = sentences(item.context)
    first, last = sentence_at(spans, start, start + len(text))
    return item.context[spans[first][0] : spans[last][1]]


def _changed(
    item: Item, pair: tuple[str, str] | None, maker: str, draw: random.Random
) -> Item | None:
    """The item with a word exchanged in its question or all through its context."""
    if pair is None or _YES_NO.match(item.question):
        return None  # what is asked for a yes would be answered by a no
    old, new = pair
    if draw.random() < IN_CONTEXT and not any(holds(text, old) for text, _ in item.answers):
        context = makers.replaced(item.context, old, new)
        wanted = stems(old)
        if not holds(context, old) and not wanted & stems(context) and context != item.context:
            return replace(item, context=context, maker=maker)
    question = makers.replaced(item.question, old, new)
    return replace(item, question=question, maker=maker) if question != item.question else None


def _by_table(table: makers.Table | None, maker: str) -> Maker:
    def make(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
        sentence = sentence_of(item)
        words = around.antonyms if table is None else table
        near = {w: new for w, new in words.items() if holds(sentence, w) and not _compares(w)}
        return _changed(
            item, makers.exchanged(item.question, item.context, near, draw), maker, draw
        )

    return make


def _unit(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    pair = makers.unit_exchanged(item.question, sentence_of(item), draw)
    if pair is None or holds(item.context, pair[1]):
        return None
    question = makers.replaced(item.question, *pair)  # texts say "miles" and "mi": never there
    return None if _YES_NO.match(item.question) else replace(item, question=question, maker="unit")


def _compares(word: str) -> bool:
    """Whether exchanging it only turns a comparison round: "which is higher" has an answer."""
    return word in {"more", "less"} or (
        word.endswith("er") and word not in {"upper", "outer", "after"}
    )


def _number(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    sentence = sentence_of(item)
    pair = makers.exchanged_number(item.question, item.context, draw)
    return _changed(item, pair, "number", draw) if pair and holds(sentence, pair[0]) else None


def _time(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    pair = makers.exchanged_time(item.question, item.context, draw)
    return _changed(item, pair, "time", draw)


def _entity(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    texts = [text for text, _ in item.answers]
    pair = makers.exchanged_name(
        item.question, item.context, sentence_of(item), texts, around.others(item, draw), draw
    )
    if pair is None:
        return None
    if holds(item.context, pair[1]):
        question = makers.replaced(item.question, *pair)
        return (
            replace(item, question=question, maker="entity") if question != item.question else None
        )
    return _changed(item, pair, "entity", draw)


def _negation(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    """The question denied, or the sentence that answers it."""
    if _YES_NO.match(item.question) or not _BARE.match(item.question):
        return None
    if draw.random() < 0.5:
        if makers.statement_negated(sentence_of(item)) is None:
            return None
        question = makers.negated(item.question)
        return replace(item, question=question, maker="negation") if question else None
    found = _denied(item)
    return replace(found, maker="negation") if found else None


def both_denied(item: Item) -> Item | None:
    """Question and sentence both denied: answered again, so that a "not" alone says nothing."""
    found, question = _denied(item), makers.negated(item.question)
    bad = _YES_NO.match(item.question) or not _BARE.match(item.question)
    return replace(found, question=question) if found and question and not bad else None


def _denied(item: Item) -> Item | None:
    """The item with the answer's sentence denied and the answer where it stands now: a sentence
    that says one thing only, and that the question is about."""
    sentence, asked = sentence_of(item), stems(item.question)
    if len(sentence.split()) > 18 or re.search(r"[,;:]|\b(?:and|but|that|which|who)\b", sentence):
        return None
    if 2 * len(asked & stems(sentence)) < len(asked):
        return None
    new = makers.statement_negated(sentence)
    if not new or " not" not in new or item.context.count(sentence) != 1:
        return None
    context = item.context.replace(sentence, new)
    text = item.answers[0][0]
    at = context.find(text, context.find(new))
    return replace(item, context=context, answers=((text, at),)) if at >= 0 else None


def _cut(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    if _vague(item, around):
        return None
    left = makers.without_answer(item.context, item.answers)
    if left is None or _might_answer(left, item):
        return None
    return replace(item, context=left, answers=(), maker="cut")


def _neighbour(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    texts = around.contexts.get((item.source, item.group), [])
    if item.source not in {"squad2", "shifts_wiki"} or _vague(item, around):
        return None
    at = texts.index(item.context)
    near = [texts[i] for i in (at - 1, at + 1) if 0 <= i < len(texts)]
    near = [text for text in near if not _might_answer(text, item)]
    return _elsewhere(item, draw.choice(near), around, "neighbour") if near else None


def _hard(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    """The passage that shares most rare words with the question and does not answer it."""
    if _vague(item, around):
        return None
    for text in around.index(item).search(f"{item.title} {item.question}", 12):
        same = around.owner[text].group == item.group and around.owner[text].source == item.source
        far = item.source in WIKI or not same
        if far and text != item.context and not _might_answer(text, item):
            return _elsewhere(item, text, around, "hard_retrieved")
    return None


def _other(item: Item, around: Surroundings, draw: random.Random) -> Item | None:
    """A passage that has something in common with the question, and no more."""
    if _vague(item, around):
        return None
    found = around.index(item).search(item.question, 120)[30:]
    found = [t for t in found if around.owner[t].group != item.group and not _might_answer(t, item)]
    return _elsewhere(item, draw.choice(found), around, "other_document") if found else None


def _elsewhere(item: Item, text: str, around: Surroundings, maker: str) -> Item:
    return replace(item, context=text, title=around.owner[text].title, answers=(), maker=maker)


def _vague(item: Item, around: Surroundings) -> bool:
    """Whether the question could be asked of many texts ("Which shoes are best?"), or could be
    answered in words of no name or number (yes, no, an opinion)."""
    index = around.index(item)
    rare = [word for word in stems(item.question) if index.rarity(word) >= RARE]
    if _YES_NO.match(item.question) or not rare:
        return True
    if item.source in WIKI:
        return False
    sure = any(re.search(r"\d|\b[A-Z]\w+", text) for text, _ in item.answers)
    return not sure or len(rare) < 2 or min(len(text.split()) for text, _ in item.answers) > 6


def _might_answer(text: str, item: Item) -> bool:
    """Whether a text holds an answer, most of its words, or a sentence of most of the question's
    words; of reviews and posts, every rare word of the question."""
    wanted = stems(item.question)
    for answer, _ in item.answers:
        parts = stems(answer)
        if holds(text, answer) or (
            len(parts) > 2 and 5 * len(parts & stems(text)) >= 3 * len(parts)
        ):
            return True
    asked = wanted - stems(item.title)
    if len(asked) > 1:
        for start, end in sentences(text):
            if 10 * len(asked & stems(text[start:end])) >= 7 * len(asked):
                return True
    return item.source not in WIKI and len(wanted & stems(text)) > 0.6 * len(wanted)


def company_exchanged(item: Item, companies: Sequence[str], draw: random.Random) -> Item | None:
    """A question about a company's policy, over that of another."""
    stem = [c for c in companies if c != item.group and not holds(item.context, c.split(".")[0])]
    if not stem:
        return None
    return replace(named(item, draw.choice(stem), draw), maker="company")


def named(item: Item, company: str, draw: random.Random) -> Item:
    """The question with its company's name."""
    small = item.question[0].lower() + item.question[1:]
    form = draw.choice(
        ("At {c}: {q}", "{Q} ({c})", "According to the policy of {c}, {q}", "{c}: {q}")
    )
    return replace(item, question=form.format(c=company, q=small, Q=item.question))


MAKERS: dict[str, Maker] = {
    "unit": _unit,
    "population": _by_table(makers.POPULATION, "population"),
    "condition": _by_table(makers.CONDITION, "condition"),
    "antonym": _by_table(None, "antonym"),
    "number": _number,
    "time": _time,
    "negation": _negation,
    "entity": _entity,
    "cut": _cut,
    "neighbour": _neighbour,
    "hard_retrieved": _hard,
    "other_document": _other,
}
