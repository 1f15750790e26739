"""Low-rank adapters over a frozen transformer (peft), and their file as llama.cpp reads it.

Tensors are named as the model names its layers; the file has llama.cpp's names and its order of
rows. Knows no task.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

ARCHITECTURE = "llama"  # of the adapter files that are written here
_PREFIX = "base_model.model."  # peft puts it before the model's own names


def with_adapter(
    model: Any, targets: Sequence[str], rank: int, scale: float, layers: Sequence[int] | None = None
) -> Any:
    """The model frozen, as peft wraps it, with an adapter (LoRA, Hu et al. 2021) on `targets`.

    These are names of layers, or their ends; `layers` are the blocks that have one, None: all.
    """
    peft = require("peft", extra=TRAIN_EXTRA)
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=scale * rank,
        lora_dropout=0.0,
        target_modules=list(targets),
        layers_to_transform=layers,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own, of transformers' names
        return peft.get_peft_model(model, config)


def add_adapter(
    model: Any, targets: Sequence[str], rank: int, scale: float, first_layer: int, seed: int
) -> dict[str, torch.Tensor]:
    """Put an adapter on the layers called `targets` of each block from `first_layer` on.

    Changes `model` in place and freezes the rest of it. Gives the adapter's own tensors, float32:
    `lora_A` (rank, in) is drawn, `lora_B` (out, rank) is zero; `scale` multiplies their product.
    """
    blocks = list(range(first_layer, model.config.num_hidden_layers))
    return drawn_adapter(with_adapter(model, targets, rank, scale, blocks), seed)


def drawn_adapter(tuned: Any, seed: int) -> dict[str, torch.Tensor]:
    """The adapter's tensors of a model that peft wraps, `lora_A` drawn anew and `lora_B` zero."""
    torch = require("torch", extra=TRAIN_EXTRA)
    draw = torch.Generator().manual_seed(seed)
    adapter = {}
    for name, value in tuned.named_parameters():
        if "lora_" not in name:
            continue
        if "lora_A" in name:
            with torch.no_grad():
                value.copy_(torch.randn(value.shape, generator=draw) / value.shape[1] ** 0.5)
        adapter[name.removeprefix(_PREFIX).replace(".default.", ".")] = value
    return adapter


def fill(adapter: Tensors, values: Tensors) -> None:
    """Give the adapter other values, in place; both have the same names and shapes."""
    torch = require("torch", extra=TRAIN_EXTRA)
    with torch.no_grad():
        for name, value in adapter.items():
            value.copy_(values[name])


def write_adapter(path: Path, tensors: Tensors, scale: float, name: str) -> None:
    """Write tensors as `to_file` gives them as GGUF, 16-bit."""
    gguf = require("gguf", extra=TRAIN_EXTRA)
    rank = rank_of(tensors)
    unfinished = path.with_suffix(".part")
    writer = gguf.GGUFWriter(unfinished, ARCHITECTURE)
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(scale * rank))
    for key, value in tensors.items():
        writer.add_tensor(key, value.detach().cpu().half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.replace(path)


def read_adapter(path: Path, scale: float) -> dict[str, torch.Tensor]:
    """The tensors of a file that `write_adapter` wrote, for the same `scale`."""
    gguf = require("gguf", extra=TRAIN_EXTRA)
    torch = require("torch", extra=TRAIN_EXTRA)
    reader = gguf.GGUFReader(path)
    tensors = {
        tensor.name: torch.from_numpy(tensor.data.copy()).float() for tensor in reader.tensors
    }
    known = reader.get_field("adapter.lora.alpha").contents() / rank_of(tensors)
    return {
        name: value * (known / scale) if name.endswith("lora_b") else value
        for name, value in tensors.items()
    }


def to_file(adapter: Tensors, config: Any) -> dict[str, torch.Tensor]:
    """The adapter with the file's names and order of rows; `config` is the model's."""
    return {
        _name_in_file(name): _rows(value, _heads(name, config), to_pairs=True)
        for name, value in adapter.items()
    }


def from_file(tensors: Tensors, adapter: Tensors, config: Any) -> dict[str, torch.Tensor]:
    """A file's tensors with the names and order of rows of `adapter`; the way back."""
    return {
        name: _rows(tensors[_name_in_file(name)], _heads(name, config), to_pairs=False)
        for name in adapter
    }


def rank_of(tensors: Tensors) -> int:
    """The rank of a file's tensors."""
    return next(len(value) for name, value in tensors.items() if name.endswith("lora_a"))


def first_layer_of(tensors: Tensors) -> int:
    """The first block that a file's tensors are for."""
    return min(int(name.split(".")[1]) for name in tensors)


def _name_in_file(name: str) -> str:
    """model.layers.6.self_attn.q_proj.lora_A.weight -> blk.6.attn_q.weight.lora_a."""
    gguf = require("gguf", extra=TRAIN_EXTRA)
    layer, _, part = name.removesuffix(".weight").rpartition(".")
    block = int(re.findall(r"\.(\d+)\.", layer)[0])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, block + 1)
    return f"{names.get_name(layer)}.weight.{part.lower()}"


def _heads(name: str, config: Any) -> int:
    """How many heads the rows of this tensor belong to; 0 where their order is one."""
    if name.endswith("q_proj.lora_B.weight"):
        return int(config.num_attention_heads)
    return int(config.num_key_value_heads) if name.endswith("k_proj.lora_B.weight") else 0


def _rows(value: torch.Tensor, heads: int, *, to_pairs: bool) -> torch.Tensor:
    """Rows of queries and keys, whose rotary pairs stand side by side in the file.

    In transformers the first halves of all pairs of a head come before the second halves.
    """
    if not heads:
        return value
    half = value.shape[0] // heads // 2
    inner = (2, half) if to_pairs else (half, 2)
    return value.reshape(heads, *inner, -1).swapaxes(1, 2).reshape(value.shape)
