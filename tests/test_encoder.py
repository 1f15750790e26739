"""The encoder: vectors by three poolings, classes and spans of texts of any length, bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from conftest import ROOT
from graphs import ANSWERS, ENTITIES, HEADS, HIDDEN, SENTIMENT, WORDS, write_model

from dragtor import Encoder as PublicEncoder
from dragtor.config import load_config, models_path
from dragtor.embed import open_embedder
from dragtor.encoder import Encoder, HeadSet
from dragtor.encoder.align import Encoded
from dragtor.encoder.merge import of_words
from dragtor.errors import Cancelled, CorruptModel, Missing, UsageError
from dragtor.types import CancelToken, LabelledSpan, Tagged, Tagger

LONG = " ".join(["Alex Megos climbs in Ceuse , good and well ."] * 60)
HARD = {
    "empty": "",
    "blank": " \n\t",
    "emoji": "😀🧗" * 300,
    "surrogates": "Alex \ud800Megos\udfff",
    "controls": "\x00\x01\x7f Alex\x0b Megos \u200d",
    "special": "[SEP] [CLS] Alex [PAD]",
    "one word": "x" * 5000,
    "joined": "á" * 3 + "\u0301" * 50,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder.load(folder)


def names(tagged: Tagged) -> list[tuple[str, str]]:
    return [(tagged.text[s.start : s.end], s.label) for s in tagged.spans["entities"]]


# Vectors


@pytest.mark.parametrize("pooling", ["", "mean", "max", "cls"])
def test_vectors_have_length_1_and_any_text_has_one(encoder: Encoder, pooling: str) -> None:
    vectors = encoder.encode([*HARD.values(), LONG], pooling)
    assert vectors.shape == (len(HARD) + 1, encoder.dimension) == (len(HARD) + 1, HIDDEN)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.encode([], pooling).shape == (0, HIDDEN)


def test_a_vector_is_pooled_of_all_tokens(encoder: Encoder) -> None:
    mean, top, first = (encoder.encode(["good good bad"], p)[0] for p in ("mean", "max", "cls"))
    good, bad, cls = (WORDS.index(word) for word in ("good", "bad", "[CLS]"))
    assert mean[good] == pytest.approx(2 * mean[bad])
    assert top[good] == pytest.approx(top[bad])
    assert first[cls] > 0
    assert first[good] == 0
    assert encoder.encode(["good good bad"])[0] == pytest.approx(mean)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_long_texts_are_read_to_their_end(encoder: Encoder, pooling: str) -> None:
    text = "good " * 200 + "bad " * 100
    vector = encoder.encode([text], pooling)[0]
    good, bad = vector[WORDS.index("good")], vector[WORDS.index("bad")]
    if pooling == "mean":
        assert good / bad == pytest.approx(2, rel=0.01)
    elif pooling == "max":
        assert good == bad > 0
    else:
        assert vector == pytest.approx(encoder.encode(["good"], "cls")[0])


def test_a_vector_is_the_same_alone_and_in_company(folder: Path) -> None:
    texts = [*HARD.values(), LONG, "Alex"] * 30  # more than one batch
    one, many = Encoder.load(folder, threads=1), Encoder.load(folder, threads=4)
    made = many.encode(texts)
    assert (made == one.encode(texts)).all()
    assert (made[3] == one.encode([texts[3]])[0]).all()


def test_unknown_poolings_are_refused(encoder: Encoder) -> None:
    with pytest.raises(UsageError, match="unknown pooling 'median'") as caught:
        encoder.encode(["x"], "median")
    assert caught.value.hint == "poolings: mean, max, cls"


# Classes and spans


def test_a_text_is_tagged_by_every_head_that_reads_one(encoder: Encoder) -> None:
    (found,) = encoder.predict(["Alex Megos climbs in Céüse, good."])
    assert names(found) == [("Alex Megos", "person"), ("Céüse", "place")]
    assert set(found.spans) == {"entities"}
    assert set(found.classes) == {"sentiment"}
    assert found.classes["sentiment"]["positive"] > 0.99
    assert sum(found.classes["sentiment"].values()) == pytest.approx(1)
    assert all(0.9 < span.probability <= 1 for span in found.spans["entities"])


def test_shapes_reach_the_graph(encoder: Encoder) -> None:
    assert names(encoder.predict(["alex megos climbs"])[0]) == []


def test_only_the_heads_asked_for_are_run(encoder: Encoder) -> None:
    (found,) = encoder.predict(["Alex"], ["sentiment"])
    assert found == Tagged("Alex", {}, found.classes)
    for name, told in (("same", "reads two texts"), ("mood", "has not one head mood")):
        with pytest.raises(UsageError, match=told):
            encoder.predict(["Alex"], [name])


def test_temperature_flattens_chances(tmp_path: Path) -> None:
    cold = Encoder.load(write_model(tmp_path / "a"))
    heads = (replace(ENTITIES, temperature=3), replace(SENTIMENT, temperature=5))
    hot = Encoder.load(write_model(tmp_path / "b", heads=heads))
    a, b = (each.predict(["Alex climbs good"])[0] for each in (cold, hot))
    assert a.classes["sentiment"]["positive"] > b.classes["sentiment"]["positive"] > 0.5
    assert b.classes["sentiment"]["positive"] == pytest.approx(1 / (1 + np.exp(-8 / 5)), abs=1e-4)
    assert a.spans["entities"][0].probability > b.spans["entities"][0].probability
    assert cold.version != hot.version


def test_long_texts_are_tagged_to_their_end(encoder: Encoder) -> None:
    (found,) = encoder.predict([LONG])
    assert names(found) == [("Alex Megos", "person"), ("Ceuse", "place")] * 60
    assert found.classes["sentiment"]["positive"] > 0.9


def test_it_is_a_tagger(encoder: Encoder, tmp_path: Path) -> None:
    tagger: Tagger = encoder
    assert tagger.version == encoder.heads.version
    found = tagger.tag(["", "Alex in Ceuse"])
    assert [[span.label for span in spans] for spans in found] == [[], ["person", "place"]]
    plain = Encoder.load(write_model(tmp_path, heads=(SENTIMENT,)))
    with pytest.raises(UsageError, match="has not one head entities"):
        plain.tag(["x"])


def test_words_of_others_are_labelled_each(encoder: Encoder) -> None:
    text, places = "Alex \u200d Megos , well", [(0, 4), (5, 6), (7, 12), (13, 14), (15, 19)]
    ((labels, chances),) = encoder.predict_words([(text, places)])
    assert labels[0] == "B-person"
    assert labels[1] == "O"  # nothing is left of it
    assert chances.shape == (5, 5)
    assert chances[1].tolist() == [1, 0, 0, 0, 0]
    assert encoder.predict_words([("", [])])[0][0] == []


def test_pairs_are_classed(encoder: Encoder) -> None:
    chances = encoder.predict_pairs([("Alex", "good"), ("", ""), (LONG, LONG)], "same")
    assert chances.shape == (3, 2)
    assert chances[0, 1] > 0.99
    assert chances[1] == pytest.approx(0.5)
    assert encoder.predict_pairs([]).shape == (0, 2)


def test_an_answer_is_a_span_of_the_context(encoder: Encoder) -> None:
    context = "good . " * 40 + "Alex Megos climbs" + " . bad" * 40
    span = encoder.answer("who climbs", context)
    assert span is not None
    assert context[span.start : span.end] == "Alex Megos"
    assert span.label == ANSWERS.name
    assert span.probability > 0.9
    assert encoder.answer("who", "bad well") is None
    assert encoder.answer("", "") is None
    long = encoder.answer(LONG, "Alex Megos")
    assert isinstance(long, LabelledSpan)
    assert (long.start, long.end) == (0, 10)


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_are_read(encoder: Encoder, name: str) -> None:
    text = HARD[name]
    (found,) = encoder.predict([text])
    assert found.text == text
    for span in found.spans["entities"]:
        assert 0 <= span.start < span.end <= len(text)
        assert not text[span.start : span.end].isspace()
    assert sum(found.classes["sentiment"].values()) == pytest.approx(1)
    if name in ("surrogates", "controls"):
        assert names(found)[0][0].startswith("Alex")


def test_a_hundred_thousand_tokens(encoder: Encoder) -> None:
    text = "Alex . " * 50_000
    (spans,) = encoder.tag([text])
    assert len(spans) == 50_000


def test_work_can_be_stopped(folder: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        Encoder.load(folder, cancel=cancel).encode(["x"])


def test_of_two_windows_the_one_counts_that_sees_more() -> None:
    blank = (0, 0)
    left = Encoded((1,) * 6, (0,) * 6, (blank,) * 6, words=(0, 1, 2), starts=(1, 2, 4))
    right = Encoded((1,) * 6, (0,) * 6, (blank,) * 6, words=(1, 2, 4), starts=(1, 3, 4))
    logits = [np.full((3, 2), n, np.float32) for n in (1.0, 2.0)]
    found, lacking = of_words(5, [left, right], logits)
    assert found[:, 0].tolist() == [1, 1, 2, 0, 2]
    assert lacking.tolist() == [False, False, False, True, False]


# Loading


def test_the_front_door_has_it() -> None:
    assert PublicEncoder is Encoder


def test_folders_that_lack_something_are_one_line(tmp_path: Path) -> None:
    for lacking in ("model.onnx", "tokenizer.json", "heads.json"):
        folder = write_model(tmp_path / lacking)
        (folder / lacking).unlink()
        with pytest.raises(Missing, match=f"{lacking} is not there"):
            Encoder.load(folder)
        (folder / lacking).write_bytes(b"{nothing")
        with pytest.raises(CorruptModel, match=lacking) as caught:
            Encoder.load(folder)
        assert "\n" not in str(caught.value)
    with pytest.raises(Missing, match="no model file at"):
        Encoder.load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="unknown model 'sags'"):
        Encoder.load("sags")
    with pytest.raises(UsageError, match="whisper-tiny is no encoder"):
        Encoder.load("whisper-tiny")


def test_heads_that_the_graph_lacks_are_one_line(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    told = json.loads((folder / "heads.json").read_text())
    told["heads"].append({"name": "mood", "kind": "sentence", "labels": ["a", "b"]})
    (folder / "heads.json").write_text(json.dumps(told))
    with pytest.raises(CorruptModel, match="lacks the outputs mood"):
        Encoder.load(folder)


def test_shapes_are_fed_only_where_they_are_told_of(tmp_path: Path) -> None:
    folder = write_model(tmp_path, shapes=False)
    assert names(Encoder.load(folder).predict(["alex"])[0]) == [("alex", "person")]
    write_model(tmp_path)
    HeadSet("tiny", "none", "mean", 16, False, HEADS.heads).write(tmp_path)
    with pytest.raises(CorruptModel, match="shape_ids"):
        Encoder.load(folder)


def test_a_graph_that_fails_is_one_line(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    model = onnx.load(str(folder / "model.onnx"))
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.zeros((2, HIDDEN), np.float32), "words")
    )
    onnx.save(model, str(folder / "model.onnx"))
    with pytest.raises(CorruptModel, match="tiny failed") as caught:
        Encoder.load(folder).encode(["Alex"])
    assert "\n" not in str(caught.value)


def test_an_encoder_of_the_catalogue_gives_the_vectors_of_search() -> None:
    config = load_config(ROOT / "config" / "params.yml")
    if not (models_path(config.models) / "all-minilm-l6-v2" / "model.int8.onnx").is_file():
        pytest.skip("all-minilm-l6-v2 is not installed")
    encoder = Encoder.load("all-minilm-l6-v2", models=config.models)
    texts = ["Alex Megos climbs in Céüse.", "Rest is training.", ""]
    embed = replace(config.embed, model="all-minilm-l6-v2")
    theirs = open_embedder(embed, config.models).embed_passages(texts)
    assert (encoder.encode(texts) * theirs).sum(axis=1) == pytest.approx(1, abs=1e-4)
    with pytest.raises(UsageError, match="no head that reads single texts"):
        encoder.predict(texts)
