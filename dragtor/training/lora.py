"""A low-rank adapter: its first values, and its file as llama.cpp reads it.

Rows are in the base file's own order, so that nothing is permuted on the way.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.extras import require
from dragtor.training.events.llama import EXTRA, LINEARS, Shape

if TYPE_CHECKING:
    import torch

    from dragtor.training.events.llama import Tensors


def new_adapter(
    shape: Shape, weights: Tensors, rank: int, first_layer: int, seed: int
) -> dict[str, torch.Tensor]:
    """Adapters of every linear layer from block `first_layer` on: A is drawn, B is zero."""
    torch = require("torch", extra=EXTRA)
    draw = torch.Generator().manual_seed(seed)
    adapter = {}
    for block in range(first_layer, shape.layers):
        for name in LINEARS:
            key = f"blk.{block}.{name}.weight"
            wide, narrow = weights[key].shape
            low = torch.randn((rank, narrow), generator=draw) / narrow**0.5
            adapter[f"{key}.lora_a"] = low
            adapter[f"{key}.lora_b"] = torch.zeros((wide, rank))
    return adapter


def write_adapter(path: Path, shape: Shape, adapter: Tensors, scale: float, name: str) -> None:
    """Write the adapter as GGUF, 16-bit; `scale` is what its product is multiplied by."""
    gguf = require("gguf", extra=EXTRA)
    rank = next(iter(adapter.values())).shape[0]
    unfinished = path.with_suffix(".part")
    writer = gguf.GGUFWriter(unfinished, shape.architecture)
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(scale * rank))
    for key, value in adapter.items():
        writer.add_tensor(key, value.detach().cpu().half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.replace(path)


def read_adapter(path: Path, scale: float) -> dict[str, torch.Tensor]:
    """The adapter of a file that `write_adapter` wrote, for the same `scale`."""
    gguf = require("gguf", extra=EXTRA)
    torch = require("torch", extra=EXTRA)
    reader = gguf.GGUFReader(path)
    adapter = {
        tensor.name: torch.from_numpy(tensor.data.copy()).float() for tensor in reader.tensors
    }
    rank = next(iter(adapter.values())).shape[0]
    known = reader.get_field("adapter.lora.alpha").contents() / rank
    return {
        name: value * (known / scale) if name.endswith("lora_b") else value
        for name, value in adapter.items()
    }
