"""Encoders: one contract for all of them, windows, late chunking, wrong files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import shared
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from dragtor.config import EmbedConfig, ModelsConfig, models_path
from dragtor.embed import Embedder, OnnxEmbedder, Traits, open_embedder
from dragtor.embed.base import _prefix_ids, even_cuts, late_windows
from dragtor.errors import CorruptModel, DragtorError, Missing, UsageError
from dragtor.models import ModelFile, ModelSpec

WORDS = (
    "when may i climb again after a pulley strain of the ring finger query passage : ? .".split()
)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *(f"w{i}" for i in range(200))]
DIMENSION = 16
TINY = Traits("tiny", "f" * 16, DIMENSION, max_tokens=32, mend="dragtor models pull tiny")

TEXTS = [
    "When may I climb again after an A2 pulley strain?",
    "",
    "   \n\t ",
    "Zerrung am Ringband: nach sechs Wochen wieder klettern, mit Tape.",
    "攀岩手指滑车损伤 はいつ治りますか 😀👩‍👩‍👧 e\u0301 \u202ereversed",
    "a" * 900,
    "nul \x00 byte, bell \x07, [SEP] [CLS] [PAD] [MASK]",
    "\ud800 a lone surrogate \udfff",
]


def tiny_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(VOCABULARY)}, "[UNK]"))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=8)  # as many published files have it
    tokenizer.enable_truncation(8)
    return tokenizer


def table() -> np.ndarray:
    return np.random.default_rng(7).standard_normal((len(VOCABULARY), DIMENSION)).astype("float32")


def write_onnx(
    path: Path, *, rank: int = 3, inputs: Sequence[str] = ("input_ids",), mix: bool = False
) -> Path:
    """An encoder whose token vectors are rows of `table()`; with `mix`, plus the text's mean."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["vectors"])]
    shape: list[int | str] = ["texts", "tokens", DIMENSION]
    if mix:
        nodes.append(helper.make_node("ReduceMean", ["vectors"], ["mean"], axes=[1]))
        nodes.append(helper.make_node("Add", ["vectors", "mean"], ["mixed"]))
    if rank == 2:
        nodes.append(helper.make_node("ReduceMean", ["vectors"], ["pooled"], axes=[1], keepdims=0))
        shape = ["texts", DIMENSION]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["texts", "tokens"]) for n in inputs],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(table(), "table")],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[opset]), path)
    return path


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(tmp_path_factory.mktemp("encoder") / "model.onnx")


def tiny(path: Path, traits: Traits = TINY, config: EmbedConfig | None = None) -> OnnxEmbedder:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return OnnxEmbedder(session, tiny_tokenizer(), traits, config or EmbedConfig())


@pytest.fixture(scope="session")
def real() -> Callable[[str], Embedder]:
    """A pulled encoder by name, opened once; skips where it was not pulled."""
    opened: dict[str, Embedder] = {}

    def get(name: str) -> Embedder:
        if name not in opened:
            try:
                opened[name] = open_embedder(EmbedConfig(model=name), ModelsConfig())
            except Missing as error:
                pytest.skip(f"{error}: {error.hint}")
        return opened[name]

    return get


@pytest.fixture(params=["tiny mean", "tiny cls", "gte-small", "all-minilm-l6-v2"])
def embedder(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tiny_onnx: Path,
    real: Callable[[str], Embedder],
) -> Embedder:
    if request.param == "tiny cls":
        mixing = write_onnx(tmp_path / "model.onnx", mix=True)
        return tiny(mixing, Traits("tiny", "f" * 16, DIMENSION, 32, pooling="cls"))
    return tiny(tiny_onnx) if request.param == "tiny mean" else real(request.param)


# The contract. test_embed_hf.py holds its encoders to the same functions.


