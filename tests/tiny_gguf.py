"""A projector (mmproj) for a small language model, in llama.cpp's GGUF, with random weights.

With it the model takes pictures as LLaVA-1.5 does: real files, read by the real engine, that know
nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

ALIGNED = 32  # bytes
KINDS = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}  # GGUF's numbers of types


def write_gguf_file(path: Path, told: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Metadata and float32 tensors, version 3 of the format."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(told))
    head += b"".join(_text(key) + _value(value) for key, value in told.items())
    data = b""
    for name, values in tensors.items():
        shape = tuple(reversed(values.shape))
        head += _text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += struct.pack("<IQ", 0, len(data))
        data += values.astype("<f4").tobytes()
        data += bytes(-len(data) % ALIGNED)
    path.write_bytes(head + bytes(-len(head) % ALIGNED) + data)


def write_projector(path: Path, out: int, side: int = 32, patch: int = 8, wide: int = 32) -> None:
    """CLIP of two blocks and an MLP, for a language model with states of width `out`."""
    draw = np.random.default_rng(0)

    def some(*shape: int) -> Any:
        return draw.standard_normal(shape).astype(np.float32) * 0.1

    told = {
        "general.architecture": "clip", "general.type": "mmproj", "general.name": "tiny",
        "clip.has_vision_encoder": True, "clip.projector_type": "mlp", "clip.use_gelu": True,
        "clip.vision.image_size": side, "clip.vision.patch_size": patch,
        "clip.vision.embedding_length": wide, "clip.vision.feed_forward_length": 2 * wide,
        "clip.vision.projection_dim": out, "clip.vision.block_count": 2,
        "clip.vision.attention.head_count": 2,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": [0.5] * 3, "clip.vision.image_std": [0.5] * 3,
    }  # fmt: skip
    tensors = {
        "v.patch_embd.weight": some(wide, 3, patch, patch),
        "v.patch_embd.bias": some(wide),
        "v.position_embd.weight": some((side // patch) ** 2, wide),
        "mm.0.weight": some(out, wide),
        "mm.0.bias": some(out),
        "mm.2.weight": some(out, out),
        "mm.2.bias": some(out),
    }
    for block in range(2):
        shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_out"), (wide, wide))
        shapes |= {"ffn_up": (2 * wide, wide), "ffn_down": (wide, 2 * wide)}
        for name, shape in shapes.items():
            tensors[f"v.blk.{block}.{name}.weight"] = some(*shape)
            tensors[f"v.blk.{block}.{name}.bias"] = some(shape[0])
        for name in ("ln1", "ln2"):
            tensors[f"v.blk.{block}.{name}.weight"] = np.ones(wide, np.float32)
            tensors[f"v.blk.{block}.{name}.bias"] = np.zeros(wide, np.float32)
    write_gguf_file(path, told, tensors)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        number, letter = KINDS[type(value[0])]
        return struct.pack(f"<IIQ{len(value)}{letter}", 9, number, len(value), *value)
    number, letter = KINDS[type(value)]
    return struct.pack(f"<I{letter}", number, value)
