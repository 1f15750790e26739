"""`dragtor eval encoder`: are a head's classes and spans right, and its probabilities honest?

Labels of the data and of the head are compared by name, in lower case, after the mapping. Knows
no graph: any LabelsTexts will do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dragtor import metrics
from dragtor.config import Config
from dragtor.encoder.align import Offsets
from dragtor.encoder.bio import mapped_tags
from dragtor.encoder.data import TaskData, TaskExample, coarse_names, read_task, span_names
from dragtor.encoder.decode import label_spans, runs
from dragtor.encoder.heads import Head, HeadSet
from dragtor.errors import UsageError
from dragtor.evaluate.common import means, versions
from dragtor.schema import evaluation_json
from dragtor.types import NEVER, SILENT, CancelToken, LabelledSpan, Reporter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

DEFAULT_HEADS = "tags"
_BATCH = 256  # examples between two reports of progress


class LabelsTexts(Protocol):
    """What is measured: dragtor.encoder.Encoder, which has the details."""

    heads: HeadSet
    version: str

    def predict(self, texts: Sequence[str], heads: Sequence[str] = ()) -> Sequence[Any]:
        """For each text an object whose `classes[head]` is label -> probability."""
        ...

    def predict_words(
        self, examples: Sequence[tuple[str, Sequence[Offsets]]], head: str = ""
    ) -> list[tuple[list[str], Numbers]]:
        """For each (text, words) the label of each word, and (words, labels) probabilities."""
        ...

    def predict_pairs(self, pairs: Sequence[tuple[str, str]], head: str = "") -> Numbers:
        """(n, labels) probabilities."""
        ...

    def answer(self, question: str, context: str, head: str = "") -> LabelledSpan | None:
        """The span of `context` that answers; None where nothing does."""
        ...


@dataclass(frozen=True, slots=True)
class _Task:
    """One file against one head. Names are in lower case, as `coarse` makes them."""

    data: TaskData
    head: Head
    coarse: Mapping[str, str]
    wanted: frozenset[str]  # names that the data has
    notes: list[str] = field(default_factory=list)

    def name(self, label: str) -> str:
        """The name under which a label of data or head is compared; empty of what is no span."""
        return self.coarse.get(label.lower(), label).lower()


def evaluate(
    tasks: Path | Sequence[Path],
    config: Config,
    *,
    mapping: Mapping[str, str] = {},
    head: str = "",
    model: str = DEFAULT_HEADS,
    encoder: LabelsTexts | None = None,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """Measure a head on each task file.

    `mapping` (see read_task) is of labels of the data and of the head alike; `head` may be left
    out where it can be told from the task's kind or name. Of several files the metrics stand
    under each one's name. Spans of a name that the data has not are left out of what is said.
    """
    paths = [tasks] if isinstance(tasks, Path) else [*tasks]
    if not paths:
        raise UsageError("no task to measure", "--task FILE")
    read = [read_task(path, mapping=mapping) for path in paths]
    encoder = encoder or _opened(model, config, cancel)
    found: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for data in read:
        task = _task(data, _head(encoder.heads, data, head), mapping)
        measured = _MEASURES[data.kind](encoder, task, _reported(data, reporter, cancel))
        found[_key(data, found)] = measured
        notes += task.notes
    for note in notes:
        reporter.note(note)
    return evaluation_json(
        "encoder",
        ", ".join(path.name for path in paths),
        sum(len(data.examples) for data in read),
        found if len(found) > 1 else next(iter(found.values())),
        f"{encoder.heads.name} {encoder.version}",
        versions(),
        notes=notes,
    )


def _opened(model: str, config: Config, cancel: CancelToken) -> LabelsTexts:
    from dragtor.encoder import Encoder

    opened: LabelsTexts = Encoder.load(model, models=config.models, cancel=cancel)
    return opened


def _head(heads: HeadSet, data: TaskData, name: str) -> Head:
    """The named head, the only one of the task's kind, or the one of its name."""
    same = [h.name for h in heads.heads if h.kind == data.kind and h.name == data.name]
    return heads.head(name or "".join(same), data.kind)


