"""Encoders of the transformers library, made here with random weights: needs the extra hf."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import shared
from test_embed import (
    TEXTS,
    VOCABULARY,
    check_document,
    check_limit,
    check_offsets,
    check_rows,
    check_tokens,
    check_vectors,
    tiny_tokenizer,
)

from dragtor.config import EmbedConfig, ModelsConfig
from dragtor.embed import open_embedder
from dragtor.embed.hf import TransformersEmbedder, batches
from dragtor.errors import CorruptModel, DragtorError, Missing, UsageError

HAS_EXTRA = find_spec("torch") is not None and find_spec("transformers") is not None
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="needs the hf extra")
ROUNDING = 1e-5

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own


def write_json(path: Path, data: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")


def write_model(folder: Path, kind: str = "Bert", **options: Any) -> Path:
    """A two-layer encoder of 32 numbers a token, reading 64 tokens, weights drawn at random."""
    import torch
    import transformers

    torch.manual_seed(7)
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(VOCABULARY) + 8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        **{"max_position_embeddings": 64, "initializer_range": 0.5} | options,
    )
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer(),
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    return folder


def open_folder(folder: Path, **options: Any) -> TransformersEmbedder:
    embedder = open_embedder(EmbedConfig(model=f"hf:{folder}", **options), ModelsConfig())
    assert isinstance(embedder, TransformersEmbedder)
    return embedder


def reference(folder: Path, text: str, pooling: str = "mean") -> np.ndarray:
    """The vector as transformers' own documentation computes it."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        inputs = tokenizer(text, return_tensors="pt", padding=False, truncation=False)
        inputs.pop("token_type_ids", None)
        vectors = model(**inputs).last_hidden_state[0]
    row = (vectors.mean(0) if pooling == "mean" else vectors[0]).numpy()
    return row / np.linalg.norm(row)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("hf") / "bert")


@pytest.fixture
def folder(bert: Path, tmp_path: Path) -> Path:
    """A copy of the encoder that a test may change."""
    copy = tmp_path / "bert"
    copy.mkdir()
    for path in bert.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


@needs_extra
def test_contract(bert: Path) -> None:
    embedder = open_folder(bert, batch_tokens=128)
    assert embedder.dimension == 32
    assert embedder.max_tokens == 62
    assert embedder.name == f"hf:{bert}"
    check_vectors(embedder, ROUNDING)
    check_offsets(embedder)
    check_limit(embedder)
    check_tokens(embedder)
    check_document(embedder)


@needs_extra
def test_naughty_strings(bert: Path) -> None:
    naughty = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    embedder = open_folder(bert)
    check_rows(embedder.embed_queries(naughty), embedder, 515)


@needs_extra
def test_same_vector_as_transformers(bert: Path) -> None:
    rows = open_folder(bert).embed_passages(["may i climb again ?", "ring"])
    np.testing.assert_allclose(rows[0], reference(bert, "may i climb again ?"), atol=ROUNDING)
    np.testing.assert_allclose(rows[1], reference(bert, "ring"), atol=ROUNDING)


@needs_extra
def test_cls_pooling_prompts_and_length(folder: Path) -> None:
    before = open_folder(folder).fingerprint
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    prompts = {"query": "query : ", "document": "passage : the "}
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 20})
    embedder = open_folder(folder)
    assert embedder.max_tokens == 20 - 2 - 3
    assert embedder.fingerprint != before
    query, passage = embedder.embed_queries(["ring"]), embedder.embed_passages(["ring"])
    wanted = (
        reference(folder, "query : ring", "cls"),
        reference(folder, "passage : the ring", "cls"),
    )
    np.testing.assert_allclose(query[0], wanted[0], atol=ROUNDING)
    np.testing.assert_allclose(passage[0], wanted[1], atol=ROUNDING)


