"""The float32 tensors of an int8 ONNX graph, and a folder of them that transformers opens.

Owns how rounded weights are named and told apart; knows neither where they come from nor what they
are good for. The folder is made by a process of its own
(`python -m dragtor.models.dequantise SOURCE SAFETENSORS CONFIG`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.onnx import error_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

    Floats = NDArray[np.float32]

ROUNDED_SUFFIX, SCALE_SUFFIX, ZERO_SUFFIX = "_quantized", "_scale", "_zero_point"
_KEPT = ("Cast", "Mul")  # kinds of nodes between a rounded product and the bias added to it
HEAD_WIDTH = 32  # numbers of an attention head of MiniLM; no tensor's shape tells it
LAYER_PREFIX = "bert.encoder.layer."
_WORDS, _PLACES, _TYPES = (
    f"bert.embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type")
)


def float_tensors(model: ModelProto) -> Iterator[tuple[str, Floats]]:
    """(name, values) of each float tensor; of X_quantized the X that it was rounded from.

    As onnxruntime names them: X is (X_quantized - X_zero_point) * X_scale, in float32.
    """
    import numpy as np
    from onnx import TensorProto, numpy_helper

    known = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, tensor in known.items():
        plain = name.removesuffix(ROUNDED_SUFFIX)
        if plain != name and (scale := known.get(plain + SCALE_SUFFIX)) is not None:
            whole, step, middle = map(
                numpy_helper.to_array, (tensor, scale, known[plain + ZERO_SUFFIX])
            )
            yield plain, (whole.astype(np.float32) - middle.astype(np.float32)) * step
        elif tensor.data_type == TensorProto.FLOAT and not _is_scale(name, known):
            yield name, numpy_helper.to_array(tensor)


def _is_scale(name: str, known: Container[str]) -> bool:
    return f"{name.removesuffix(SCALE_SUFFIX)}{ROUNDED_SUFFIX}" in known


def bert_tensors(model: ModelProto) -> dict[str, Floats]:
    """The tensors of a BERT's graph as transformers names them, matrices (out, in).

    A matrix that the export left nameless is the one in the product that its bias is added to.
    """
    import numpy as np

    tensors = dict(float_tensors(model))
    named = {n: v for n, v in tensors.items() if n.startswith(("bert.", "classifier."))}
    maker = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        bias = next((name for name in node.input if name.endswith(".bias")), "")
        if node.op_type == "Add" and "LayerNorm" not in bias and bias in named:
            (product,) = (name for name in node.input if name != bias)
            matrix = tensors[_factor(product, maker)]
            named[bias.removesuffix("bias") + "weight"] = np.ascontiguousarray(matrix.T)
    return named


def _factor(output: str, maker: Mapping[str, Any]) -> str:
    """The matrix in the product that `output` comes from; KeyError where there is none."""
    node = maker[output]
    while node.op_type in _KEPT:
        node = maker[node.input[0]]
    return str(node.input[1]).removesuffix(ROUNDED_SUFFIX)


def bert_config(tensors: Mapping[str, Floats]) -> dict[str, Any]:
    """The config.json of these tensors, by their shapes."""
    words, hidden = tensors[_WORDS].shape
    layers = {name.split(".")[3] for name in tensors if name.startswith(LAYER_PREFIX)}
    return {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert",
        "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1, "hidden_act": "gelu",
        "hidden_size": hidden, "initializer_range": 0.02,
        "intermediate_size": len(tensors[f"{LAYER_PREFIX}0.intermediate.dense.bias"]),
        "layer_norm_eps": 1e-12, "max_position_embeddings": len(tensors[_PLACES]),
        "num_attention_heads": hidden // HEAD_WIDTH, "num_hidden_layers": len(layers),
        "num_labels": len(tensors["classifier.bias"]), "pad_token_id": 0,
        "type_vocab_size": len(tensors[_TYPES]), "vocab_size": words,
    }  # fmt: skip


def write_safetensors(path: Path, tensors: Mapping[str, Floats]) -> None:
    """Write float32 tensors: a header's length, the header in JSON, the numbers.

    The layout of github.com/huggingface/safetensors; the same tensors make the same bytes.
    """
    import numpy as np

    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, value in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": value.shape,
            "data_offsets": [at, at + 4 * value.size],
        }
        at += 4 * value.size
    told = json.dumps(header, separators=(",", ":")).encode()
    told += b" " * (-len(told) % 8)
    with path.open("wb") as file:
        file.write(len(told).to_bytes(8, "little") + told)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value, "<f4").tobytes())


def _main(source: str, weights: str, config: str) -> None:
    import onnx

    try:
        tensors = dict(sorted(bert_tensors(onnx.load(source)).items()))
        write_safetensors(Path(weights), tensors)
        Path(config).write_text(json.dumps(bert_config(tensors), indent=1), "utf-8")
    except Exception as error:  # noqa: BLE001  onnx raises whatever its parsers raise
        sys.exit(error_line(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])
