"""Questions and whole passages: does the passage answer? For the reader's head `answers`.

Out of unansq, MedQuAD, PubMedQA and BoolQ, each with near misses of its own. Does not know files
to write or shares.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader_sets import MEDQUAD_FOCUSES, lines, unansq
from reader_text import Index, holds, sentences, stems, window

ASKED = {  # MedQuAD's kind of question: ways to ask it, its heading, words that give it away
    "treatment": (("What are the treatments for {f}?", "How is {f} treated?",
                   "What can be done about {f}?"), "Treatment", "treat therap medic surg drug"),
    "symptoms": (("What are the symptoms of {f}?", "What are signs of {f}?"), "Symptoms",
                 "symptom sign"),
    "causes": (("What causes {f}?", "Why do people get {f}?"), "Causes", "caus"),
    "outlook": (("What is the outlook for {f}?", "What is the prognosis of {f}?"), "Outlook",
                "outlook prognos recover surviv"),
    "exams and tests": (("How is {f} diagnosed?", "Which tests show {f}?"), "Diagnosis",
                        "diagnos test exam"),
    "susceptibility": (("Who is at risk for {f}?", "Who gets {f}?"), "Who is at risk",
                       "risk likely"),
    "prevention": (("How can {f} be prevented?", "How do I avoid {f}?"), "Prevention",
                   "prevent avoid lower"),
    "complications": (("What are the complications of {f}?",), "Complications", "complication"),
    "frequency": (("How common is {f}?", "How many people have {f}?"), "How common it is",
                  "percent million people common"),
    "information": (("What is {f}?", "Do you have information about {f}?"), "Overview", ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a passage as titled() gives it, and whether it answers."""

    source: str
    group: str
    question: str
    passage: str
    answers: bool
    maker: str


def pairs(shared: Path, draw: random.Random) -> Iterator[Pair]:
    """All of them."""
    yield from _unansq(shared / "reading", draw)
    yield from _medquad(shared / "medquad", draw)
    yield from _pubmedqa(shared / "pubmedqa", draw)
    yield from _boolq(shared / "reading", draw)


def _unansq(folder: Path, draw: random.Random) -> Iterator[Pair]:
    """The same window for both questions of a pair."""
    for real, changed in unansq(folder):
        text, at = real.answers[0]
        start, end = window(real.context, (at, at + len(text)), draw.randint(80, 150), draw)
        shown = real.context[start:end]
        yield Pair("unansq", real.group, real.question, shown, True, "real")
        yield Pair("unansq", real.group, changed.question, shown, False, "human")


def _medquad(folder: Path, draw: random.Random) -> Iterator[Pair]:
    """A focus's question and its text; over it near misses: the same kind of another focus, another
    kind of the same focus. Texts begin where their section does, which is where they answer."""
    rows = [row for row in lines(folder / "consumer.jsonl")
            if row["focus"] and row["qtype"] in ASKED and row["focus"] not in MEDQUAD_FOCUSES
            and row["source"] != "NIHSeniorHealth" and not _other_focus(row)
            and len(row["answer"].split()) > 25]  # fmt: skip
    kinds, focuses = defaultdict(list), defaultdict(list)
    for row in rows:
        kinds[row["qtype"]].append(row)
        focuses[row["focus"]].append(row)
    for row in rows:
        form = draw.choice(ASKED[row["qtype"]][0])
        question = form.format(f=_focus(row["focus"]))
        yield Pair("medquad", row["focus"], question, _section(row, draw), True, "real")
        near = [r for r in focuses[row["focus"]] if r["qtype"] not in (row["qtype"], "information")]
        near = [(r, _section(r, draw)) for r in near] if row["qtype"] != "information" else []
        near = [(r, text) for r, text in near if not _tells(text, row["qtype"])]
        if near and draw.random() < 0.8:
            yield Pair("medquad", row["focus"], question, draw.choice(near)[1], False, "other_kind")
        far = [r for r in kinds[row["qtype"]] if not stems(r["focus"]) & stems(row["focus"])
               and not holds(r["answer"], row["focus"])]  # fmt: skip
        if draw.random() < 0.5:
            shown = _section(draw.choice(far), draw)
            yield Pair("medquad", row["focus"], question, shown, False, "other_focus")