def check_rows(rows: np.ndarray, embedder: Embedder, n: int) -> None:
    assert rows.shape == (n, embedder.dimension)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def check_vectors(embedder: Embedder, tolerance: float = 0.0) -> None:
    """Unit rows in the order asked, the same alone and in company."""
    for embed in (embedder.embed_passages, embedder.embed_queries):
        check_rows(embed([]), embedder, 0)
        rows = embed(TEXTS)
        check_rows(rows, embedder, len(TEXTS))
        alone = np.concatenate([embed([text]) for text in TEXTS])
        np.testing.assert_allclose(rows, alone, rtol=0, atol=tolerance)
        np.testing.assert_allclose(embed(TEXTS[::-1])[::-1], alone, rtol=0, atol=tolerance)
        assert abs(rows[0] @ rows[3]) < 0.999  # other texts, other vectors


def check_offsets(embedder: Embedder) -> None:
    for text in [*TEXTS, "one two  three. " * 500]:
        offsets = embedder.token_offsets(text)
        assert all(0 <= start <= end <= len(text) for start, end in offsets)
        assert offsets == sorted(offsets)
        covered = {i for start, end in offsets for i in range(start, end)}
        uncovered = "".join(c for i, c in enumerate(text) if i not in covered)
        assert not any(c.isascii() and c.isalnum() for c in uncovered)
    assert len(embedder.token_offsets("one two  three. " * 500)) >= 2000
    assert embedder.token_offsets("") == []


def check_limit(embedder: Embedder) -> None:
    """Passages up to the limit are read, longer ones refused; questions are read to their end."""
    full = "climb " * embedder.max_tokens
    assert len(embedder.token_offsets(full)) == embedder.max_tokens
    check_rows(embedder.embed_passages([full]), embedder, 1)
    with pytest.raises(DragtorError, match=str(embedder.max_tokens)) as caught:
        embedder.embed_passages(["short", full + "climb"])
    assert "split.tokens" in caught.value.hint
    long = full * 3
    rows = embedder.embed_queries([long + "the ring finger", long + "query passage"])
    check_rows(rows, embedder, 2)
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def check_tokens(embedder: Embedder) -> None:
    """A unit row a token, as far as the limit, the same alone and in company."""
    assert embedder.embed_tokens([]) == []
    texts = ["one two three", "", "climb " * (embedder.max_tokens + 9)]
    found = embedder.embed_tokens(texts)
    counts = [len(embedder.token_offsets(text)) for text in texts]
    assert [len(rows) for rows in found] == [counts[0], 0, embedder.max_tokens]
    np.testing.assert_allclose(np.linalg.norm(found[0], axis=1), 1, atol=1e-5)
    embedder.embed_tokens(["another"])  # what was read last is remembered
    np.testing.assert_allclose(embedder.embed_tokens(texts[:1])[0], found[0], atol=1e-6)


def check_document(embedder: Embedder) -> None:
    """Late chunks of any spans are unit rows; one without a token is embedded as a passage."""
    text = "When may I climb again after a pulley strain of the ring finger? " * 60
    spans = [(0, 64), (65, 300), (200, 2000), (0, len(text)), (64, 64), (64, 65), (5, 6)]
    rows = embedder.embed_document(text, spans)
    check_rows(rows, embedder, len(spans))
    np.testing.assert_allclose(rows[4:5], embedder.embed_passages([""]), atol=1e-5)
    assert rows[0] @ rows[1] < 0.9999
    check_rows(embedder.embed_document(text, []), embedder, 0)
    check_rows(embedder.embed_document("", [(0, 0)]), embedder, 1)


def test_vectors(embedder: Embedder) -> None:
    check_vectors(embedder)


def test_offsets(embedder: Embedder) -> None:
    check_offsets(embedder)


def test_limit(embedder: Embedder) -> None:
    check_limit(embedder)


def test_tokens(embedder: Embedder) -> None:
    check_tokens(embedder)


def test_document(embedder: Embedder) -> None:
    check_document(embedder)


