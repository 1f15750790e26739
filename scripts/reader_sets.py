"""The sets of shared/data/reading and their neighbours as questions over contexts and as claims.

Owns each set's format, its traps and what of it is held out; does not know windows, makers or
shares. Held out by group (article, company, paragraph), the same in every run and for every seed.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader_text import detokenised, holds, nearest, sentence_at, sentences

HELD_SQUAD2 = (
    "Immune_system", "Jacksonville,_Florida", "Packet_switching", "Pharmacy", "Yuan_dynasty",
)  # fmt: skip
MEDQUAD_FOCUSES = frozenset({
    "Cataract", "Gallstones", "Gout", "Knee Replacement", "Osteoporosis",
    "Restless Legs Syndrome", "Shingles",
})  # of benchmarks/tasks/answers.py  # fmt: skip
HELD_CLAIMS = frozenset({"check_covid", "summedits_scitldr"})  # whole
HELD_SHARE = 12  # one group of so many


@dataclass(frozen=True, slots=True)
class Item:
    """A question over a context. answers: (text, start); none where it is unanswerable."""

    source: str
    group: str  # article, company, product: what may be near
    title: str  # "" where a text has none
    context: str
    question: str
    answers: tuple[tuple[str, int], ...]
    maker: str = "real"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and what is said about it. `at` marks the evidence sentences that must stay."""

    source: str
    group: str
    claim: str
    evidence: str
    label: str  # supported, contradicted, unknown
    maker: str = "human"
    at: tuple[int, ...] = ()


def span_json(
    question: str, context: str, answers: list[dict[str, Any]], maker: str, source: str
) -> dict[str, Any]:
    """A row of spans, as the trainer reads it."""
    return {"question": question, "context": context, "answers": answers,
            "is_impossible": not answers, "maker": maker, "source": source}  # fmt: skip


def held_out(source: str, group: str) -> bool:
    """Whether a group is kept out of training."""
    if source == "squad2":
        return group in HELD_SQUAD2
    source = "nq" if source == "qed" else source  # the same articles
    return zlib.crc32(f"{source}:{group}".encode()) % HELD_SHARE == 0


def lines(path: Path) -> list[Any]:
    """The rows of a (compressed) file of JSON lines."""
    return [json.loads(line) for line in unpacked(path).split("\n") if line.strip()]


def unpacked(path: Path) -> str:
    """A file's text; of a .xz file what is packed in it."""
    data = path.read_bytes()
    return (lzma.decompress(data) if path.suffix == ".xz" else data).decode()


def _placed(
    context: str, question: str, answers: list[dict[str, Any]]
) -> tuple[tuple[str, int], ...]:
    """Different answers; one that stands in several places goes where the question points."""
    kept = {}
    for answer in answers:
        text, start = answer["text"], answer["answer_start"]
        if context[start : start + len(text)] != text:
            continue
        if answer.get("n_occurrences", 1) > 1:
            start = _likeliest(context, question, text)
        kept[text] = start
    return tuple(kept.items())


def _likeliest(context: str, question: str, text: str) -> int:
    """Where the answer stands in the sentence nearest to the question."""
    spans = sentences(context)
    places = [match.start() for match in re.finditer(re.escape(text), context)]
    per = {at: spans[sentence_at(spans, at, at + len(text))[0]] for at in places}
    best = nearest(context, list(per.values()), question)
    return list(per)[best]


def squad(folder: Path) -> Iterator[Item]:
    """SQuAD 2 in both files, and SQuADShifts."""
    files = {
        "squad2/answerable_or_not": "squad2", "squad2/answerable_more": "squad2",
        "squadshifts/new_wiki": "shifts_wiki", "squadshifts/amazon_reviews": "shifts_amazon",
        "squadshifts/reddit": "shifts_reddit",
    }  # fmt: skip
    for name, source in files.items():
        for row in lines(folder / f"{name}.jsonl.xz"):
            context, question = row["context"], row["question"].strip()
            group = row["title"] if source != "shifts_reddit" else context[:60]
            known = source in {"squad2", "shifts_wiki"}
            impossible = row.get("is_impossible", False)
            answers = () if impossible else _placed(context, question, row["answers"])
            if impossible or answers:
                title = row["title"].replace("_", " ") if known else ""
                maker = "human" if impossible else "real"
                yield Item(source, group, title, context, question, answers, maker)


def policyqa(folder: Path) -> Iterator[Item]:
    """Questions over privacy policies; the company is the title."""
    for row in lines(folder / "policyqa" / "policyqa.jsonl.xz"):
        answers = _placed(row["context"], row["question"], row["answers"])
        if answers and len(row["context"].split()) > 25:
            company = row["title"].removeprefix("mlb.").removeprefix("education.")
            question = row["question"].replace("the my", "my")
            yield Item("policyqa", company, company, row["context"], question, answers)


