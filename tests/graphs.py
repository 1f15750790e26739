"""A real ONNX encoder with heads, small enough to foresee: its states are the words themselves.

Token n of the vocabulary is 1 at place n of its state, the shape of its word 1 at place 64 + shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from dragtor.encoder import Head, HeadSet

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = (*SPECIAL, *"alex meg ##os climbs in ceuse good bad well , . and who".split())
HIDDEN = 96
SHAPES_AT = 64
STRONG = 8.0  # a logit that leaves no doubt
ENTITIES = Head("entities", "tokens", ("O", "B-person", "I-person", "B-place", "I-place"))
SENTIMENT = Head("sentiment", "sentence", ("negative", "positive"))
SAME = Head("same", "pair", ("no", "yes"))
ANSWERS = Head("answers", "span")
READER_HEADS = (
    Head("span", "span"),
    Head("answers", "pair", ("no", "yes")),
    Head("supports", "pair", ("supported", "contradicted", "unknown")),
)
HEADS = HeadSet("tiny", "none", "mean", 16, True, (ENTITIES, SENTIMENT, SAME, ANSWERS))


def tokenizer() -> Tokenizer:
    """Wordpiece over WORDS, lower case, [CLS] and [SEP] around."""
    made = Tokenizer(models.WordPiece({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.add_special_tokens(list(SPECIAL))
    return made


def weights(head: Head) -> np.ndarray:
    """(hidden, logits) that say what the words mean."""
    found = np.zeros((HIDDEN, len(head.labels) or 2), np.float32)

    def says(word: str, label: int, strength: float = STRONG) -> None:
        found[WORDS.index(word), label] = strength

    match head.name if head.kind != "span" else "span":
        case "entities":
            says("alex", 1)
            says("meg", 2)
            says("ceuse", 3)
            found[: len(WORDS), 0] = STRONG / 2
            found[SHAPES_AT + 1, 1:] = -STRONG  # no name in lower case
        case "sentiment":
            says("good", 1)
            says("bad", 0)
        case "same":
            says("good", 1)
        case "answers":
            says("alex", 1)
            says("[CLS]", 0, STRONG / 2)
        case "supports":
            says("good", 0)
            says("bad", 1)
            says("[CLS]", 2, STRONG / 2)
        case "span":
            says("alex", 0)
            says("##os", 1)
            says("[CLS]", 0, 1.0)
            says("[CLS]", 1, 1.0)
    return found


def graph(heads: HeadSet = HEADS, table: np.ndarray | None = None) -> onnx.ModelProto:
    """ids (and shapes) -> states -> each head's logits; `table` has the states of words."""
    inputs = ["input_ids", "attention_mask", *(["shape_ids"] if heads.shapes else [])]
    eye = np.eye(len(WORDS), HIDDEN, dtype=np.float32) if table is None else table
    shapes = np.eye(9, HIDDEN, SHAPES_AT, dtype=np.float32)
    tensors = [numpy_helper.from_array(eye, "words"), numpy_helper.from_array(shapes, "shapes")]
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["by_word"], name="/words/Gather")]
    if heads.shapes:
        nodes += [
            helper.make_node("Gather", ["shapes", "shape_ids"], ["by_shape"]),
            helper.make_node("Add", ["by_word", "by_shape"], ["states"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["by_word"], ["states"]))
    nodes.append(helper.make_node("ReduceSum", ["states", "axis"], ["pooled"], keepdims=0))
    tensors.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    outputs = [_info("states", ["batch", "tokens", HIDDEN])]
    for head in heads.heads:
        of_tokens = head.kind in ("tokens", "span")
        name = f"/heads/{head.name}/MatMul"
        given = ["states" if of_tokens else "pooled", f"{head.name}.weight"]
        nodes.append(helper.make_node("MatMul", given, [head.name], name=name))
        tensors.append(numpy_helper.from_array(weights(head), f"{head.name}.weight"))
        size = len(head.labels) or 2
        outputs.append(_info(head.name, ["batch", *(["tokens"] if of_tokens else []), size]))
    ids = [_info(name, ["batch", "tokens"], TensorProto.INT64) for name in inputs]
    made = helper.make_graph(nodes, "tiny", ids, outputs, tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write_model(folder: Path, **changes: Any) -> Path:
    """A folder that Encoder.load opens."""
    heads = replace(HEADS, **changes)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(heads), str(folder / "model.onnx"))
    tokenizer().save(str(folder / "tokenizer.json"))
    heads.write(folder)
    return folder


def _info(
    name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))
