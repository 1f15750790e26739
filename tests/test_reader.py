"""The reader: sentences scored for a question, and the training that makes it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from dragtor.errors import CorruptModel
from dragtor.ground.reader import MAX_TOKENS, TRAITS, WEIGHTS, Reader, packaged_folder, under

ENCODER = ROOT / "models" / "gte-small"
HIDDEN = 384


def made_up_tokens(texts):
    """Ids by a word's letters, a fixed random vector a word: no encoder is needed."""
    found = []
    for text in texts:
        words = ["[", *text.lower().split(), "]"]
        ids = [2000 + sum(ord(c) * 31**i for i, c in enumerate(w)) % 20000 for w in words]
        vectors = [np.random.default_rng(i).normal(size=HIDDEN).astype(np.float32) for i in ids]
        found.append((np.array(ids), np.array(vectors)))
    return found


@pytest.fixture(scope="module")
def reader():
    if not (packaged_folder() / WEIGHTS).is_file():
        pytest.skip("no assets/reader/reader.onnx")
    return Reader.open(packaged_folder())


@pytest.fixture(scope="module")
def read():
    """The vectors of the encoder that the packaged reader was trained on."""
    if not (ENCODER / "model.int8.onnx").is_file():
        pytest.skip("no models/gte-small: dragtor models pull gte-small")
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(ENCODER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    session = onnxruntime.InferenceSession(str(ENCODER / "model.int8.onnx"))

    def tokens(texts):
        found = []
        for text in texts:
            ids = np.array([tokenizer.encode(text).ids], np.int64)
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            feed["token_type_ids"] = np.zeros_like(ids)
            found.append((ids[0], session.run(None, feed)[0][0]))
        return found

    return tokens


STATED = [
    (
        "How long is a plaster worn after a broken wrist?",
        "The plaster is worn for about six weeks.",
        "A broken wrist is seen on an x-ray.",
    ),
    (
        "What causes a stye?",
        "A stye is caused by bacteria that block an oil gland of the lid.",
        "A stye usually heals by itself within two weeks.",
    ),
    (
        "Who discovered penicillin?",
        "Penicillin was found in 1928 by Alexander Fleming.",
        "Penicillin can be given as a tablet or an injection.",
    ),
    (
        "How is whooping cough treated?",
        "Whooping cough is treated with antibiotics such as azithromycin.",
        "Whooping cough begins like a cold, with a runny nose.",
    ),
]


@pytest.mark.parametrize(("question", "states", "near"), STATED)
def test_the_sentence_that_states_it_is_first(reader, read, question, states, near) -> None:
    far = "The museum is closed on Mondays."
    right, wrong, other = reader.score(question, [("", states), ("", near), ("", far)], read)
    assert right > wrong
    assert right > other


def test_a_score_does_not_depend_on_its_company(reader) -> None:
    pairs = [("Wrist", "A cast is worn for six weeks ."), ("", "Short ."), ("", "word " * 60)]
    together = reader.score("how long is a cast worn", pairs, made_up_tokens)
    alone = [reader.score("how long is a cast worn", [p], made_up_tokens)[0] for p in pairs]
    assert together == alone
    assert len(set(together)) == len(pairs)
    assert reader.score("how long", [], made_up_tokens) == []


def test_a_text_of_any_length_is_read(reader) -> None:
    long = "word " * (MAX_TOKENS * 3)
    (score,) = reader.score(long, [(long, long)], made_up_tokens)
    assert np.isfinite(score)


def test_headings_stand_before_the_sentence() -> None:
    assert under("", "It heals.") == "It heals."
    assert under("Wrist > Outlook", "It heals.") == "Wrist > Outlook: It heals."
    assert len(under("word " * 100, "It heals.").split()) < 30


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="not readable"):
        Reader.open(tmp_path)
    (tmp_path / TRAITS).write_text(json.dumps({"fingerprint": "x"}))
    (tmp_path / WEIGHTS).write_bytes(b"no model")
    with pytest.raises(CorruptModel, match=r"reader\.onnx is not readable"):
        Reader.open(tmp_path)


def test_the_grounding_room_does_not_import_the_training() -> None:
    code = "import sys, dragtor.ground, dragtor.ground.reader; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "dragtor.ground.reader" in loaded
    assert not {"dragtor.ground.train", "torch", "onnxruntime", "numpy"} & set(loaded)


@pytest.fixture(scope="module")
def lesson():
    """Questions whose answer names the thing asked about; (groups, tokens)."""
    pytest.importorskip("torch", reason="needs the extra train")
    from dragtor.ground.train import Group

    rng = random.Random(5)
    things = [f"thing{i}" for i in range(40)]
    groups = []
    for i in range(240):
        asked, *others = rng.sample(things, 4)
        texts = [f"the {asked} weighs little ."] if i % 3 else []
        texts += [f"the {other} weighs little ." for other in others]
        rng.shuffle(texts)
        states = tuple(asked in text.split() for text in texts)
        groups.append(Group(f"how heavy is {asked}", tuple(texts), states))
    texts = sorted({t for g in groups for t in (g.question, *g.sentences)})
    return groups, dict(zip(texts, made_up_tokens(texts), strict=True))


def small():
    from dragtor.ground.train import Options

    return Options(width=32, dropout=0.0, epochs=3, warm_up_steps=5, rate=3e-3)


def test_training_learns_and_exports_what_it_learned(lesson, tmp_path: Path) -> None:
    import torch

    from dragtor.ground.train import export, logits, train

    groups, tokens = lesson
    head, figures = train(groups, tokens, tmp_path, small())
    assert figures["first_right"] > 0.9
    assert figures["auc"] > 0.9
    export(head, tmp_path / WEIGHTS)
    (tmp_path / TRAITS).write_text(json.dumps({"fingerprint": "made up"}))
    with torch.no_grad():
        expected = logits(head.eval(), groups[:1], tokens).tolist()
    group = groups[0]
    found = Reader.open(tmp_path).score(
        group.question, [("", text) for text in group.sentences], made_up_tokens
    )
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_stopped_training_goes_on_to_the_same_weights(lesson, tmp_path: Path) -> None:
    import torch

    from dragtor.ground.train import train

    groups, tokens = lesson
    whole, _ = train(groups[:60], tokens, tmp_path, small())
    (tmp_path / "epoch-3.pt").unlink()
    (tmp_path / "epoch-2.pt").unlink()
    resumed, _ = train(groups[:60], tokens, tmp_path, small())
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