def _key(data: TaskData, taken: Mapping[str, Any]) -> str:
    """The task's name, with a number after it where another file has it."""
    number = sum(name.partition(" ")[0] == data.name for name in taken)
    return f"{data.name} {number + 1}" if number else data.name


def _task(data: TaskData, head: Head, mapping: Mapping[str, str]) -> _Task:
    """Raises UsageError where the data has a class that the head does not know."""
    tokens = data.kind == "tokens"
    task = _Task(
        data, head, coarse_names(mapping),
        frozenset(n.lower() for n in (span_names(data.labels) if tokens else data.labels)),
    )  # fmt: skip
    own = {task.name(label) for label in (span_names(head.labels) if tokens else head.labels)}
    if unknown := sorted(task.wanted - own):
        told = f"{data.path}: the head {head.name} knows no {', '.join(unknown)}"
        raise UsageError(told, f"--map {unknown[0]}={min(own, default='')}; it knows {_list(own)}")
    if spare := own - task.wanted - {""}:
        how = "left out of what is said" if tokens else "wrong where it is said"
        task.notes.append(f"{data.path.name} has no {_list(spare)}: {how}")
    if data.skipped:
        rows = "row" if data.skipped == 1 else "rows"
        task.notes.append(f"{data.path.name}: {data.skipped} {rows} without a text or a class")
    return task


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _reported(
    data: TaskData, reporter: Reporter, cancel: CancelToken
) -> Iterator[Sequence[TaskExample]]:
    """The examples in batches."""
    total = len(data.examples)
    for first in range(0, total, _BATCH):
        cancel.check()
        reporter.progress(data.name, first, total)
        yield data.examples[first : first + _BATCH]
    reporter.progress(data.name, total, total)


# Kinds of tasks

Batches = Iterator[Sequence[TaskExample]]


def _sentences(encoder: LabelsTexts, task: _Task, batches: Batches) -> dict[str, Any]:
    said: list[Mapping[str, float]] = []
    for batch in batches:
        made = encoder.predict([each.text for each in batch], [task.head.name])
        said += [each.classes[task.head.name] for each in made]
    return _classes(task, said)


def _pairs(encoder: LabelsTexts, task: _Task, batches: Batches) -> dict[str, Any]:
    said: list[Mapping[str, float]] = []
    for batch in batches:
        made = encoder.predict_pairs([(e.text, e.second) for e in batch], task.head.name)
        said += [dict(zip(task.head.labels, row.tolist(), strict=True)) for row in made]
    return _classes(task, said)


