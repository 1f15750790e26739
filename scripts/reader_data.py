"""Make the training and held-out files of the reader out of openly licensed sets.

    python scripts/reader_data.py OUT_FOLDER [--seed 7] [--without MAKER] [--shared ../shared/data]

train/span.jsonl      question over context, answer spans or none; SQuAD 2, SQuADShifts, PolicyQA,
                      Natural Questions, QED; questions in everyday words (reader_lay.py)
train/answers.jsonl   question over passage, yes or no; unansq, MedQuAD, PubMedQA, BoolQ
train/supports.jsonl  claim over evidence; FEVER, SNLI, WiCE, Factcheck-GPT, RefChecker, SummEdits,
                      BEGIN, SciFact's training claims
held/                 squad2 (five articles, whole contexts), source_* and made_* (of groups that
                      are not trained on: by set, by maker with the questions they were made of),
                      answers_*, supports_* (check_covid and summedits_scitldr are held out whole),
                      supports_made_* (`name` is a maker that is never trained on)

`maker` is "real" where a text answers, "human" where people wrote what it does not, else what was
done (reader_makers.py). unansq knows only the sentence of an answer and gives pairs, no spans.
"Not fully" of BEGIN and WiCE is unknown, FEVER's "not entailment" contradicted. Licences: the sets'
own (CC BY, CC BY-SA, MIT, Apache-2.0; shared/data/reading/README.md); nothing of them is kept here.
Deterministic; takes about a minute. Never read: covid_qa, the test halves, acceptance data.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import reader_claims
from reader_claims import HELD_MAKER
from reader_lay import lay_items, lay_misses
from reader_near import (
    MAKERS,
    Surroundings,
    both_denied,
    company_exchanged,
    learned_antonyms,
    named,
)
from reader_pairs import Pair, pairs
from reader_sets import (
    HELD_CLAIMS,
    Claim,
    Item,
    claims,
    held_out,
    natural,
    policyqa,
    scifact_tests,
    span_json,
    squad,
)
from reader_text import nearest, pieces, sentences, window

WANTED = {  # near misses of each maker
    "unit": 200, "population": 500, "condition": 600, "antonym": 700, "number": 600, "time": 700,
    "negation": 350, "entity": 3000, "cut": 1500, "neighbour": 1000, "hard_retrieved": 1600,
    "other_document": 800,
}  # fmt: skip
POLICIES, COMPANIES, SHIFTS, DENIED = 1500, 500, 6000, 250  # rows
TITLED = 0.4  # share of rows that begin with their article's title
BUDGET = (95, 165)  # word pieces of a context
HELD_MADE = 250  # of each maker
Row = dict[str, Any]


def main() -> None:
    """Write all files and say what is in them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--without", default="", help="a maker of near misses to leave out of training"
    )
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    antonyms = learned_antonyms(options.shared / "reading")
    out = Written(options.out)
    _spans(out, options.shared / "reading", antonyms, options.without, draw)
    _pairs(out, options.shared, draw)
    _claims(out, options.shared, antonyms, draw)
    out.report()


class Written:
    """The files written so far, and what they hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, list[Row]] = {}

    def write(self, name: str, rows: Iterable[Row]) -> None:
        """One file of JSON lines."""
        self.rows[name] = kept = list(rows)
        path = self.folder / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), "utf-8"
        )

    def report(self) -> None:
        """Counts by source, maker and label with mean lengths in words; then each file's."""
        for name, rows in self.rows.items():
            if name.startswith("train/"):
                self._table(name, rows)
        print("file | rows | of them answered or supported | words")
        for name, rows in self.rows.items():
            good = sum(_label(row) in {"answer", "yes", "supported"} for row in rows)
            print(f"{name} | {len(rows)} | {good} | {_words(rows):.0f}")

    def _table(self, name: str, rows: Sequence[Row]) -> None:
        print(f"{name}: source | maker | label | rows | words")
        kinds = defaultdict(list)
        for row in rows:
            kinds[row["source"], row["maker"], _label(row)].append(row)
        for (source, maker, label), some in sorted(kinds.items()):
            print(f"{source} | {maker} | {label} | {len(some)} | {_words(some):.0f}")
        print(f"labels: {dict(Counter(map(_label, rows)))}")
        print(f"makers: {dict(Counter(row['maker'] for row in rows))}")
        total = sum(pieces(" ".join(_texts(row))) + 3 for row in rows)
        print(f"about {total / 1e6:.2f} million word pieces, {total / max(1, len(rows)):.0f} a row")


