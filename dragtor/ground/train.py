"""Trains the reader of reader.py in plain PyTorch, and writes it as ONNX. Never imported by it.

    python -m dragtor.ground.train GROUPS.jsonl models/gte-small FOLDER

A line of GROUPS: {"source", "question", "sentences": [[headings, sentence, 0 or 1], ...]}; a group
without a 1 is a question that its sentences do not answer. FOLDER gets a checkpoint an epoch, from
which a stopped run goes on, then reader.onnx, and reader.json with what was set and measured.
Needs `pip install "dragtor[train]"`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.extras import require
from dragtor.ground.reader import MAX_TOKENS, TRAITS, WEIGHTS, under

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

Tokens = tuple["NDArray[np.int64]", "NDArray[np.float16]"]
HIDDEN = 384
SPECIAL = 999  # token ids up to here are special or unused in BERT's vocabulary
FAR = -1e4


@dataclass(frozen=True, slots=True)
class Options:
    """How the head is trained."""

    width: int = 128
    dropout: float = 0.15
    epochs: int = 2
    groups_a_step: int = 12
    rate: float = 1e-3  # the peak; linear warm-up and decay
    warm_up_steps: int = 30
    weight_decay: float = 0.02
    held_out: float = 0.05  # of the groups, to measure on
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A question with sentences; which of them state the answer."""

    question: str
    sentences: tuple[str, ...]
    states: tuple[bool, ...]


def read_groups(path: Path) -> list[Group]:
    """The lines of GROUPS."""
    groups = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        texts = tuple(under(above, text) for above, text, _ in row["sentences"])
        groups.append(Group(row["question"], texts, tuple(bool(y) for *_, y in row["sentences"])))
    return groups