def natural(folder: Path) -> Iterator[Item]:
    """Search questions of Natural Questions in both layouts, each question once."""
    seen = set()
    for row in lines(folder / "nq_open_oracle" / "nq_open_oracle.jsonl.xz"):
        gold = row["ctxs"][0]
        item = _natural("nq", gold["title"], gold["text"], row["question"], row["answers"])
        if item:
            seen.add(item.question)
            yield item
    for row in lines(folder / "qed" / "qed-dev.jsonlines.xz"):
        marked = [a["paragraph_reference"]["string"] for a in row["annotation"].get("answer", [])]
        golds = [a["string"] for some in row["original_nq_answers"] for a in some]
        texts = [detokenised(text) for text in [*marked, *golds]]
        text, title = detokenised(row["paragraph_text"]), row["title_text"]
        item = _natural("qed", title, text, row["question_text"], texts)
        if item and item.question not in seen and len(marked) < 2:
            yield item


def _natural(source: str, title: str, text: str, question: str, texts: list[str]) -> Item | None:
    text = re.sub(r"\s+", " ", text)
    found = [t for t in texts if t and re.search(re.escape(t), text)]
    if not found or not 15 < len(text.split()) < 900:
        return None
    answers = tuple((t, _likeliest(text, question, t)) for t in dict.fromkeys(found))
    return Item(source, title, title, text, question, answers)


def unansq(folder: Path) -> Iterator[tuple[Item, Item]]:
    """An answerable question and its smallest unanswerable change, over their sentence's context.

    Only the answer's sentence is known, so that these are pairs and no spans.
    """
    for row in lines(folder / "unansq" / "pairs_with_context.jsonl.xz"):
        tokens = row["context"].split(" ")
        first, last = map(int, row["span"])
        context = detokenised(row["context"])
        sentence = detokenised(" ".join(tokens[first : last + 1]))
        at = context.find(sentence)
        answers = ((sentence, at),) if at >= 0 else ((context, 0),)
        for_real = Item(
            "unansq", context[:60], "", context, detokenised(row["answerable"]), answers
        )
        question = detokenised(row["unanswerable"])
        if holds(context, question) or question == for_real.question:
            continue
        yield for_real, Item("unansq", context[:60], "", context, question, answers, "human")


def claims(shared: Path) -> Iterator[Claim]:
    """Every set of claims with its labels as the three of the reader."""
    folder = shared / "reading"
    for read in (_fever, _snli, _wice, _factcheck, _refchecker, _summedits, _begin, _check_covid):
        yield from read(folder)
    yield from _scifact(shared / "scifact")


def _fever(folder: Path) -> Iterator[Claim]:
    """Of FEVER's dev set only supported and refuted claims have evidence to pair with: what is not
    entailed here is refuted (12 of 12 looked at)."""
    for row in lines(folder / "fever" / "fever_dev.jsonl.xz"):
        label = "supported" if row["label"] == "entailment" else "contradicted"
        evidence = detokenised(row["evidence"])
        yield Claim("fever", evidence[:50], row["claim"], evidence, label)


def _snli(folder: Path) -> Iterator[Claim]:
    for row in lines(folder / "snli" / "snli_dev.jsonl.xz"):
        label = ("supported", "unknown", "contradicted")[row["label"]]
        yield Claim("snli", row["premise"][:50], row["hypothesis"], row["premise"], label)


def _wice(folder: Path) -> Iterator[Claim]:
    """WiCE says of what is partly or not supported that something is missing, seldom that it is
    wrong: unknown."""
    for row in lines(folder / "wice" / "oracle_claim_dev.jsonl.xz"):
        evidence = " ".join(s for s in row["evidence"] if not s.startswith("(meta data)"))
        label = "supported" if row["label"] == "supported" else "unknown"
        yield Claim("wice", row["meta"]["claim_title"], row["claim"], evidence, label)


def _factcheck(folder: Path) -> Iterator[Claim]:
    labels = {"completely-support": "supported", "refute": "contradicted",
              "irrelevant": "unknown", "partially-support": "unknown"}  # fmt: skip
    for row in lines(folder / "factcheck_gpt" / "subtask3_claim_evidence_stance.jsonl.xz"):
        label = labels[row["stance"]]
        yield Claim("factcheck", row["claim"][:40], row["claim"], row["evidence"], label)


