"""Heads on a base encoder: what training changed, packed small, and put on the base at a pull.

An adapter is a zip: graph.onnx (the whole graph, its large tensors empty), heads.json, base.json
(where each large tensor comes from), float32.json (the nodes of heads) and NAME.npy. The merge is
done by a process of its own (`python -m dragtor.models.heads BASE ADAPTER FP32 INT8 HEADS`). Knows
no head's meaning.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.models.catalogue import HEADS_FILE
from dragtor.models.dequantise import float_tensors
from dragtor.onnx import error_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto, TensorProto

    Tensor = NDArray[np.float32]

GRAPH, SOURCES, FLOAT = "graph.onnx", "base.json", "float32.json"  # members of an adapter
SMALL = 4096  # numbers; a tensor of no more stays in the graph, as fp32
ROUNDED = ("Gather", "MatMul")  # kinds of nodes that int8.py makes int8,
ROUNDED_IN_HEADS = (*ROUNDED, "Gemm")  # in an encoder there is none of the last
_EPOCH = (1980, 1, 1, 0, 0, 0)  # so that the same tensors make the same bytes


def pack_adapter(
    graph: Path, plain: Path, base: Path, heads: Path, rank: int, target: Path
) -> float:
    """Write the adapter that makes `graph` of `base`; the largest error of a tensor it makes.

    `graph` has what was learned in it, `plain` is the same export before: from it is told which
    tensor of `base` each one is. A matrix is kept as its difference in `rank` directions, in
    float16; what `base` does not have is kept whole. Of an int8 base the tensors are
    what its own stand for (dequantise.py). Errors are of the Frobenius norm, relative.
    """
    import numpy as np
    import onnx

    learned, known = onnx.load(str(graph)), _by_content(onnx.load(str(base)))
    before = dict(float_tensors(onnx.load(str(plain))))
    entries: dict[str, dict[str, Any]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    worst = 0.0
    for tensor in learned.graph.initializer:
        if (value := _large(tensor)) is None:
            continue
        start = before.get(tensor.name)
        told = known.get(_digest(start)) if start is not None else None
        entry, own = _told(value, start, told, rank, f"t{len(entries)}")
        entries[tensor.name] = entry
        arrays |= own
        source = start if told else None
        error = np.linalg.norm(_made(entry, source, own) - value)
        worst = max(worst, float(error / max(float(np.linalg.norm(value)), 1e-12)))
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
    _write(target, learned, heads.read_bytes(), entries, arrays)
    return worst


def merge_adapter(base: Path, adapter: Path, target: Path, heads: Path) -> list[str]:
    """Write the whole fp32 graph and its heads.json; raises ValueError where they do not fit.

    Gives the names of the nodes that the base does not have: small, and best left in fp32. An
    adapter without FLOAT, as the first were packed, leaves heads of whole texts to int8.
    """
    import onnx

    sources = dict(float_tensors(onnx.load(str(base))))
    with zipfile.ZipFile(adapter) as members:
        graph = onnx.load_from_string(members.read(GRAPH))
        entries = json.loads(members.read(SOURCES))
        for tensor in graph.graph.initializer:
            if tensor.name in entries:
                entry = entries[tensor.name]
                _fill(tensor, entry, sources.get(entry.get("base", "")), members)
        onnx.save(graph, str(target))
        heads.write_bytes(members.read(HEADS_FILE))
        own: list[str] = json.loads(members.read(FLOAT)) if FLOAT in members.namelist() else []
    of_base = {name for name, entry in entries.items() if "base" in entry}
    fresh = {tensor.name for tensor in graph.graph.initializer} - of_base
    found = (n for n in graph.graph.node if n.op_type in ROUNDED and fresh.intersection(n.input))
    return list(dict.fromkeys([*(node.name for node in found), *own]))


def head_nodes(graph: ModelProto) -> list[str]:
    """The nodes of heads that int8.py would make int8.

    They are those that the first output, the states, does not need: names are the tracer's.
    """
    maker = {output: node for node in graph.graph.node for output in node.output}
    needed: set[str] = set()
    open_ = [graph.graph.output[0].name]
    while open_:
        name = open_.pop()
        if name in maker and name not in needed:
            needed.add(name)
            open_ += maker[name].input
    return [
        node.name
        for node in graph.graph.node
        if node.op_type in ROUNDED_IN_HEADS and not needed.intersection(node.output)
    ]


def _told(
    value: Tensor, start: Tensor | None, told: tuple[str, bool] | None, rank: int, key: str
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The entry of a tensor, and the arrays that it names."""
    import numpy as np

    if told is None or start is None:
        return {"value": key}, {key: value.astype(np.float16)}
    entry: dict[str, Any] = {"base": told[0], "transpose": told[1]}
    if not (change := value - start).any():
        return entry, {}
    if change.ndim != 2:
        return {"value": key}, {key: value.astype(np.float16)}
    left, sizes, right = np.linalg.svd(change, full_matrices=False)
    roots = np.sqrt(sizes[:rank] / sizes[0])
    a, b = f"{key}a", f"{key}b"
    arrays: dict[str, NDArray[Any]] = {
        a: (roots[:, None] * right[:rank]).astype(np.float16),
        b: (left[:, :rank] * roots).astype(np.float16),
    }
    return entry | {"a": a, "b": b, "scale": float(sizes[0])}, arrays


