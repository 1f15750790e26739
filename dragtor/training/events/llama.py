"""A GGUF of the llama family as a plain PyTorch model: the very weights that llama.cpp runs.

Rows stay in the file's order, with its interleaved rotary pairs. Knows no task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.extras import require

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

EXTRA = "train"
LINEARS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    rope_base: float
    epsilon: float
    architecture: str = "llama"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A GGUF's byte-pair vocabulary: what `tokenizer` takes, and the bytes of each token."""

    tokens: list[str]
    merges: list[str]
    control: frozenset[int]

    def tokenizer(self) -> Any:
        """The tokenizer of plain text, as llama.cpp's `smollm` splits it: digits stand alone."""
        tokenizers = require("tokenizers", extra=EXTRA)
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


def read_gguf(path: Path) -> tuple[Shape, Vocabulary, dict[str, torch.Tensor]]:
    """Sizes, vocabulary and the dequantised weights (float32) of a GGUF file.

    Raises UsageError for a model of another family or with another kind of vocabulary.
    """
    gguf = require("gguf", extra=EXTRA)
    torch = require("torch", extra=EXTRA)
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
    shape = Shape(
        layers=value("llama.block_count"),
        hidden=value("llama.embedding_length"),
        heads=value("llama.attention.head_count"),
        kv_heads=value("llama.attention.head_count_kv"),
        rope_base=value("llama.rope.freq_base"),
        epsilon=value("llama.attention.layer_norm_rms_epsilon"),
    )
    kinds = value("tokenizer.ggml.token_type")
    control = frozenset(i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL)
    vocabulary = Vocabulary(value("tokenizer.ggml.tokens"), value("tokenizer.ggml.merges"), control)
    weights = {
        tensor.name: torch.from_numpy(
            gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()
        ).reshape(tuple(int(n) for n in reversed(tensor.shape)))
        for tensor in reader.tensors
    }
    return shape, vocabulary, weights


class Llama:
    """The forward pass over frozen weights and a low-rank adapter."""

    def __init__(self, shape: Shape, weights: Tensors, adapter: Tensors, scale: float) -> None:
        self.shape = shape
        self.weights = weights
        self.adapter = adapter  # NAME.lora_a of (rank, in), NAME.lora_b of (out, rank)
        self.scale = scale

    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """The last hidden states, (batch, tokens, hidden), of ids that are padded on the right."""
        torch = require("torch", extra=EXTRA)
        table = self.weights["token_embd.weight"]
        x = torch.nn.functional.embedding(ids, table)
        turn = self._turns(ids.shape[1], x)
        for layer in range(self.shape.layers):
            name = f"blk.{layer}."
            x = x + self._attention(name, self._norm(x, f"{name}attn_norm.weight"), turn)
            x = x + self._feed(name, self._norm(x, f"{name}ffn_norm.weight"))
        return self._norm(x, "output_norm.weight")

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Logits of the next token, float32."""
        head = self.weights.get("output.weight")
        return (states @ (self.weights["token_embd.weight"] if head is None else head).T).float()

    def _linear(self, x: torch.Tensor, *names: str) -> list[torch.Tensor]:
        """`x` through each of the layers. The narrow products of the adapter are in float32: in
        bfloat16 they are about twenty times slower on a CPU."""
        wide = x.float() if any(f"{name}.weight.lora_a" in self.adapter for name in names) else x
        out = []
        for name in names:
            y = x @ self.weights[f"{name}.weight"].T
            low = self.adapter.get(f"{name}.weight.lora_a")
            if low is not None:
                high = self.adapter[f"{name}.weight.lora_b"]
                y = y + ((wide @ low.T) @ (high.T * self.scale)).to(y.dtype)
            out.append(y)
        return out

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        torch = require("torch", extra=EXTRA)
        weight = self.weights[name]
        return torch.nn.functional.rms_norm(x, weight.shape, weight, self.shape.epsilon)

    def _turns(self, tokens: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        torch = require("torch", extra=EXTRA)
        size = self.shape.hidden // self.shape.heads
        steps = torch.arange(0, size, 2, device=like.device, dtype=torch.float32) / size
        places = torch.arange(tokens, device=like.device, dtype=torch.float32)
        angles = torch.outer(places, self.shape.rope_base**-steps)
        return angles.cos().to(like.dtype), angles.sin().to(like.dtype)

    def _attention(
        self, name: str, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        torch = require("torch", extra=EXTRA)
        batch, tokens, hidden = x.shape
        size = self.shape.hidden // self.shape.heads

        names = (f"{name}attn_{kind}" for kind in "qkv")
        q, k, v = (part.view(batch, tokens, -1, size) for part in self._linear(x, *names))
        q, k = rotate(q, turn).transpose(1, 2), rotate(k, turn).transpose(1, 2)
        v = v.transpose(1, 2)
        groups = self.shape.heads // self.shape.kv_heads
        k, v = (part.repeat_interleave(groups, dim=1) for part in (k, v))
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        joined = mixed.transpose(1, 2).reshape(batch, tokens, hidden)
        return self._linear(joined, f"{name}attn_output")[0]

    def _feed(self, name: str, x: torch.Tensor) -> torch.Tensor:
        torch = require("torch", extra=EXTRA)
        gate, up = self._linear(x, f"{name}ffn_gate", f"{name}ffn_up")
        return self._linear(torch.nn.functional.silu(gate) * up, f"{name}ffn_down")[0]


def rotate(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Rotary places on (batch, tokens, heads, size), in neighbouring pairs as llama.cpp has it."""
    torch = require("torch", extra=EXTRA)
    cos, sin = (part[None, :, None, :] for part in turn)
    one, two = x[..., 0::2], x[..., 1::2]
    return torch.stack((one * cos - two * sin, one * sin + two * cos), dim=-1).flatten(-2)
