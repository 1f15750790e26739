"""Rerankers: one contract for all, pairs as a cross-encoder wants them, wrong files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import HashingEmbedder
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from dragtor.config import LLMConfig, ModelsConfig
from dragtor.errors import CorruptModel, Missing, UsageError
from dragtor.models import Catalogue
from dragtor.rerank import CrossEncoder, LlmReranker, Reranker, open_reranker
from dragtor.types import Message

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"pulley strain finger climb callus skin".split()]
MAX_TOKENS = 16
QUERY = "pulley strain"
PASSAGES = [
    "pulley strain finger",
    "callus skin",
    "",
    "pulley " * 400 + "\ud800",
    "[SEP] [CLS] 攀岩 \x00",
]


def tiny_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(VOCABULARY)}, "[UNK]"))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_padding(length=8)  # as many published files have it
    tokenizer.enable_truncation(8)
    return tokenizer


def write_onnx(path: Path, *, types: bool = True, labels: int = 1, extra: str = "") -> Path:
    """A classifier with a BERT's inputs and output; a word on both sides raises the logit."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    size = len(VOCABULARY)
    words = np.eye(size, dtype=np.float32) * 3
    words[:4] = 0  # specials and unknown words carry nothing
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else []), extra]
    constants = {"words": words}
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["vectors"])]
    if types:  # how much of each word stands on either side
        nodes += [
            helper.make_node("Cast", ["token_type_ids"], ["b"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["mask", "b"], ["a"]),
        ]
        for side in "ab":
            nodes += [
                helper.make_node("Unsqueeze", [side, "last"], [f"{side}1"]),
                helper.make_node("Mul", ["vectors", f"{side}1"], [f"{side}2"]),
                helper.make_node("ReduceMax", [f"{side}2"], [f"{side}3"], axes=[1], keepdims=0),
            ]
        nodes.append(helper.make_node("Mul", ["a3", "b3"], ["shared"]))
        constants["last"] = np.array([2], np.int64)
    else:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["vectors", "one"], ["shared"], keepdims=0),
        ]
        constants["one"] = np.array([1], np.int64)
    head = np.full((size, labels), 0.2, np.float32)
    if labels == 2:
        head[:, 0] = -0.2
    constants |= {"head": head, "bias": np.full(labels, -2 if labels == 1 else 0, np.float32)}
    nodes += [
        helper.make_node("MatMul", ["shared", "head"], ["raw"]),
        helper.make_node("Add", ["raw", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(n, TensorProto.INT64, ["texts", "tokens"])
            for n in names
            if n
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", labels])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[opset]), path)
    return path


def cross(folder: Path, threads: int = 0, **shape: object) -> CrossEncoder:
    weights = write_onnx(folder / "model.onnx", **shape)  # type: ignore[arg-type]
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    return CrossEncoder.open("tiny", weights, folder / "tokenizer.json", MAX_TOKENS, threads)


class Judge:
    """A language model that says yes as far as the passage shares the question's words."""

    def __init__(self) -> None:
        self.asked: list[list[Message]] = []

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        self.asked.append(list(messages))
        question, passage = re.findall(
            r"(?:Question|Passage): (.*?)\n\n", messages[-1].content, re.S
        )
        wanted = set(question.split())
        yes = len(wanted & set(passage.split())) / len(wanted)
        return [yes, 1 - yes]


@pytest.fixture(params=["cross", "cross of two labels", "llm"])
def reranker(request: pytest.FixtureRequest, tmp_path: Path) -> Reranker:
    if request.param == "llm":
        return LlmReranker(Judge)
    return cross(tmp_path, labels=2 if "two" in request.param else 1)


# The contract


def test_scores_are_shares_and_do_not_depend_on_company(reranker: Reranker) -> None:
    scores = reranker.score(QUERY, PASSAGES)
    assert scores.shape == (len(PASSAGES),)
    assert scores.dtype == np.float32
    assert np.all((scores >= 0) & (scores <= 1))
    alone = [reranker.score(QUERY, [passage])[0] for passage in PASSAGES]
    assert scores.tolist() == alone
    assert reranker.score(QUERY, PASSAGES[::-1]).tolist() == alone[::-1]
    assert scores.argmax() == 0 or scores[0] == scores.max()
    assert scores[0] > scores[1]
    assert reranker.score(QUERY, []).shape == (0,)
    assert 0 <= reranker.weight <= 1


@pytest.mark.parametrize("query", ["", "pulley " * 500, "\udfff", "[SEP]"])
def test_odd_queries(query: str, tmp_path: Path) -> None:
    scores = cross(tmp_path).score(query, PASSAGES)
    assert np.all((scores >= 0) & (scores <= 1))


# Cross-encoders


def test_the_sides_of_a_pair_are_told_apart(tmp_path: Path) -> None:
    """Two words that only the passage repeats are no match: the graph sees the type ids."""
    scores = cross(tmp_path).score("pulley", ["pulley", "strain strain", "pulley strain"])
    assert scores[0] == pytest.approx(1 / (1 + np.exp(2 - 0.2 * 9)))
    assert scores[1] == pytest.approx(1 / (1 + np.exp(2)))
    assert scores[2] == scores[0]


def test_a_graph_without_type_ids_is_fed_none(tmp_path: Path) -> None:
    scores = cross(tmp_path, types=False).score("pulley", ["pulley", "pulley pulley"])
    assert scores[0] < scores[1]


def test_only_the_passage_is_cut_unless_the_query_fills_half(tmp_path: Path) -> None:
    tiny = cross(tmp_path)
    filler = "climb " * 100
    assert tiny.score("pulley", [filler + "pulley"]) == tiny.score("pulley", [filler])
    assert tiny.score("pulley", ["pulley " + filler]) > tiny.score("pulley", [filler])
    long_query = "pulley " + "climb " * 100 + "skin"
    found, cut_off = tiny.score(long_query, ["pulley", "skin"])
    assert found > cut_off
    assert found == pytest.approx(1 / (1 + np.exp(2 - 0.2 * 9)))


def test_special_tokens_in_a_text_are_text(tmp_path: Path) -> None:
    tiny = cross(tmp_path)
    assert tiny.score("pulley", ["[SEP] pulley"]) == tiny.score("pulley", ["pulley"])


def test_threads_change_nothing(tmp_path: Path) -> None:
    one, three = cross(tmp_path, threads=1), cross(tmp_path, threads=3)
    np.testing.assert_array_equal(one.score(QUERY, PASSAGES * 5), three.score(QUERY, PASSAGES * 5))


def test_models_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="pixel_values"):
        cross(tmp_path, extra="pixel_values")
    with pytest.raises(CorruptModel, match="no relevance") as caught:
        cross(tmp_path, labels=5).score(QUERY, PASSAGES)
    assert caught.value.hint == "dragtor models pull tiny"


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    """Ids beyond the table end in one line, not in a crash."""
    weights = write_onnx(tmp_path / "model.onnx")
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["zebra"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    tiny = CrossEncoder.open("tiny", weights, tmp_path / "tokenizer.json", MAX_TOKENS)
    with pytest.raises(CorruptModel, match="tiny failed"):
        tiny.score("zebra", ["pulley"])


@pytest.mark.parametrize("damaged", ["model.onnx", "tokenizer.json"])
def test_damaged_files(damaged: str, tmp_path: Path) -> None:
    cross(tmp_path)
    (tmp_path / damaged).write_bytes(b"<html>")
    with pytest.raises(CorruptModel, match=damaged) as caught:
        CrossEncoder.open("tiny", tmp_path / "model.onnx", tmp_path / "tokenizer.json", 16)
    assert caught.value.hint == "dragtor models pull tiny"
    assert "\n" not in str(caught.value)


# The language model


def test_the_question_stands_before_the_passage_and_the_rest_is_shared() -> None:
    judge = Judge()
    LlmReranker(lambda: judge).score(QUERY, ["callus skin", "pulley"])
    first, second = (messages[-1].content for messages in judge.asked)
    assert judge.asked[0][0] == judge.asked[1][0]
    assert first.index(QUERY) < first.index("callus")
    shared = first.index("callus skin")
    assert first[:shared] == second[:shared]


def test_the_language_model_is_opened_at_the_first_passage() -> None:
    def refuse() -> Judge:
        raise Missing("no model")

    reranker = open_reranker("llm", ModelsConfig(), refuse, HashingEmbedder().embed_tokens)
    assert reranker is not None
    assert reranker.score(QUERY, []).size == 0
    with pytest.raises(Missing):
        reranker.score(QUERY, ["a"])


def test_a_real_language_model_gives_shares() -> None:
    from dragtor.llm import open_llm

    try:
        llm = open_llm(LLMConfig(model="smollm2-135m", context_tokens=1024), ModelsConfig())
    except Missing as error:
        pytest.skip(f"{error}: {error.hint}")
    try:
        scores = LlmReranker(lambda: llm).score("Is chalk white?", ["Chalk is white.", "Eat."])
    finally:
        llm.close()
    assert np.all((scores > 0) & (scores < 1))
    assert scores[0] != scores[1]


# Names


def no_llm() -> Judge:
    raise AssertionError("not asked for")


def test_none_and_unknown_names() -> None:
    assert open_reranker("none", ModelsConfig(), no_llm, HashingEmbedder().embed_tokens) is None
    for name in ("cohere", "", "gte-small"):
        with pytest.raises(UsageError, match="unknown reranker") as caught:
            open_reranker(name, ModelsConfig(), no_llm, HashingEmbedder().embed_tokens)
        assert "none, tokens, llm, reader, ms-marco-minilm-l6" in caught.value.hint


def test_a_cross_encoder_that_was_not_pulled(tmp_path: Path) -> None:
    for name in Catalogue.load().names("reranker"):
        with pytest.raises(Missing) as caught:
            open_reranker(
                name, ModelsConfig(path=str(tmp_path)), no_llm, HashingEmbedder().embed_tokens
            )
        assert caught.value.hint == f"dragtor models pull {name}"


def test_a_cross_encoder_opens_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    import yaml

    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    expected = cross(folder).score(QUERY, PASSAGES)
    files = [
        {
            "name": path.name,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in (folder / "model.onnx", folder / "tokenizer.json")
    ]
    entry = {"kind": "reranker", "licence": "MIT", "files": files, "max_tokens": MAX_TOKENS}
    (tmp_path / "models.yml").write_text(yaml.safe_dump({"tiny": entry}))
    (tmp_path / "params.yml").write_text("")
    monkeypatch.setenv("DRAGTOR_CONFIG", str(tmp_path / "params.yml"))
    opened = open_reranker(
        "tiny", ModelsConfig(path=str(tmp_path / "models")), no_llm, HashingEmbedder().embed_tokens
    )
    assert opened is not None
    assert opened.name == "tiny"
    np.testing.assert_array_equal(opened.score(QUERY, PASSAGES), expected)


def test_tokens_are_matched_whatever_stands_around_them() -> None:
    reranker = open_reranker("tokens", ModelsConfig(), no_llm, HashingEmbedder().embed_tokens)
    assert reranker is not None
    passages = ["Tape is sticky.", "The pulley heals, in six weeks or so.", "pulley", ""]
    scores = reranker.score("pulley heals", passages).tolist()
    assert scores == pytest.approx([0.0, 1.0, 0.5, 0.0])
    assert reranker.score("pulley heals", passages[1:2]).tolist() == pytest.approx(scores[1:2])
    assert reranker.score("", ["pulley"]).tolist() == [0.0]
    assert reranker.score("pulley", []).tolist() == []