def _label(row: Row) -> str:
    return row.get("label") or ("no answer" if row["is_impossible"] else "answer")


def _texts(row: Row) -> tuple[str, str]:
    return (row["question"], row["context"]) if "question" in row else (row["a"], row["b"])


def _words(rows: Sequence[Row]) -> float:
    return sum(len(" ".join(_texts(row)).split()) for row in rows) / max(1, len(rows))


def _spans(
    out: Written, folder: Path, antonyms: dict[str, list[str]], without: str, draw: random.Random
) -> None:
    every = [*squad(folder), *natural(folder)]
    policies = list(policyqa(folder))
    learn = [item for item in every if not held_out(item.source, item.group)]
    held = [item for item in every if held_out(item.source, item.group)]
    made = near_misses(learn, antonyms, WANTED, draw)
    shifts = _shifts(learn, made, draw)
    rest = [item for item in learn if not item.source.startswith("shifts")]
    denied = [
        found
        for item in draw.sample(rest, len(rest))
        if item.answers and (found := both_denied(item))
    ]
    company = _companies([p for p in policies if not held_out(p.source, p.group)], draw, 1)
    rows = [*rest, *shifts, *denied[:DENIED], *company, *(item for _, item in made)]
    rows = [item for item in [*rows, *_lay(out, folder.parent, draw)] if item.maker != without]
    out.write("train/span", (span_row(item, draw) for item in draw.sample(rows, len(rows))))
    whole = [item for item in held if item.source == "squad2"]
    out.write("held/squad2", (span_row(item, draw, whole=True) for item in whole))
    _held_spans(out, held, [p for p in policies if held_out(p.source, p.group)], antonyms, draw)


def _lay(out: Written, shared: Path, draw: random.Random) -> list[Item]:
    """The questions in everyday words to learn from; those that are held out are written."""
    items = [*lay_items(shared)]
    held = dict.fromkeys(item for is_held, item in items if is_held)
    out.write("held/lay", (span_row(item, draw) for item in held))
    learn = [item for is_held, item in items if not is_held]
    return [*learn, *lay_misses([*dict.fromkeys(learn)], draw)]


def _held_spans(
    out: Written,
    held: Sequence[Item],
    policies: Sequence[Item],
    antonyms: dict[str, list[str]],
    draw: random.Random,
) -> None:
    made = near_misses(held, antonyms, dict.fromkeys(WANTED, HELD_MADE), draw)
    sources = defaultdict(list)
    for maker in WANTED:
        some = [pair for pair in made if pair[1].maker == maker]
        rows = [item for pair in some for item in pair]
        out.write(f"held/made_{maker}", (span_row(item, draw) for item in dict.fromkeys(rows)))
        for item in rows:
            sources[item.source].append(item)
    company = _companies(policies, draw, 0.2)
    out.write("held/made_company", (span_row(item, draw) for item in company))
    for source, rows in sources.items():
        if source != "squad2":
            out.write(
                f"held/source_{source}", (span_row(item, draw) for item in dict.fromkeys(rows))
            )


def near_misses(
    items: Sequence[Item],
    antonyms: dict[str, list[str]],
    wanted: Mapping[str, int],
    draw: random.Random,
) -> list[tuple[Item, Item]]:
    """Answerable items and their near misses, the rarest makers served first; no item twice by one
    maker nor by more than two."""
    around = Surroundings.of(items, antonyms)
    used: Counter[Item] = Counter()
    made = []
    for maker, make in MAKERS.items():
        count = 0
        for item in _by_turns(items, draw):
            if count >= wanted[maker]:
                break
            found = make(item, around, draw) if used[item] < 2 else None
            if found:
                made.append((item, found))
                used[item] += 1
                count += 1
    return made


def _by_turns(items: Sequence[Item], draw: random.Random) -> Iterator[Item]:
    """Answerable items by chance, reviews and posts after the others have had their turn twice."""
    late = {"shifts_amazon", "shifts_reddit"}
    ranked = [
        (draw.random() * (2.5 if item.source in late else 1), i) for i, item in enumerate(items)
    ]
    return (items[i] for _, i in sorted(ranked) if items[i].answers)