def make_head(mean: NDArray[np.float32], options: Options) -> torch.nn.Module:
    """Soft alignment of two token sequences, then what aligned how well, then one logit.

    After the decomposable attention of Parikh et al. 2016 (arXiv:1606.01933), over vectors of a
    frozen encoder; the likeness of two tokens is their centred cosine and whether they are equal.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    class Head(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            width = options.width
            self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
            self.shrink, self.norm = nn.Linear(HIDDEN, width), nn.LayerNorm(width)
            self.sharpness = nn.Parameter(torch.tensor(12.0))
            self.equal = nn.Parameter(torch.tensor(2.0))
            self.bend = nn.Linear(width, width, bias=False)
            self.compare_question = nn.Linear(3 * width + 3, width)
            self.compare_sentence = nn.Linear(3 * width + 3, width)
            self.weigh_question, self.weigh_sentence = nn.Linear(width, 1), nn.Linear(width, 1)
            self.wanted = nn.Linear(width, width)
            self.mix, self.out = nn.Linear(5 * width + 6, width), nn.Linear(width, 1)
            self.drop = nn.Dropout(options.dropout)
            for zero in (self.bend.weight, self.out.weight, self.out.bias):
                nn.init.zeros_(zero)

        def forward(self, q: Tensor, q_ids: Tensor, s: Tensor, s_ids: Tensor) -> Tensor:
            """(pairs, tokens, hidden) and (pairs, tokens), id -1 where nothing is; (pairs,)."""
            q_there, s_there = q_ids >= 0, s_ids >= 0
            unit_q, unit_s = (functional.normalize(x - self.mean, dim=-1) for x in (q, s))
            cosine = unit_q @ unit_s.transpose(1, 2)
            same = (q_ids[:, :, None] == s_ids[:, None, :]) & (q_ids[:, :, None] > SPECIAL)
            equal = same.to(q.dtype)
            u, v = (self.drop(self.norm(self.shrink(x))) for x in (q, s))
            z = cosine * self.sharpness + equal * self.equal
            z = z + self.bend(u) @ v.transpose(1, 2) / 8
            to_s = z.masked_fill(~s_there[:, None, :], FAR).softmax(2)
            to_q = z.masked_fill(~q_there[:, :, None], FAR).softmax(1)
            a, b = to_s @ v, to_q.transpose(1, 2) @ u
            best_q = cosine.masked_fill(~s_there[:, None, :], -1).amax(2)
            best_s = cosine.masked_fill(~q_there[:, :, None], -1).amax(1)
            equal_q, equal_s = equal.amax(2), equal.amax(1)
            extra_q = torch.stack([best_q, (to_s * cosine).sum(2), equal_q], -1)
            extra_s = torch.stack([best_s, (to_q * cosine).sum(1), equal_s], -1)
            seen_q = functional.gelu(self.compare_question(torch.cat([u, a, u * a, extra_q], -1)))
            seen_s = functional.gelu(self.compare_sentence(torch.cat([v, b, v * b, extra_s], -1)))
            weight_q = self.weigh_question(u).squeeze(-1).masked_fill(~q_there, FAR).softmax(1)
            asked = (weight_q[..., None] * u).sum(1)
            pull = (self.wanted(asked)[:, None] * v).sum(-1) / 8
            pull = pull + self.weigh_sentence(seen_s).squeeze(-1)
            weight_s = pull.masked_fill(~s_there, FAR).softmax(1)
            whole = (self._mean(q, q_there) * self._mean(s, s_there)).sum(-1)
            numbers = [
                (weight_q * best_q).sum(1),
                best_q.masked_fill(~q_there, 1).amin(1),
                (weight_s * best_s).sum(1),
                (weight_q * equal_q).sum(1),
                (weight_s * equal_s).sum(1),
                (whole - 0.85) * 10,  # this encoder's cosines lie around .85
            ]
            vectors = [
                (weight_q[..., None] * seen_q).sum(1),
                seen_q.masked_fill(~q_there[..., None], FAR).amax(1),
                (weight_s[..., None] * seen_s).sum(1),
                seen_s.masked_fill(~s_there[..., None], FAR).amax(1),
                asked,
            ]
            x = self.drop(torch.cat([*vectors, torch.stack(numbers, -1)], -1))
            score: Tensor = self.out(self.drop(functional.gelu(self.mix(x)))).squeeze(-1)
            return score

        @staticmethod
        def _mean(x: Tensor, there: Tensor) -> Tensor:
            kept = there[..., None].to(x.dtype)
            mean: Tensor = functional.normalize((x * kept).sum(1) / kept.sum(1), dim=-1)
            return mean

    return Head()


def read_tokens(texts: Sequence[str], folder: Path, cache: Path) -> dict[str, Tokens]:
    """Token ids and float16 vectors of each text by the encoder in `folder`; kept in `cache`."""
    import pickle

    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    found: dict[str, Tokens] = pickle.loads(cache.read_bytes()) if cache.is_file() else {}
    missing = sorted(set(texts) - set(found), key=len)
    if not missing:
        return found
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    session = onnxruntime.InferenceSession(str(folder / "model.int8.onnx"))
    for text in missing:  # one by one, as the library reads them
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        feed["token_type_ids"] = np.zeros_like(ids)
        found[text] = (ids[0], session.run(None, feed)[0][0].astype(np.float16))
    cache.write_bytes(pickle.dumps(found, protocol=4))
    return found


def columns(tokens: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """(n, longest, hidden) vectors and (n, longest) ids, -1 where nothing is."""
    import numpy as np
    import torch

    longest = max(len(ids) for ids, _ in tokens)
    vectors = np.zeros((len(tokens), longest, tokens[0][1].shape[1]), np.float32)
    all_ids = np.full((len(tokens), longest), -1, np.int64)
    for row, (ids, hidden) in enumerate(tokens):
        vectors[row, : len(ids)] = hidden
        all_ids[row, : len(ids)] = ids
    return torch.from_numpy(vectors), torch.from_numpy(all_ids)


def logits(head: torch.nn.Module, groups: Sequence[Group], tokens: dict[str, Tokens]) -> Tensor:
    """Of every sentence of the groups, in order."""
    questions = [tokens[g.question] for g in groups for _ in g.sentences]
    sentences = [tokens[text] for g in groups for text in g.sentences]
    result: Tensor = head(*columns(questions), *columns(sentences))
    return result


def loss_of(scores: Tensor, groups: Sequence[Group]) -> Tensor:
    """Softmax over a group's sentences and one more of logit 0, which says "none of them"."""
    import torch

    parts, start = [], 0
    for group in groups:
        end = start + len(group.states)
        z = torch.cat([scores.new_zeros(1), scores[start:end]])
        right = torch.tensor([not any(group.states), *group.states])
        parts.append(torch.logsumexp(z, 0) - torch.logsumexp(z[right], 0))
        start = end
    return torch.stack(parts).mean()


def batches(
    groups: list[Group], tokens: dict[str, Tokens], options: Options, rng: random.Random
) -> Iterator[list[Group]]:
    """The groups in random order, those of about one length together."""
    n = options.groups_a_step
    rng.shuffle(groups)
    order = []
    for start in range(0, len(groups), n * 8):
        near = groups[start : start + n * 8]
        near.sort(key=lambda g: max(len(tokens[text][0]) for text in g.sentences))
        few = [near[i : i + n] for i in range(0, len(near), n)]
        rng.shuffle(few)
        order += few
    yield from order