def _made(entry: dict[str, Any], source: Tensor | None, arrays: Any) -> Tensor:
    """The tensor of an entry; `source` is the base's, already the right way round."""
    import numpy as np

    if "value" in entry:
        found: Tensor = np.asarray(arrays[entry["value"]], np.float32)
        return found
    if source is None:
        raise ValueError(f"the base has no tensor {entry['base']}")
    if "a" not in entry:
        return source
    a, b = (np.asarray(arrays[entry[key]], np.float32) for key in "ab")
    change: Tensor = entry.get("scale", 1.0) * (b @ a)
    if change.shape != source.shape:
        raise ValueError(f"{entry['base']} is {source.shape}, its change {change.shape}")
    return (source + change).astype(np.float32)


def _fill(
    tensor: TensorProto, entry: dict[str, Any], source: Tensor | None, members: zipfile.ZipFile
) -> None:
    import numpy as np

    if source is not None and entry.get("transpose"):
        source = source.T
    arrays = {
        name: np.load(io.BytesIO(members.read(f"{name}.npy")), allow_pickle=False)
        for name in (entry.get(key) for key in ("a", "b", "value"))
        if name
    }
    value = _made(entry, source, arrays)
    if value.shape != tuple(tensor.dims):
        raise ValueError(f"{tensor.name} is {tuple(tensor.dims)}, made were {value.shape}")
    tensor.raw_data = np.ascontiguousarray(value, "<f4").tobytes()


def _large(tensor: TensorProto) -> Tensor | None:
    import math

    from onnx import TensorProto, numpy_helper

    if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) <= SMALL:
        return None
    value: Tensor = numpy_helper.to_array(tensor)
    return value


def _by_content(base: ModelProto) -> dict[str, tuple[str, bool]]:
    """Content -> (name of the base's tensor, whether it was transposed for it)."""
    known: dict[str, tuple[str, bool]] = {}
    for name, value in float_tensors(base):
        if value.ndim == 2:
            known.setdefault(_digest(value.T), (name, True))
    return known | {_digest(value): (name, False) for name, value in float_tensors(base)}


def _digest(value: Tensor) -> str:
    import numpy as np

    shape = ",".join(map(str, value.shape)).encode()
    return hashlib.sha256(shape + np.ascontiguousarray(value, "<f4").tobytes()).hexdigest()


def _write(
    target: Path,
    graph: ModelProto,
    heads: bytes,
    entries: dict[str, dict[str, Any]],
    arrays: dict[str, NDArray[Any]],
) -> None:
    import numpy as np

    members = {
        GRAPH: graph.SerializeToString(deterministic=True),
        HEADS_FILE: heads,
        SOURCES: json.dumps(entries, indent=1).encode(),
        FLOAT: json.dumps(head_nodes(graph)).encode(),
    }
    for name, value in arrays.items():
        packed = io.BytesIO()
        np.save(packed, value, allow_pickle=False)
        members[f"{name}.npy"] = packed.getvalue()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, data)


def _main(base: str, adapter: str, fp32: str, int8: str, heads: str) -> None:
    from dragtor.models.int8 import write_int8

    try:
        fresh = merge_adapter(Path(base), Path(adapter), Path(fp32), Path(heads))
    except Exception as error:  # noqa: BLE001  onnx and zipfile raise whatever they raise
        sys.exit(error_line(error))
    write_int8(fp32, int8, fresh)


if __name__ == "__main__":
    _main(*sys.argv[1:])