def test_naughty_strings(embedder: Embedder) -> None:
    naughty = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    assert len(naughty) == 515
    fitting = [text for text in naughty if len(embedder.token_offsets(text)) <= embedder.max_tokens]
    check_rows(embedder.embed_passages(fitting), embedder, len(fitting))
    check_rows(embedder.embed_queries(naughty), embedder, len(naughty))
    if embedder.max_tokens > 32:
        assert len(fitting) == len(naughty)


# Real encoders find what is meant.


@pytest.mark.parametrize("name", ["gte-small", "all-minilm-l6-v2"])
def test_a_question_finds_its_passage(name: str, real: Callable[[str], Embedder]) -> None:
    passages = [
        "Return to full crimping takes six to eight weeks once a finger pulley was strained.",
        "Chalk dries the skin and improves friction on polished limestone.",
        "Protein after training helps muscles to recover.",
        "The committee will meet on Tuesday to discuss the parking places.",
    ]
    questions = [
        "When can I climb again after a tendon injury in my finger?",
        "What should I eat to regenerate?",
        "my hands sweat and slip",
    ]
    embedder = real(name)
    scores = embedder.embed_queries(questions) @ embedder.embed_passages(passages).T
    assert scores.argmax(axis=1).tolist() == [0, 2, 1]
    assert embedder.name == name
    assert embedder.dimension == 384


def test_late_chunk_knows_its_context(real: Callable[[str], Embedder]) -> None:
    embedder = real("gte-small")
    head = "Berlin is the capital of Germany. "
    tail = "It has 3.8 million inhabitants."
    late = embedder.embed_document(head + tail, [(len(head), len(head + tail))])
    alone = embedder.embed_passages([tail])
    question = embedder.embed_queries(["Berlin"])
    assert (late @ question.T).item() > (alone @ question.T).item() + 0.02


# Threads, prefixes, windows: exact, on the tiny encoder.


def test_vectors_do_not_depend_on_threads(real: Callable[[str], Embedder]) -> None:
    texts = ["climb " * n for n in (3, 90, 1, 40)]
    many = real("gte-small").embed_passages(texts)
    one = open_embedder(EmbedConfig(threads=1), ModelsConfig())
    three = open_embedder(EmbedConfig(threads=3), ModelsConfig())
    np.testing.assert_array_equal(one.embed_passages(texts), many)
    np.testing.assert_array_equal(three.embed_passages(texts), many)


def test_prefixes(tiny_onnx: Path) -> None:
    plain = tiny(tiny_onnx)
    traits = Traits(
        "tiny", "f" * 16, DIMENSION, 32, prefix_query="query: ", prefix_passage="passage : the "
    )
    prefixed = tiny(tiny_onnx, traits)
    assert prefixed.max_tokens == 32 - 2 - 3
    np.testing.assert_array_equal(
        prefixed.embed_queries(["pulley strain"]), plain.embed_queries(["query: pulley strain"])
    )
    np.testing.assert_array_equal(
        prefixed.embed_passages(["pulley"]), plain.embed_passages(["passage : the pulley"])
    )
    assert prefixed.token_offsets("pulley") == [(0, 6)]