def _refchecker(folder: Path) -> Iterator[Claim]:
    """Triplets over Natural Questions, whose paragraph only QED's questions bring along."""
    rows = lines(folder / "qed" / "qed-dev.jsonlines.xz")
    texts = {str(row["example_id"]): detokenised(row["paragraph_text"]) for row in rows}
    labels = {"Entailment": "supported", "Contradiction": "contradicted", "Neutral": "unknown"}
    for path in sorted((folder / "refchecker").glob("*zero_context*answers*")):
        for row in json.loads(unpacked(path)):
            for part in row["claude2_response_kg"] if row["id"] in texts else ():
                label = labels.get(part["human_label"] or "")
                if label:
                    claim = " ".join(part["triplet"])
                    yield Claim("refchecker", row["id"], claim, texts[row["id"]], label)


def _summedits(folder: Path) -> Iterator[Claim]:
    """Sentences of summaries of short documents. Edits of entities, antonyms and negations
    contradict; facts that were only added are unknown; both at once are left out."""
    for path in sorted((folder / "summedits").glob("*.xz")):
        source = f"summedits_{path.name.split('.')[0]}"
        for row in json.loads(unpacked(path)):
            added = "hallucinated_fact_insertion" in row["edit_types"]
            if len(row["doc"].split()) > 250 or (added and len(row["edit_types"]) > 1):
                continue
            bad = "unknown" if added else "contradicted"
            group = row["id"].rsplit("_", 1)[0]
            for claim, changed in _summary_sentences(row["summary"], row["original_summary"]):
                if row["label"] or changed:
                    label = "supported" if row["label"] else bad
                    yield Claim(source, group, claim, row["doc"], label)


def _summary_sentences(summary: str, original: str) -> Iterator[tuple[str, bool]]:
    """Sentences that can be read alone, and whether the original lacks them. Where the two have
    not the same number of sentences, the whole summary."""
    new, old = ([t[a:b] for a, b in sentences(t)] for t in (summary, original))
    if len(new) != len(old) or sum(a != b for a, b in zip(new, old, strict=True)) > 1:
        yield summary, summary != original
        return
    for one, before in zip(new, old, strict=True):
        if not re.match(r"(?:He|She|It|They|This|These|His|Her|Their|Its)\b", one):
            yield one, one != before


def _begin(folder: Path) -> Iterator[Claim]:
    """Replies that say more than their source says: unknown. What says nothing is left out."""
    for path in sorted((folder / "begin").glob("begin_*.tsv.xz")):
        file = io.StringIO(unpacked(path))
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            label = {"Fully attributable": "supported", "Not fully attributable": "unknown"}
            if row["begin_label"] in label and len(row["response"].split()) > 5:
                claim, evidence = detokenised(row["response"]), detokenised(row["knowledge"])
                yield Claim("begin", evidence[:50], claim, evidence, label[row["begin_label"]])


def _check_covid(folder: Path) -> Iterator[Claim]:
    rows = lines(folder / "check_covid" / "corpus.json.xz")
    texts = {row["cord_id"]: row["abstract"] for row in rows}
    labels = {"SUPPORT": "supported", "REFUTE": "contradicted", "NOTENOUGHINFO": "unknown"}
    for row in lines(folder / "check_covid" / "Check-COVID_all.json.xz"):
        at = [mark["sent_index"] for mark in row["evidence_set"]]
        said = texts.get(row["cord_id"], [])
        if said and at:
            near = " ".join(said[max(min(at) - 1, 0) : max(at) + 2])
            yield Claim(
                "check_covid", row["cord_id"], row["claim"].strip(), near, labels[row["label"]]
            )


def scifact_tests(shared: Path) -> frozenset[str]:
    """The claims of the test queries, in small letters: nothing made may repeat one."""
    texts = {row["_id"]: row["text"] for row in lines(shared / "scifact" / "queries.jsonl")}
    rows = (shared / "scifact" / "qrels" / "test.tsv").read_text().splitlines()[1:]
    return frozenset(texts[row.split("\t")[0]].casefold() for row in rows)


def _scifact(folder: Path) -> Iterator[Claim]:
    """Claims of the training queries and the abstracts cited for them; cited without a verdict is
    unknown."""
    corpus = {row["_id"]: row for row in lines(folder / "corpus.jsonl")}
    queries = {row["_id"]: row for row in lines(folder / "queries.jsonl")}
    for line in (folder / "qrels" / "train.tsv").read_text().splitlines()[1:]:
        query, document, _ = line.split("\t")
        marks = queries[query]["metadata"]
        marks = ast.literal_eval(marks) if isinstance(marks, str) else marks
        said = marks.get(document)
        label = (
            {"SUPPORT": "supported", "CONTRADICT": "contradicted"}[said[0]["label"]]
            if said
            else "unknown"
        )
        at = tuple(i for mark in said or () for i in mark["sentences"])
        yield Claim(
            "scifact", document, queries[query]["text"], corpus[document]["text"], label, at=at
        )