def measure(
    head: torch.nn.Module, groups: Sequence[Group], tokens: dict[str, Tokens]
) -> dict[str, float]:
    """Share of answerable groups whose best sentence is right; AUC of the best score."""
    import torch

    head.eval()
    best, right = [], []
    with torch.no_grad():
        for group in groups:
            scores = logits(head, [group], tokens)
            best.append((float(scores.max()), any(group.states)))
            if any(group.states):
                right.append(group.states[int(scores.argmax())])
    head.train()
    yes, no = ([s for s, y in best if y is answer] for answer in (True, False))
    pairs = [(a > b) + 0.5 * (a == b) for a in yes for b in no]
    return {
        "first_right": sum(right) / max(len(right), 1),
        "auc": sum(pairs) / max(len(pairs), 1),
    }


def train(
    groups: list[Group], tokens: dict[str, Tokens], folder: Path, options: Options
) -> tuple[torch.nn.Module, dict[str, float]]:
    """The trained head and its figures; goes on from `folder`'s checkpoint where there is one."""
    import numpy as np
    import torch

    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    groups = sorted(groups, key=lambda g: hashlib.sha256(g.question.encode()).digest())
    cut = max(1, int(len(groups) * options.held_out))
    held, rest = groups[:cut], groups[cut:]
    some = rng.sample(sorted(tokens), min(1500, len(tokens)))
    mean = np.concatenate([tokens[t][1].astype(np.float32) for t in some]).mean(0)
    head = make_head(mean, options)
    optimizer = torch.optim.AdamW(
        head.parameters(), options.rate, weight_decay=options.weight_decay
    )
    steps = -(-len(rest) // options.groups_a_step)

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / options.warm_up_steps) * max(
            0.02, 1 - step / (steps * options.epochs)
        )

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    done = max((int(p.stem.split("-")[1]) for p in folder.glob("epoch-*.pt")), default=0)
    if done:
        kept: dict[str, Any] = torch.load(folder / f"epoch-{done}.pt", weights_only=True)
        for part, name in ((head, "head"), (optimizer, "optimizer"), (schedule, "schedule")):
            part.load_state_dict(kept[name])
    figures: dict[str, float] = measure(head, held, tokens) if done else {}
    for epoch in range(done, options.epochs):
        rng.seed(f"{options.seed} {epoch}")
        torch.manual_seed(options.seed * 1000 + epoch)
        total = 0.0
        for few in batches(list(rest), tokens, options, rng):
            loss = loss_of(logits(head, few, tokens), few)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() / steps
        figures = {"loss": total, **measure(head, held, tokens)}
        sys.stderr.write(f"epoch {epoch + 1}: {json.dumps(figures)}\n")
        state = {"head": head, "optimizer": optimizer, "schedule": schedule}
        kept = {name: part.state_dict() for name, part in state.items()}
        torch.save(kept, folder / f"epoch-{epoch + 1}.pt")
    return head, figures


def export(head: torch.nn.Module, path: Path) -> None:
    """One pair a run: question (n, hidden), question_ids (n,), sentence and its ids; a number."""
    import torch

    class OnePair(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.head = head

        def forward(self, q: Tensor, q_ids: Tensor, s: Tensor, s_ids: Tensor) -> Tensor:
            score: Tensor = self.head(q[None], q_ids[None], s[None], s_ids[None])[0]
            return score

    names = ["question", "question_ids", "sentence", "sentence_ids"]
    example = (
        torch.randn(7, HIDDEN),
        torch.arange(2000, 2007),
        torch.randn(9, HIDDEN),
        torch.arange(2003, 2012),
    )
    axes = {name: {0: name.split("_")[0] + "_tokens"} for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs onnxscript
        torch.onnx.export(
            OnePair().eval(),
            example,
            str(path),
            input_names=names,
            output_names=["score"],
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )


def main() -> None:
    """The command of the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("groups", "encoder", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--fingerprint", required=True, help="the encoder's, as a library keeps it")
    parser.add_argument("--epochs", type=int, default=Options().epochs)
    parser.add_argument("--seed", type=int, default=Options().seed)
    given = parser.parse_args()
    torch = require("torch", extra="train")
    torch.set_num_threads(2)
    options = Options(epochs=given.epochs, seed=given.seed)
    given.folder.mkdir(parents=True, exist_ok=True)
    groups = read_groups(given.groups)
    texts = [text for g in groups for text in (g.question, *g.sentences)]
    tokens = read_tokens(texts, given.encoder, given.folder / "tokens.pkl")
    head, figures = train(groups, tokens, given.folder, options)
    export(head, given.folder / WEIGHTS)
    traits = {
        "fingerprint": given.fingerprint,
        "groups": len(groups),
        "groups_sha256": hashlib.sha256(given.groups.read_bytes()).hexdigest(),
        "options": asdict(options),
        "held_out": figures,
        "torch": torch.__version__,
    }
    (given.folder / TRAITS).write_text(json.dumps(traits, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