def _other_focus(row: dict[str, Any]) -> bool:
    """Whether the focus of one of the held-out seven is this one's subject too."""
    return any(holds(row["focus"], f) or holds(row["focus"], f"{f}s") for f in MEDQUAD_FOCUSES)


def _focus(focus: str) -> str:
    """The focus as one writes it within a sentence."""
    return focus if re.search(r"[A-Z]{2}", focus) else focus.lower()


def _section(row: dict[str, Any], draw: random.Random) -> str:
    """The head of the answer, in half of the cases under focus and heading."""
    text = re.sub(r"^Summary : ", "", re.sub(r"\s+", " ", row["answer"]))
    spans = sentences(text)
    head = (spans[0][0], spans[min(1, len(spans) - 1)][1])
    start, end = window(text, head, draw.randint(80, 145), draw)
    if draw.random() < 0.5:
        return text[start:end]
    return f"{row['focus']}\n{ASKED[row['qtype']][1]}\n{text[start:end]}"


def _tells(text: str, kind: str) -> bool:
    """Whether a text speaks of what a kind of question asks for."""
    return any(re.search(rf"\b{word}", text, re.I) for word in ASKED[kind][2].split())


def _pubmedqa(folder: Path, draw: random.Random) -> Iterator[Pair]:
    """A paper's question and the end of its abstract with the conclusion; near misses are the part
    that says only what was asked or done, and the nearest other paper."""
    rows = json.loads((folder / "pqal.json").read_text())
    whole = {key: " ".join([*row["CONTEXTS"], row["LONG_ANSWER"]]) for key, row in rows.items()}
    index, owner = Index.of(whole.values()), {text: key for key, text in whole.items()}
    for key, row in rows.items():
        text = whole[key]
        start, end = window(text, (len(text) - 1, len(text)), draw.randint(90, 150), draw)
        question = row["QUESTION"]
        yield Pair("pubmedqa", key, question, text[start:end], True, "real")
        early = [t for t, label in zip(row["CONTEXTS"], row["LABELS"], strict=False)
                 if re.match(r"BACKGROUND|OBJECTIVE|AIM|INTRODUCTION|PURPOSE|METHOD|DESIGN|SETTING"
                             r"|PATIENTS|MATERIAL|STUDY", label)
                 and not re.search(r"RESULT|CONCLUSION|FINDING", label)]  # fmt: skip
        if early and len(" ".join(early).split()) > 30:
            text = " ".join(early)
            start, end = window(text, (0, 1), draw.randint(90, 150), draw)
            yield Pair("pubmedqa", key, question, text[start:end], False, "cut")
        found = [t for t in index.search(question, 8) if owner[t] != key]
        text = found[draw.randrange(min(3, len(found)))]
        start, end = window(text, (len(text) - 1, len(text)), draw.randint(90, 150), draw)
        yield Pair("pubmedqa", key, question, text[start:end], False, "hard_retrieved")


def _boolq(folder: Path, draw: random.Random) -> Iterator[Pair]:
    """Yes/no questions, with the article's name as first line in half of them; the near miss is the
    nearest passage of another article that lacks a rare word of the question."""
    rows = lines(folder / "boolq" / "train.jsonl.xz")
    rows = [row for row in rows if " -- " in row["passage"][:80]]
    rows = [row for row in rows if len(row["passage"].split()) < 110]
    draw.shuffle(rows)
    rows = rows[:3000]
    index = Index.of(row["passage"] for row in rows)
    for row in rows[:1500]:
        title, _, text = row["passage"].partition(" -- ")
        yield Pair("boolq", title, row["question"], _titled(title, text, draw), True, "real")
        rare = {word for word in stems(row["question"]) if index.rarity(word) > 4}
        for found in index.search(row["question"], 6):
            if not found.startswith(title) and rare - stems(found):
                other, _, text = found.partition(" -- ")
                shown = _titled(other, text, draw)
                yield Pair("boolq", title, row["question"], shown, False, "hard_retrieved")
                break


def _titled(title: str, text: str, draw: random.Random) -> str:
    return f"{title}\n{text}" if draw.random() < 0.5 else text
