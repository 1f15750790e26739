"""A picture, the prompt and the answer as a model's own chat template puts them, with labels.

Only what the model is to write has labels: prompt and picture have IGNORED. Knows no files.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

IGNORED = -100  # the label of a token that teaches nothing


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """One picture with its answer; `inputs` are what the model's forward takes, `labels` beside."""

    inputs: dict[str, torch.Tensor]
    labels: torch.Tensor  # (1, tokens)

    @property
    def taught(self) -> int:
        """Tokens that teach; they are the last ones."""
        return int((self.labels != IGNORED).sum())


class PictureChat:
    """One prompt about a picture, for one processor of transformers.

    Raises UsageError where the template shows no picture, or opens an answer otherwise than it
    ends a prompt: then what is learned would never be asked.
    """

    def __init__(self, processor: Any, prompt: str, most_side: int) -> None:
        self._torch = require("torch", extra=TRAIN_EXTRA)
        self._processor, self._most_side = processor, most_side
        self.tokenizer = processor.tokenizer
        asked = [{"type": "image"}, {"type": "text", "text": prompt}]
        turn = {"role": "user", "content": asked}
        self.prompt = self._rendered([turn], ask=True)
        mark = uuid.uuid4().hex
        told = {"role": "assistant", "content": [{"type": "text", "text": mark}]}
        before, found, after = self._rendered([turn, told], ask=False).partition(mark)
        if not found or not before.startswith(self.prompt):
            raise UsageError("the model's chat template does not answer as it asks", _OTHER)
        self._lead = before[len(self.prompt) :]
        self._tail = after.rstrip() or str(self.tokenizer.eos_token or "")
        bos = self.tokenizer.bos_token
        self._adds_special = not (bos and self.prompt.startswith(bos))  # the template has it

    def asked(self, picture: Image) -> dict[str, torch.Tensor]:
        """The prompt with a picture, as the model reads it before it writes."""
        small = picture.convert("RGB")
        small.thumbnail((self._most_side, self._most_side))
        try:
            found = self._processor(
                text=[self.prompt],
                images=[small],
                return_tensors="pt",
                add_special_tokens=self._adds_special,
            )
        except (ValueError, IndexError) as error:
            line = " ".join(str(error).split())[:200]
            raise UsageError(f"the model's processor does not take the prompt: {line}") from error
        return dict(found)

    def coded(self, picture: Image, answer: str) -> CodedPicture:
        """The prompt with its picture, then the answer and the end of the turn.

        The answer's tokens are put behind the prompt's, so that what is learned follows exactly
        what is asked; control strings in it are plain text.
        """
        torch = self._torch
        inputs = self.asked(picture)
        ids = self._plain_ids(self._lead + answer) + self.end_ids()
        prompt = inputs["input_ids"]
        written = torch.tensor([ids], dtype=prompt.dtype)
        for name, value in inputs.items():
            if name == "input_ids":
                inputs[name] = torch.cat([value, written], 1)
            elif value.shape == prompt.shape:  # of each token: the mask, the kind (0: text)
                more = torch.full_like(written, int(name == "attention_mask")).to(value.dtype)
                inputs[name] = torch.cat([value, more], 1)
        labels = torch.cat([torch.full_like(prompt, IGNORED), written], 1)
        return CodedPicture(inputs, labels)

    def end_ids(self) -> list[int]:
        """The tokens that end an answer."""
        return list(self.tokenizer(self._tail, add_special_tokens=False).input_ids)

    def written(self, ids: torch.Tensor) -> str:
        """What generated ids (of what follows the prompt) say."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def save(self, folder: Path) -> None:
        """Put the processor beside a model."""
        self._processor.save_pretrained(folder)

    def _plain_ids(self, text: str) -> list[int]:
        coded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(coded.input_ids)

    def _rendered(self, turns: list[dict[str, Any]], *, ask: bool) -> str:
        transformers = require("transformers", extra=TRAIN_EXTRA)
        try:
            return str(
                transformers.ProcessorMixin.apply_chat_template(
                    self._processor, turns, add_generation_prompt=ask, tokenize=False
                )
            )
        except (ValueError, TypeError, KeyError) as error:
            told = f"the model has no chat template for pictures: {' '.join(str(error).split())}"
            raise UsageError(told[:250], _OTHER) from error


_OTHER = "tune a chat model, such as an -Instruct one"
