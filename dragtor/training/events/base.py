"""The small language model that is tuned: its GGUF as transformers opens it, and its vocabulary.

The weights are those that llama.cpp runs, dequantised. Knows no task.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA

# The linear layers of a block, which an adapter is for.
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A GGUF's byte-pair vocabulary: what `tokenizer` takes, and the bytes of each token."""

    tokens: list[str]
    merges: list[str]
    control: frozenset[int]

    def tokenizer(self) -> Any:
        """The tokenizer of plain text, as llama.cpp's `smollm` splits it: digits stand alone."""
        tokenizers = require("tokenizers", extra=TRAIN_EXTRA)
        ids = {token: i for i, token in enumerate(self.tokens)}
        merges = [tuple(merge.split(" ")) for merge in self.merges]
        made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=ids, merges=merges))
        split = tokenizers.pre_tokenizers
        made.pre_tokenizer = split.Sequence(
            [split.Digits(individual_digits=True), split.ByteLevel(add_prefix_space=False)]
        )
        return made

    def pieces(self) -> list[bytes]:
        """The bytes of every token; none for a control token."""
        shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [byte for byte in range(256) if byte not in shown]
        of = {chr(byte): byte for byte in shown}
        of |= {chr(256 + n): byte for n, byte in enumerate(hidden)}
        return [
            b"" if i in self.control else bytes(of[char] for char in token)
            for i, token in enumerate(self.tokens)
        ]


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a GGUF file.

    Raises UsageError for a model of another family or with another kind of vocabulary.
    """
    gguf = require("gguf", extra=TRAIN_EXTRA)
    reader = gguf.GGUFReader(path)

    def value(key: str) -> Any:
        field = reader.get_field(key)
        return None if field is None else field.contents()

    family, kind = value("general.architecture"), value("tokenizer.ggml.pre")
    if family != "llama" or kind != "smollm":
        raise UsageError(
            f"{path.name} is a {family} model with a {kind} vocabulary",
            "train on a SmolLM2 model, such as smollm2-135m",
        )
    kinds = value("tokenizer.ggml.token_type")
    control = frozenset(i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL)
    return Vocabulary(value("tokenizer.ggml.tokens"), value("tokenizer.ggml.merges"), control)


def open_base(path: Path, device: str = "cpu", *, half: bool = True) -> Any:
    """The model of a GGUF file (a LlamaForCausalLM), in bfloat16 or else float32."""
    torch = require("torch", extra=TRAIN_EXTRA)
    transformers = require("transformers", extra=TRAIN_EXTRA)
    transformers.utils.logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.bfloat16 if half else torch.float32
    )
    return model.to(device)
