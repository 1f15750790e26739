"""The task of the training loop: the losses of all heads, and how well each does held out.

Owns the model and the windows of every task. Knows neither files nor steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragtor.encoder.data import TaskData
from dragtor.encoder.heads import Head
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.encoder import batches, measure
from dragtor.training.encoder.batches import HeadBatch, HeadWindow, WindowCoder
from dragtor.training.encoder.model import HeadedModel
from dragtor.training.lengths import by_length
from dragtor.types import CancelToken

if TYPE_CHECKING:
    from torch import Tensor

PROBE_WINDOWS = 512  # of a task, held out, read at once at most


@dataclass(frozen=True, slots=True)
class MixConfig:
    """How the tasks share the training."""

    power: float = 1.0  # an epoch has size ** power of a task, in proportion; 0: as much of each
    weights: Mapping[str, float] | None = None  # of each task's loss; None: all 1
    answers: Mapping[str, str] | None = None  # span head: pair head that learns of its windows, too
    uncertainty: bool = False  # weights that are learned (Kendall, Gal and Cipolla 2018)
    batch: int = 32  # windows of a step
    batch_tokens: int = 4096  # of a step, padding included
    lower: float = batches.LOWER_SHARE  # share of token examples read in lower case
    half: bool = False  # the encoder in bfloat16


@dataclass(frozen=True, slots=True)
class Probe:
    """What a head is measured on."""

    head: str
    data: TaskData


class EncoderTask:
    """See Task in training/loop.py; a batch is windows of one head."""

    def __init__(
        self,
        model: HeadedModel,
        learn: Mapping[str, Sequence[TaskData]],
        held: Mapping[str, Probe],
        coder: WindowCoder,
        config: MixConfig,
        *,
        pad: int,
        seed: int,
        device: Any = "cpu",
    ) -> None:
        """`learn` by head, `held` by the name under which its figures are told."""
        self._torch = require("torch", extra=TRAIN_EXTRA)
        self.model, self._config, self._seed = model, config, seed
        self._held, self._coder, self._pad, self._device = held, coder, pad, device
        self._heads = {head.name: head for head in model.heads}
        self._learn = {
            name: [
                (example, batches.unknown_labels(self._heads[name], data))
                for data in files
                for example in data.examples
            ]
            for name, files in learn.items()
        }
        self._known = {
            name: [
                [*map(batches.light, coder.windows(one, self._heads[name], i, un))]
                for i, (one, un) in enumerate(some)
            ]
            for name, some in self._learn.items()
        }
        self._probes = {
            name: batches.coded(probe.data, self._heads[probe.head], coder)
            for name, probe in held.items()
        }
        self._doubt = {  # log variance of each task's loss
            name: self._torch.zeros((), requires_grad=True, device=device)
            for name in (self._heads if config.uncertainty else ())
        }

    def parameters(self) -> list[Tensor]:
        """All that is not frozen."""
        return list(self.state().values())

    def state(self) -> dict[str, Tensor]:
        """All that is not frozen, by name."""
        doubts = {f"doubt.{name}": value for name, value in self._doubt.items()}
        return self.model.tensors() | doubts

    def batches(self, epoch: int) -> list[HeadBatch]:
        """The epoch's windows of every task from which anything learns, mixed."""
        draw = random.Random(f"{self._seed} {epoch}")
        sizes = {
            name: len(known)
            for name, known in self._known.items()
            if any(self.model.learns(head) for head in self._taught(name))
        }
        made = [
            HeadBatch(name, some)
            for name, count in batches.epoch_sizes(sizes, self._config.power).items()
            for some in self._of_task(name, count, draw)
        ]
        draw.shuffle(made)
        return made

    def _of_task(self, name: str, count: int, draw: random.Random) -> list[list[HeadWindow]]:
        windows: list[HeadWindow] = []
        groups: dict[str, list[HeadWindow]] = {}
        head = self._heads[name]
        for i in batches.drawn(count, len(self._known[name]), draw):
            example, unknown = self._learn[name][i]
            said = batches.lowered(example, draw, self._config.lower) if example.words else example
            if example.group:
                groups.setdefault(example.group, []).append(batches.telling(self._known[name][i]))
            elif said is example:
                windows += self._known[name][i]
            else:
                windows += self._coder.windows(said, head, i, unknown)
        made = by_length(windows, len, self._config.batch_tokens, draw, self._config.batch)
        return made + batches.whole_groups([*groups.values()], self._config.batch_tokens, draw)

    def loss(self, batch: HeadBatch) -> tuple[Tensor, float]:
        """Cross entropy of what the batch teaches, weighted, times the windows; their number."""
        self.model.train(True)
        states, mask = self._states(batch.windows)
        total = self._torch.zeros((), device=self._device)
        for name in self._taught(batch.head):
            head, windows = self._heads[name], self._targeted(name, batch)
            logits, targets = self._read(head, windows, states, mask)
            loss = self._cross_entropy(head, windows, logits, targets)
            if name != batch.head:
                loss = loss + self._listwise(head, batch, logits)
            total = total + self._weighed(name, loss)
        return total * len(batch.windows), float(len(batch.windows))

    def _taught(self, name: str) -> list[str]:
        """The heads that learn from windows of that one."""
        also = (self._config.answers or {}).get(name)
        return [name, also] if also else [name]

    def _targeted(self, name: str, batch: HeadBatch) -> Sequence[HeadWindow]:
        """The batch's windows with the targets of a head."""
        if name == batch.head:
            return batch.windows
        return [batches.answered(window, self._heads[name]) for window in batch.windows]

    def _weighed(self, name: str, loss: Tensor) -> Tensor:
        if name in self._doubt:
            doubt = self._doubt[name]
            loss = loss * self._torch.exp(-doubt) + doubt / 2
        return loss * (self._config.weights or {}).get(name, 1.0)

    def _cross_entropy(
        self, head: Head, windows: Sequence[HeadWindow], logits: Tensor, targets: Tensor
    ) -> Tensor:
        """The mean; of a word outside of spans, of all that its file leaves open together."""
        torch = self._torch
        chances = torch.log_softmax(logits, dim=1)
        if not len(targets):
            return logits.sum()  # a batch of windows without a word
        if head.kind == "tokens" and any(w.unknown for w in windows):
            may = torch.nn.functional.one_hot(targets, len(head.labels)).bool()
            rows = [w.unknown if t == 0 else () for w in windows for t in w.targets]
            at = [(i, j) for i, unknown in enumerate(rows) for j in unknown]
            if at:
                may[tuple(torch.tensor(at, device=self._device).T)] = True
            found: Tensor = -chances.masked_fill(~may, -1e4).logsumexp(1).mean()
            return found
        mean: Tensor = torch.nn.functional.nll_loss(chances, targets)
        return mean

    def _listwise(self, head: Head, batch: HeadBatch, logits: Tensor) -> Tensor:
        """The mean, over groups with an answer, of the cross entropy that it is where it is.

        The loss for candidates of one query of Gao, Dai and Callan 2021, "Rethink Training of BERT
        Rerankers in Multi-Stage Retrieval Pipeline".
        """
        torch = self._torch
        yes, no = (head.labels.index(label) for label in reversed(batches.ANSWER_LABELS))
        rows: dict[str, list[int]] = {}
        for row, window in enumerate(batch.windows):
            if group := self._learn[batch.head][window.example][0].group:
                rows.setdefault(group, []).append(row)
        losses = []
        for own in rows.values():
            answered = [any(batch.windows[row].targets) for row in own]
            if any(answered):
                chances = torch.log_softmax(logits[own, yes] - logits[own, no], dim=0)
                losses.append(-chances[torch.tensor(answered)].logsumexp(0))
        return torch.stack(losses).mean() if losses else logits.new_zeros(())

    def _states(self, windows: Sequence[HeadWindow]) -> tuple[Tensor, Tensor]:
        """(windows, tokens, hidden), and the mask (windows, tokens)."""
        torch = self._torch
        given = batches.padded(windows, self._pad, self._device)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._config.half):
            states = self.model.states(given)
        return states.float(), given["attention_mask"]

    def _read(
        self, head: Head, windows: Sequence[HeadWindow], states: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (n, labels) and targets (n) of what the windows have targets for."""
        torch = self._torch
        flat = torch.tensor([t for w in windows for t in w.targets], device=self._device)
        if head.kind == "span":
            logits = self.model.logits(head, states, mask)
            logits = logits.masked_fill(mask.unsqueeze(-1) == 0, -1e4)
            return logits.transpose(1, 2).flatten(0, 1), flat
        if head.kind != "tokens":
            return self.model.logits(head, states, mask), flat
        wide = mask.shape[1]
        places = [row * wide + at for row, w in enumerate(windows) for at in w.tokens.starts]
        picked = states.flatten(0, 1)[torch.tensor(places, dtype=torch.long, device=self._device)]
        return self.model.logits(head, picked, mask), flat

    def evaluate(self, cancel: CancelToken) -> dict[str, float]:
        """Each set's figures as SET_figure, and the mean of their losses."""
        found: dict[str, float] = {}
        losses = []
        for name, probe in self._held.items():
            said = self.said(name, cancel)
            own = said.pop(probe.head)
            figures = measure.figures(self._heads[probe.head], probe.data, own)
            losses.append(figures["loss"])
            for other, answers in said.items():
                told = measure.answer_figures(probe.data, own, answers)
                figures |= {f"{other}_{what}": value for what, value in told.items()}
            found |= {f"{name}_{what}": value for what, value in figures.items()}
        return found | {"loss": sum(losses) / max(1, len(losses))}

    def said(self, name: str, cancel: CancelToken) -> dict[str, list[measure.Said]]:
        """By head, logits and targets of every example that is held out, in order."""
        self.model.train(False)
        probe = self._held[name]
        out: dict[str, dict[int, list[measure.Said]]] = {n: {} for n in self._taught(probe.head)}
        with self._torch.no_grad():
            for some in self._probe_batches(name):
                cancel.check()
                batch = HeadBatch(probe.head, some)
                states, mask = self._states(some)
                for head, found in out.items():
                    windows = self._targeted(head, batch)
                    for one in self._said(self._heads[head], windows, states, mask):
                        found.setdefault(one.window.example, []).append(one)
        every = range(len(probe.data.examples))
        return {head: [one for i in every for one in found[i]] for head, found in out.items()}

    def probe_windows(self, name: str) -> list[HeadWindow]:
        """The windows of what is held out under a name."""
        return [window for some in self._probes[name] for window in some]

    def _probe_batches(self, name: str) -> list[list[HeadWindow]]:
        windows, most = self.probe_windows(name), self._config.batch_tokens
        return by_length(windows, len, most, random.Random(0), PROBE_WINDOWS)

    def _said(
        self, head: Head, windows: Sequence[HeadWindow], states: Tensor, mask: Tensor
    ) -> Iterator[measure.Said]:
        logits, _ = self._read(head, windows, states, mask)
        at = 0
        for window in windows:
            count = len(window.targets)
            yield measure.Said(window, logits[at : at + count])
            at += count

    def score(self, found: Mapping[str, float]) -> tuple[float, ...]:
        """The mean of the heads' main figures, each the mean of its sets; then the loss."""
        of_head: dict[str, list[float]] = {}
        for name, probe in self._held.items():
            main = measure.MAIN[self._heads[probe.head].kind]
            of_head.setdefault(probe.head, []).append(found[f"{name}_{main}"])
            for other in self._taught(probe.head)[1:]:
                of_head.setdefault(other, []).append(found[f"{name}_{other}_accuracy"])
        means = [sum(some) / len(some) for some in of_head.values()]
        return sum(means) / max(1, len(means)), -found["loss"]