@needs_extra
def test_dense_layer_after_pooling(folder: Path) -> None:
    """As Stella has it: modules.json lists a projection between pooling and unit length."""
    import torch
    from safetensors.torch import save_file

    names = ("Transformer", "Pooling", "Dense", "Normalize")
    paths = ("", "1_Pooling", "2_Dense", "3_Normalize")
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
        for i, (name, path) in enumerate(zip(names, paths, strict=True))
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    shape = {"in_features": 32, "out_features": 8, "bias": True}
    identity = {"activation_function": "torch.nn.modules.linear.Identity"}
    write_json(folder / "2_Dense" / "config.json", shape | identity)
    weight, bias = torch.randn(8, 32), torch.randn(8)
    place = folder / "2_Dense" / "model.safetensors"
    save_file({"linear.weight": weight, "linear.bias": bias}, place)
    embedder = open_folder(folder)
    assert embedder.dimension == 8
    got = embedder.embed_passages(["ring finger", "pulley"])
    check_rows(got, embedder, 2)
    check_rows(embedder.embed_document("ring finger pulley", [(0, 4), (5, 18)]), embedder, 2)
    assert open_folder(folder).fingerprint == embedder.fingerprint
    _same_direction(folder, got[0], weight.numpy(), bias.numpy())
    place.write_bytes(b"no weights")
    with pytest.raises(CorruptModel, match="linear layer"):
        open_folder(folder)
    write_json(folder / "modules.json", [*modules, {"path": "", "type": "x.models.LSTM"}])
    with pytest.raises(UsageError, match="LSTM"):
        open_folder(folder)


def _same_direction(folder: Path, row: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> None:
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        ids = tokenizer("ring finger", return_tensors="pt", truncation=False, padding=False)
        mean = model(input_ids=ids["input_ids"]).last_hidden_state[0].mean(0).numpy()
    wanted = weight @ mean + bias
    np.testing.assert_allclose(row, wanted / np.linalg.norm(wanted), atol=ROUNDING)


@needs_extra
def test_roberta_counts_positions_from_its_padding(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path / "roberta", "Roberta", max_position_embeddings=66, pad_token_id=1
    )
    embedder = open_folder(folder)
    assert embedder.max_tokens == 62
    check_limit(embedder)
    check_tokens(embedder)


@needs_extra
@pytest.mark.parametrize(
    "stated", [{"pooling_mode_lasttoken": True}, {"pooling_mode": "max"}, {"include_prompt": False}]
)
def test_pooling_that_is_not_known(stated: dict[str, Any], folder: Path) -> None:
    write_json(folder / "1_Pooling" / "config.json", stated)
    with pytest.raises(UsageError, match="pools"):
        open_folder(folder)


@needs_extra
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["absent", "short"])
def test_damaged_folder(name: str, damage: str, folder: Path) -> None:
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    if damage == "short":
        path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CorruptModel) as caught:
        open_folder(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in caught.value.hint


@needs_extra
def test_weights_that_are_lacking_are_not_drawn_at_random(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CorruptModel, match=r"lacks the weights encoder\.layer\.1"):
        open_folder(folder)


@needs_extra
def test_code_of_a_model_is_never_run(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    own = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    write_json(folder / "config.json", config | {"model_type": "own", "auto_map": own})
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n", "utf-8")
    with pytest.raises(DragtorError):
        open_folder(folder)
    assert not (folder / "ran").exists()


@needs_extra
def test_hub_cache(tmp_path: Path, bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached snapshot is found by name; what is not cached is not asked for."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Missing) as caught:
        open_embedder(EmbedConfig(model="hf:owner/model"), ModelsConfig())
    assert caught.value.hint == "hf download owner/model"
    revision = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--owner--model" / "snapshots" / revision
    snapshot.mkdir(parents=True)
    for path in bert.iterdir():
        (snapshot / path.name).write_bytes(path.read_bytes())
    refs = tmp_path / "models--owner--model" / "refs"
    refs.mkdir()
    (refs / "main").write_text(revision)
    cached = open_embedder(EmbedConfig(model="hf:owner/model"), ModelsConfig())
    assert cached.name == "hf:owner/model"
    assert cached.fingerprint == open_folder(bert).fingerprint
    np.testing.assert_array_equal(
        cached.embed_passages(TEXTS), open_folder(bert).embed_passages(TEXTS)
    )


@needs_extra
@pytest.mark.parametrize("name", ["hf:", "hf:nowhere", "hf:/no/such/folder", "hf:a/b/c", "hf:-/?"])
def test_wrong_names(name: str) -> None:
    with pytest.raises((Missing, UsageError)) as caught:
        open_embedder(EmbedConfig(model=name), ModelsConfig())
    assert "OWNER/REPO" in caught.value.hint


@pytest.mark.skipif(HAS_EXTRA, reason="the hf extra is here")
def test_without_the_extra_its_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        open_embedder(EmbedConfig(model=f"hf:{tmp_path}"), ModelsConfig())
    assert "dragtor[hf]" in caught.value.hint


def test_batches_keep_their_budget() -> None:
    lengths = [5, 100, 7, 30, 30, 1, 64, 300]
    groups = batches(lengths, 128)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or len(group) * longest <= 128
    assert batches([], 128) == []
    assert len(batches([10] * 12, 128)) == 1