def _classes(task: _Task, said: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    gold = [each.label.lower() for each in task.data.examples]
    best: list[tuple[str, float]] = []
    for chances in said:
        sums: Counter[str] = Counter()
        for label, chance in chances.items():
            sums[task.name(label)] += chance  # type: ignore[assignment]
        best.append(max(sums.items(), key=lambda each: each[1]))
    told = [name for name, _ in best]
    right = [a == b for a, b in zip(gold, told, strict=True)]
    counts = metrics.class_counts(gold, told)
    return {
        **means({"accuracy": [float(each) for each in right]}),
        "macro_f1": round(metrics.macro_f1(gold, told), 4),
        "macro_f1_ci": _rounded(metrics.macro_f1_interval(gold, told)),
        "ece": round(metrics.ece([chance for _, chance in best], right), 4),
        "labels": {str(name): _scores(counts[name]) for name in sorted(counts, key=str)},
    }


def _tokens(encoder: LabelsTexts, task: _Task, batches: Batches) -> dict[str, Any]:
    spare = [name for name in span_names(task.head.labels) if task.name(name) not in task.wanted]
    coarse = {**task.coarse, **dict.fromkeys(map(str.lower, spare), "")}
    spans: list[tuple[set[_Span], dict[_Span, float]]] = []
    words: list[tuple[int, int]] = []
    for batch in batches:
        made = encoder.predict_words([(e.text, e.words) for e in batch], task.head.name)
        for example, (labels, chances) in zip(batch, made, strict=True):
            spans.append((_gold(example), _said(task, example, chances)))
            same = zip(example.tags, mapped_tags(labels, coarse), strict=True)
            words.append((sum(a.lower() == b.lower() for a, b in same), len(example.tags)))
    return _ratio("accuracy", words) | _span_scores(spans, sorted(task.wanted))


def _span_scores(
    spans: Sequence[tuple[set[_Span], dict[_Span, float]]], names: Sequence[str]
) -> dict[str, Any]:
    texts = [metrics.span_counts(gold, said.keys()) for gold, said in spans]
    sure = [(chance, span in gold) for gold, said in spans for span, chance in said.items()]
    counts = metrics.label_counts([(gold, said.keys()) for gold, said in spans])
    named = {name: _scores(counts.get(name, (0, 0, 0))) for name in names}
    return {
        **_ratio("span_f1", [(2 * r, s + w) for r, s, w in texts]),
        **_ratio("span_precision", [(r, s) for r, s, _ in texts]),
        **_ratio("span_recall", [(r, w) for r, _, w in texts]),
        "macro_f1": round(metrics.mean([each["f1"] for each in named.values()]), 4),
        "ece": round(metrics.ece([s for s, _ in sure], [r for _, r in sure]), 4),
        "labels": named,
    }


_Span = tuple[int, int, str]


def _gold(example: TaskExample) -> set[_Span]:
    places = example.words
    return {(places[a][0], places[b - 1][1], n.lower()) for n, a, b in runs(example.tags)}


def _said(task: _Task, example: TaskExample, chances: Numbers) -> dict[_Span, float]:
    spans = label_spans(example.text, example.words, chances, task.head)
    named = [((s.start, s.end, task.name(s.label)), s.probability) for s in spans]
    return {span: sure for span, sure in named if span[2] in task.wanted}


def _answers(encoder: LabelsTexts, task: _Task, batches: Batches) -> dict[str, Any]:
    """Exact match and F1 over words, as SQuAD's script has them; the best of several answers."""
    values: dict[str, list[float]] = {"accuracy": [], "exact": [], "answer_f1": []}
    for example in (example for batch in batches for example in batch):
        found = encoder.answer(example.second, example.text, task.head.name)
        said = example.text[found.start : found.end] if found else ""
        wanted = [example.text[start:end] for start, end in example.answers] or [""]
        bags = [metrics.answer_words(each) for each in wanted]
        values["accuracy"].append(float(bool(found) == bool(example.answers)))
        values["exact"].append(float(metrics.answer_words(said) in bags))
        best = max(metrics.word_f1(metrics.answer_words(said), bag) for bag in bags)
        values["answer_f1"].append(best)
    return means(values)


_MEASURES: Mapping[str, Callable[[LabelsTexts, _Task, Batches], dict[str, Any]]] = {
    "sentence": _sentences,
    "pair": _pairs,
    "tokens": _tokens,
    "span": _answers,
}


def _scores(counts: metrics.Counts) -> dict[str, Any]:
    """Precision, recall and F1; a share of nothing is None."""
    right, said, wanted = counts
    return {
        "precision": round(right / said, 4) if said else None,
        "recall": round(right / wanted, 4) if wanted else None,
        "f1": round(metrics.f1(right, said, wanted), 4),
        "n": wanted,
    }


def _ratio(name: str, parts: Sequence[tuple[int, int]]) -> dict[str, Any]:
    top, bottom = (sum(column) for column in zip(*parts, strict=True))
    if not bottom:
        return {name: None}
    return {
        name: round(top / bottom, 4),
        f"{name}_ci": _rounded(metrics.ratio_interval(parts)),
    }


def _rounded(bounds: tuple[float, float]) -> list[float]:
    return [round(bound, 4) for bound in bounds]