def _shifts(
    learn: Sequence[Item], made: Sequence[tuple[Item, Item]], draw: random.Random
) -> list[Item]:
    """Answerable items of SQuADShifts: those of which near misses were made, then others."""
    first = {item: None for item, _ in made if item.source.startswith("shifts")}
    more = [item for item in learn if item.source.startswith("shifts") and item not in first]
    chosen = draw.sample(list(first), len(first))[: SHIFTS * 2 // 3]
    return chosen + draw.sample(more, SHIFTS - len(chosen))


def _companies(policies: Sequence[Item], draw: random.Random, share: float) -> list[Item]:
    """Questions over policies, half of them naming their company, and near misses of another's."""
    items = draw.sample(policies, min(len(policies), int(POLICIES * share)))
    names = sorted({item.group for item in policies})
    bare = [replace(item, title=item.title if i % 2 else "") for i, item in enumerate(items[::2])]
    rows = bare + [named(item, item.group, draw) for item in items[1::2]]
    found = (company_exchanged(item, names, draw) for item in items)
    return rows + [item for item in found if item][: int(COMPANIES * share)]


def span_row(item: Item, draw: random.Random, whole: bool = False) -> Row:
    """A window of the context around the answer (or what is nearest to the question), in some rows
    under the title, with the answers' places in it."""
    keep = _anchor(item)
    start, end = window(item.context, keep, draw.randint(*BUDGET), draw)
    start, end = (0, len(item.context)) if whole else (start, end)
    by_name = item.source == "policyqa" or draw.random() < TITLED
    head = f"{item.title}\n" if item.title and by_name and not whole else ""
    answers = []
    for text, at in item.answers if item.maker == "real" else ():
        if start <= at and at + len(text) <= end:
            answers.append({"text": text, "answer_start": at - start + len(head)})
    context = head + item.context[start:end]
    return span_json(item.question, context, answers, item.maker, item.source)


def _anchor(item: Item) -> tuple[int, int]:
    """Characters that a window must hold."""
    if item.answers:
        text, start = item.answers[0]
        if item.context[start : start + len(text)] == text:
            return start, start + len(text)
    spans = sentences(item.context)
    return spans[nearest(item.context, spans, item.question)]


def _pairs(out: Written, shared: Path, draw: random.Random) -> None:
    learn, held = [], defaultdict(list)
    for pair in pairs(shared, draw):
        if held_out(pair.source, pair.group):
            held[pair.source].append(pair)
        else:
            learn.append(pair)
    out.write("train/answers", map(_pair_row, draw.sample(learn, len(learn))))
    for source, some in held.items():
        out.write(f"held/answers_{source}", map(_pair_row, some))


def _pair_row(pair: Pair) -> Row:
    return {"a": pair.question, "b": pair.passage, "label": "yes" if pair.answers else "no",
            "maker": pair.maker, "source": pair.source}  # fmt: skip


def _claims(
    out: Written, shared: Path, antonyms: dict[str, list[str]], draw: random.Random
) -> None:
    learn, held, tests = [], [], scifact_tests(shared)
    for claim in claims(shared):
        apart = claim.source in HELD_CLAIMS or held_out(claim.source, claim.group)
        (held if apart else learn).append(claim)
    kept, rows = reader_claims.taken(held, draw), reader_claims.taken(learn, draw)
    known = {claim.claim.casefold() for claim in kept if claim.source != "snli"} | tests
    rows += [c for c in reader_claims.made(rows, antonyms, draw) if c.maker != HELD_MAKER]
    rows = [claim for claim in rows if claim.claim.casefold() not in known]
    out.write("train/supports", map(_claim_row, draw.sample(rows, len(rows))))
    sources, makers = defaultdict(list), defaultdict(list)
    for claim in kept:
        sources[claim.source].append(claim)
    for claim in reader_claims.made(kept, antonyms, draw, 0.25):
        makers[claim.maker].append(claim)
    for source, some in sources.items():
        out.write(f"held/supports_{source}", map(_claim_row, some))
    whole = {(claim.evidence, claim.source): claim for claim in kept if claim.label == "supported"}
    for maker, some in makers.items():
        same = [whole[key] for claim in some if (key := (claim.evidence, claim.source)) in whole]
        out.write(f"held/supports_made_{maker}", map(_claim_row, [*some, *dict.fromkeys(same)]))


def _claim_row(claim: Claim) -> Row:
    return {"a": claim.claim, "b": claim.evidence, "label": claim.label, "maker": claim.maker,
            "source": claim.source}  # fmt: skip


if __name__ == "__main__":
    main()
