"""The task of the vision adapter: the loss of what is written, and how many names are right.

Owns the model with its adapter and the pictures; a batch is one picture, since models lay several
out in ways of their own. Knows neither files of data nor steps.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dragtor.errors import GenerationError
from dragtor.extras import require
from dragtor.llm.vision import named_in
from dragtor.ocr.picture import open_picture
from dragtor.training import TRAIN_EXTRA
from dragtor.training.vision.chat import CodedPicture, PictureChat
from dragtor.training.vision.examples import PictureExample
from dragtor.training.vision.measure import PictureScore, picture_score, summed
from dragtor.types import SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    import torch


class VisionTask:
    """See Task in training/loop.py."""

    def __init__(
        self,
        model: Any,
        adapter: Mapping[str, torch.Tensor],
        chat: PictureChat,
        learn: Sequence[PictureExample],
        held: Sequence[PictureExample],
        *,
        answer_tokens: int,
        seed: int,
        reporter: Reporter = SILENT,
    ) -> None:
        self._torch = require("torch", extra=TRAIN_EXTRA)
        self._model, self.adapter, self._chat = model, dict(adapter), chat
        self._learn, self._held = list(learn), list(held)
        self._answer_tokens, self._seed, self._reporter = answer_tokens, seed, reporter
        self._device = next(iter(self.adapter.values())).device
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters
        self.scores: list[PictureScore] = []  # of the last evaluation

    def parameters(self) -> list[torch.Tensor]:
        """The adapter's tensors."""
        return list(self.adapter.values())

    def state(self) -> dict[str, torch.Tensor]:
        """The adapter."""
        return self.adapter

    def batches(self, epoch: int) -> list[PictureExample]:
        """All pictures, in drawn order."""
        order = list(self._learn)
        random.Random(f"{self._seed} {epoch}").shuffle(order)
        return order

    def loss(self, batch: PictureExample) -> tuple[torch.Tensor, float]:
        """Cross entropy of each token of the answer; how many they are."""
        self._model.train()
        return self._loss(self._coded(batch))

    def evaluate(self, cancel: CancelToken) -> dict[str, float]:
        """The loss a token, and `measure.summed` of what is written of the held pictures."""
        self._model.eval()
        total, tokens = 0.0, 0.0
        self.scores = []
        for done, example in enumerate(self._held, 1):
            cancel.check()
            loss, weight = self._loss(self._coded(example))
            total, tokens = total + float(loss.detach()), tokens + weight
            self.scores.append(picture_score(example, self.names(example, cancel)))
            self._reporter.progress("looking at held pictures", done, len(self._held))
        return {"loss": total / max(1.0, tokens), **summed(self.scores)}

    def score(self, found: Mapping[str, float]) -> tuple[float, ...]:
        """F1, then the loss."""
        return found["f1"], -found["loss"]

    def names(self, example: PictureExample, cancel: CancelToken) -> list[tuple[str, str]]:
        """What the model writes of a picture; nothing where it writes no list."""
        try:
            return list(named_in(self.answer(example, cancel)))
        except GenerationError:
            return []

    def answer(self, example: PictureExample, cancel: CancelToken) -> str:
        """The likeliest text; Cancelled between two tokens."""
        inputs = self._there(self._chat.asked(open_picture(example.picture)))
        known = self._model.generation_config.eos_token_id
        ends = [*(known if isinstance(known, list) else [known]), *self._chat.end_ids()[:1]]
        tokenizer = self._chat.tokenizer
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else ends[-1]
        with self._torch.no_grad():
            ids = self._model.generate(
                **inputs,
                max_new_tokens=self._answer_tokens,
                do_sample=False,
                eos_token_id=[end for end in ends if end is not None],
                pad_token_id=padding,
                stopping_criteria=[_looking_at(cancel, self._torch)],
            )
        return self._chat.written(ids[0, inputs["input_ids"].shape[1] :])

    def _coded(self, example: PictureExample) -> CodedPicture:
        return self._chat.coded(open_picture(example.picture), example.answer)

    def _loss(self, coded: CodedPicture) -> tuple[torch.Tensor, float]:
        count = coded.taught
        few = {"logits_to_keep": count + 1} if self._keeps else {}  # a vocabulary is wide
        logits = self._model(**self._there(coded.inputs), use_cache=False, **few).logits
        targets = coded.labels[0, -count:].to(self._device)
        loss: torch.Tensor = self._torch.nn.functional.cross_entropy(
            logits[0, -count - 1 : -1].float(), targets, reduction="sum"
        )
        return loss, float(count)

    def _there(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The inputs on the model's device; pictures in its own precision."""
        dtype = self._model.dtype
        return {
            name: value.to(self._device, dtype if value.is_floating_point() else value.dtype)
            for name, value in inputs.items()
        }


def _looking_at(cancel: CancelToken, torch: Any) -> Callable[..., Any]:
    """What `generate` asks after each token, whether to stop."""

    def ask(ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        cancel.check()
        return torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)

    return ask