def test_prefix_of_a_tokenizer_that_keeps_blanks() -> None:
    pieces = ["<unk>", "▁", "▁query", ":", "▁hand", "▁foot", "h", "a", "n", "d"]
    tokenizer = Tokenizer(models.Unigram([(piece, -len(pieces) / 3) for piece in pieces], 0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    together = tokenizer.encode("query: foot", add_special_tokens=False).ids
    apart = tokenizer.encode("foot", add_special_tokens=False).ids
    assert [*_prefix_ids(tokenizer, "query: "), *apart] == together


def test_mean_and_cls_pooling(tiny_onnx: Path) -> None:
    rows = table()
    ids = [2, *(VOCABULARY.index(word) for word in ("ring", "finger")), 3]
    mean = rows[ids].mean(axis=0)
    np.testing.assert_allclose(
        tiny(tiny_onnx).embed_passages(["ring finger"])[0], mean / np.linalg.norm(mean), atol=1e-6
    )
    cls = tiny(tiny_onnx, Traits("tiny", "f" * 16, DIMENSION, 32, pooling="cls"))
    np.testing.assert_allclose(
        cls.embed_passages(["ring finger"])[0], rows[2] / np.linalg.norm(rows[2]), atol=1e-6
    )


def test_special_tokens_in_a_text_are_text(tiny_onnx: Path) -> None:
    assert len(tiny(tiny_onnx).token_offsets("[SEP]")) == 3


@pytest.mark.parametrize("n", [1, 29, 30, 31, 95, 500])
def test_late_chunking_counts_every_token_once(n: int, tiny_onnx: Path) -> None:
    words = [VOCABULARY[4 + i % 200] for i in range(n)]
    text = " ".join(words)
    embedder = tiny(tiny_onnx, config=EmbedConfig(late_window_tokens=32, late_overlap_tokens=9))
    offsets = embedder.token_offsets(text)
    assert len(offsets) >= n
    cuts = [(0, n), (0, 1), (n // 3, n // 3 + 1), (n // 2, n), (n - 1, n)]
    starts, ends = zip(*offsets, strict=True)
    spans = [(starts[a], ends[b - 1]) for a, b in cuts]
    rows = embedder.embed_document(text, spans)
    ids = tiny_tokenizer()
    ids.no_padding()
    ids.no_truncation()
    vectors = table()[ids.encode(text, add_special_tokens=False).ids]
    for row, (a, b) in zip(rows, cuts, strict=True):
        mean = vectors[a:b].mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_long_question_counts_every_token(tiny_onnx: Path) -> None:
    """A megabyte is read to its end, and no part of it weighs more than another."""
    embedder = tiny(tiny_onnx, Traits("tiny", "f" * 16, DIMENSION, max_tokens=512))
    text = "climb " * 100_000 + "finger " * 100_000
    row = embedder.embed_queries([text])[0]
    mean = table()[[VOCABULARY.index("climb"), VOCABULARY.index("finger")]].mean(axis=0)
    assert row @ mean / np.linalg.norm(mean) > 0.999


@pytest.mark.parametrize(("size", "overlap"), [(10, 0), (10, 3), (10, 5), (10, 50), (1, 0)])
def test_windows_keep_each_token_where_it_is_furthest_from_an_edge(size: int, overlap: int) -> None:
    for n in range(60):
        windows = late_windows(n, size, overlap)
        kept = [i for w in windows for i in range(w.keep_start, w.keep_end)]
        assert kept == list(range(n))
        for w in windows:
            assert w.end - w.start == min(size, n)
            for i in range(w.keep_start, w.keep_end):
                best = max(
                    min(i - v.start if v.start else n, v.end - 1 - i if v.end < n else n)
                    for v in windows
                    if v.start <= i < v.end
                )
                own = min(i - w.start if w.start else n, w.end - 1 - i if w.end < n else n)
                assert own >= best - 1  # the middle of an even overlap belongs to either


@pytest.mark.parametrize("n", [0, 1, 9, 10, 11, 20, 21, 99])
def test_even_cuts(n: int) -> None:
    cuts = even_cuts(n, 10)
    sizes = [end - start for start, end in cuts]
    assert [cuts[0][0], cuts[-1][1]] == [0, n]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(cuts))
    assert max(sizes) <= 10
    assert max(sizes) - min(sizes) <= 1
    assert len(cuts) == max(1, -(-n // 10))


# Wrong names, missing and damaged files.


def spec_of(folder: Path) -> ModelSpec:
    files = tuple(ModelFile(name, 0, "0" * 64) for name in ("model.onnx", "tokenizer.json"))
    return ModelSpec("tiny", "encoder", "MIT", files, max_tokens=32, dimension=DIMENSION)


@pytest.fixture
def folder(tmp_path: Path, tiny_onnx: Path) -> Path:
    place = tmp_path / "tiny"
    place.mkdir()
    (place / "model.onnx").write_bytes(tiny_onnx.read_bytes())
    tiny_tokenizer().save(str(place / "tokenizer.json"))
    return place


def test_open_reads_the_folder(folder: Path, tiny_onnx: Path) -> None:
    spec = spec_of(folder)
    embedder = OnnxEmbedder.open(spec, folder, EmbedConfig())
    assert embedder.fingerprint == spec.fingerprint()
    np.testing.assert_array_equal(
        embedder.embed_passages(["ring"]), tiny(tiny_onnx).embed_passages(["ring"])
    )


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["absent", "empty", "short", "text"])
def test_missing_and_damaged_files(name: str, damage: str, folder: Path) -> None:
    path = folder / name
    data = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "short": data[: len(data) // 2], "text": b"<html>"}[damage])
    with pytest.raises(Missing) as caught:
        OnnxEmbedder.open(spec_of(folder), folder, EmbedConfig())
    assert isinstance(caught.value, CorruptModel) is (damage != "absent")
    assert caught.value.hint == "dragtor models pull tiny"
    assert "\n" not in str(caught.value)


def test_model_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="no token vectors"):
        tiny(write_onnx(tmp_path / "pooled.onnx", rank=2))
    with pytest.raises(CorruptModel, match="pixel_values"):
        tiny(write_onnx(tmp_path / "image.onnx", inputs=("input_ids", "pixel_values")))


def test_model_of_another_size(tiny_onnx: Path) -> None:
    with pytest.raises(CorruptModel, match="17 numbers"):
        tiny(tiny_onnx, Traits("tiny", "f" * 16, 17, 32)).embed_queries(["ring"])


def test_tokenizer_of_another_model(tiny_onnx: Path) -> None:
    """Ids beyond the table end in one line, not in a crash."""
    import onnxruntime

    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["zebra"])
    session = onnxruntime.InferenceSession(str(tiny_onnx), providers=["CPUExecutionProvider"])
    embedder = OnnxEmbedder(session, tokenizer, TINY, EmbedConfig())
    with pytest.raises(CorruptModel, match="tiny failed") as caught:
        embedder.embed_passages(["ring", "zebra", "finger"])
    assert caught.value.hint == "dragtor models pull tiny"


def test_no_room_for_text(tiny_onnx: Path) -> None:
    with pytest.raises(UsageError, match="no room"):
        tiny(tiny_onnx, Traits("tiny", "f" * 16, DIMENSION, 4, prefix_query="query : the"))


def test_unknown_names(tmp_path: Path) -> None:
    for name in ("no-such-model", "qwen2.5-coder-0.5b", "", "../gte-small"):
        with pytest.raises(UsageError, match="unknown encoder") as caught:
            open_embedder(EmbedConfig(model=name), ModelsConfig(path=str(tmp_path)))
        assert "gte-small" in caught.value.hint


def test_model_not_pulled(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        open_embedder(EmbedConfig(), ModelsConfig(path=str(tmp_path)))
    assert caught.value.hint == "dragtor models pull gte-small"


def test_damaged_pull(tmp_path: Path, real: Callable[[str], Embedder]) -> None:
    """Right sizes, wrong bytes: the loader says so."""
    real("gte-small")
    source, copy = models_path(ModelsConfig()) / "gte-small", tmp_path / "gte-small"
    copy.mkdir()
    for path in source.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    whole = bytearray((copy / "model.int8.onnx").read_bytes())
    whole[:4096] = bytes(4096)
    (copy / "model.int8.onnx").write_bytes(whole)
    with pytest.raises(CorruptModel) as caught:
        open_embedder(EmbedConfig(), ModelsConfig(path=str(tmp_path)))
    assert caught.value.hint == "dragtor models pull gte-small"
