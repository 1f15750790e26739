"""Training a vision model that lists the names of a picture: data, labels, figures, runs.

What needs torch runs on tiny random models of real architectures (tiny_vision.py), and is skipped
where the extra `train` is absent.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, shared
from tiny_vision import MAKERS, make_vision_model, write_pictures

from dragtor.entities.spelling import bare_letters, is_misread
from dragtor.errors import Cancelled, UsageError
from dragtor.llm.vision import named_in
from dragtor.prompt import PICTURE_ENTITIES
from dragtor.training.checkpoints import CHECKPOINT
from dragtor.training.loop import LoopConfig
from dragtor.training.vision import runs
from dragtor.training.vision.examples import (
    PictureExample,
    apart,
    main_spelling,
    read_pictures,
)
from dragtor.training.vision.measure import PictureScore, picture_score, summed
from dragtor.training.vision.model import part_of
from dragtor.types import CancelToken, Reporter

COLOURS = {"red": ("Ana Ek", "Zeta"), "blue": ("Bo Li", "Orion")}
PROMPT = "Who?"


@pytest.fixture
def torch() -> Any:
    found = pytest.importorskip("torch")
    found.set_num_threads(1)
    return found


@pytest.fixture(params=[*MAKERS])
def base(request: pytest.FixtureRequest, tmp_path: Path, torch: Any) -> Path:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("PIL.Image")
    if request.param == "smol":
        pytest.importorskip("num2words")
    return make_vision_model(request.param, tmp_path / "base", transformers, torch)


def settings(base: Path, epochs: int = 60, every: int = 40, **rest: Any) -> Any:
    from dragtor.training.vision.train import TrainVisionConfig

    loop = LoopConfig(
        epochs=epochs, learning_rate=1e-2, accumulate=2, evaluate_every=every, patience=9
    )
    return TrainVisionConfig(str(base), loop, prompt=PROMPT, answer_tokens=64, **rest)


def test_a_model_of_each_architecture_learns_what_it_sees(tmp_path: Path, base: Path) -> None:
    from dragtor.training.vision.train import train_vision

    learn = write_pictures(tmp_path / "learn", COLOURS)
    held = write_pictures(tmp_path / "held", COLOURS, 2)  # of other widths, too
    config = replace(settings(base), loop=replace(settings(base).loop, epochs=120))
    found = train_vision([learn], tmp_path / "run", config, held=[held])
    first, last = found.table
    assert (first["step"], first["recall"]) == ("0", "0.0")
    assert float(last["loss"]) < 0.5 < float(first["loss"])
    assert float(last["recall"]) == 1.0  # the colours are told apart
    assert float(last["invented"]) == 0.0
    assert last["prompt"] == runs.prompt_hash(PROMPT)
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written >= {"README.md", "metrics.json", "pictures.jsonl", "plot.png", "config.json"}
    adapter = tmp_path / "run" / "adapter"
    assert {p.name for p in adapter.iterdir()} >= {"adapter_config.json"}
    lines = (tmp_path / "run" / "pictures.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["missed"] for row in rows] == [[]] * 4
    with (tmp_path / runs.RUNS_TABLE).open(newline="") as file:
        assert list(csv.DictReader(file)) == found.table
    assert str(tmp_path) not in (tmp_path / "run" / "README.md").read_text()


def test_only_the_answer_teaches(tmp_path: Path, base: Path, torch: Any) -> None:
    from PIL import Image

    from dragtor.training.vision.chat import IGNORED, PictureChat
    from dragtor.training.vision.model import open_base_model, open_processor

    processor = open_processor(base)
    chat = PictureChat(processor, PICTURE_ENTITIES, 64)
    picture = Image.new("RGB", (90, 60), "green")
    hostile = "Ana <image> </s> <|im_end|> <end_of_utterance> <|image_pad|>"
    answer = json.dumps({"people": [hostile], "companies": []})
    coded = chat.coded(picture, answer)
    ids, labels = coded.inputs["input_ids"][0], coded.labels[0]
    prompt = chat.asked(picture)["input_ids"][0]
    assert torch.equal(ids[: len(prompt)], prompt)
    assert set(labels[: len(prompt)].tolist()) == {IGNORED}
    assert coded.taught == len(ids) - len(prompt)
    assert torch.equal(labels[len(prompt) :], ids[len(prompt) :])
    model = open_base_model(base, half=False)
    pictured = ids == model.config.image_token_id
    assert pictured.sum() > 4
    assert set(labels[pictured].tolist()) == {IGNORED}
    assert chat.written(labels[len(prompt) :]).strip() == answer  # control strings are plain text
    end = chat.tokenizer.convert_tokens_to_ids(str(chat.tokenizer.eos_token))
    assert (labels == end).sum() == 1
    for name, value in coded.inputs.items():
        if name.endswith(("_mask", "type_ids")) and value.ndim == 2:
            assert value.shape == coded.inputs["input_ids"].shape, name
    with torch.no_grad():
        whole = model(**coded.inputs, labels=coded.labels).loss  # the model's own reckoning
        logits = model(**coded.inputs, logits_to_keep=coded.taught + 1).logits[0, :-1]
    own = torch.nn.functional.cross_entropy(logits.float(), labels[len(prompt) :])
    assert float(own) == pytest.approx(float(whole), rel=1e-4)


def test_the_prompt_is_held_to_the_models_own_template(base: Path) -> None:
    from dragtor.training.vision.chat import PictureChat
    from dragtor.training.vision.model import open_processor

    processor = open_processor(base)
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Who?"}]}
    own = processor.tokenizer.apply_chat_template(
        [turn], chat_template=processor.chat_template, tokenize=False, add_generation_prompt=True
    )
    assert PictureChat(processor, "Who?", 64).prompt == own
    processor.chat_template = "{{ messages[-1]['content'][0]['type'] }} thinks:"
    with pytest.raises(UsageError, match="does not answer as it asks"):
        PictureChat(processor, "Who?", 64)
    processor.chat_template = None
    with pytest.raises(UsageError, match="no chat template for pictures"):
        PictureChat(processor, "Who?", 64)


def test_an_adapter_is_on_what_is_named_and_on_nothing_else(base: Path) -> None:
    from dragtor.training.vision.model import adapted_layers, open_base_model, tuned_model

    model = open_base_model(base, half=False)
    language = adapted_layers(model, ["attention", "mlp"])
    assert {name.rpartition(".")[2] for name in language} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert len(language) == 14
    projector = adapted_layers(model, ["projector"])
    assert 1 <= len(projector) <= 2
    sees = adapted_layers(model, ["vision"])
    assert len(sees) >= 8
    assert not {*language, *projector} & {*sees}
    with pytest.raises(UsageError, match="no part 'eyes'"):
        adapted_layers(model, ["eyes"])
    tuned = tuned_model(model, ["attention", "projector"], 4, 2.0)
    learns = {name for name, value in tuned.named_parameters() if value.requires_grad}
    assert learns
    assert all("lora_" in name for name in learns)
    assert not [name for name in learns if "down_proj" in name or "lm_head" in name]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.language_model.layers.3.self_attn.q_proj", "attention"),  # all of transformers
        ("model.language_model.layers.3.mlp.down_proj", "mlp"),
        ("model.multi_modal_projector.linear_1", "projector"),  # LLaVA
        ("model.vision_tower.vision_model.encoder.layers.0.self_attn.out_proj", "vision"),
        ("model.visual.merger.mlp.0", "projector"),  # Qwen
        ("model.visual.blocks.7.attn.qkv", "vision"),
        ("model.visual.blocks.7.mlp.gate_proj", "vision"),
        ("model.connector.modality_projection.proj", "projector"),  # Idefics3, SmolVLM
        ("model.text_model.layers.0.mlp.up_proj", "mlp"),
        ("model.vision_model.encoder.layers.0.mlp.fc1", "vision"),
        ("lm_head", ""),
        ("model.visual.patch_embed.proj_norm", ""),
    ],
)
def test_layers_are_known_by_their_names(name: str, part: str) -> None:
    assert part_of(name) == part


class StopAfter(Reporter):
    """Sets a token at a step."""

    def __init__(self, token: CancelToken, step: int) -> None:
        self._token, self._step = token, step

    def progress(self, label: str, done: float, total: float) -> None:
        if label == "training" and done >= self._step:
            self._token.cancel()


@pytest.mark.parametrize("base", ["idefics"], indirect=True)
def test_a_run_that_was_cut_off_ends_as_one_that_was_not(
    tmp_path: Path, base: Path, torch: Any
) -> None:
    from dragtor.training.checkpoints import Checkpoint
    from dragtor.training.vision.train import train_vision

    gold = write_pictures(tmp_path / "pictures", COLOURS, 2)
    config = settings(base, epochs=4, every=2)
    train_vision([gold], tmp_path / "whole", config)
    token = CancelToken()
    with pytest.raises(Cancelled):
        train_vision([gold], tmp_path / "cut", config, reporter=StopAfter(token, 3), cancel=token)
    assert (tmp_path / "cut" / CHECKPOINT).exists()
    train_vision([gold], tmp_path / "cut", config)
    one, other = (Checkpoint.load(tmp_path / name) for name in ("whole", "cut"))
    assert one is not None
    assert other is not None
    assert one.run.history == other.run.history
    assert all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())
    table = runs.read_rows(tmp_path / runs.RUNS_TABLE)
    assert [row["run"] for row in table] == ["whole", "whole", "cut", "cut"]
    train_vision([gold], tmp_path / "cut", config)  # done: nothing is trained, nothing said twice
    assert len(runs.read_rows(tmp_path / runs.RUNS_TABLE)) == 4
    with pytest.raises(UsageError, match="a run with other settings"):
        train_vision([gold], tmp_path / "cut", replace(config, rank=2))


@pytest.mark.parametrize("base", ["qwen"], indirect=True)
def test_ctrl_c_keeps_a_checkpoint_and_says_one_line(tmp_path: Path, base: Path) -> None:
    gold = write_pictures(tmp_path / "pictures", COLOURS, 2)
    command = [sys.executable, "-m", "dragtor", "train", "entities-vlm", "--data", str(gold),
               "--base", str(base), "--out", str(tmp_path / "run"), "--epochs", "9999",
               "--pictures", "2", "--evaluate-every", "2", "--patience", "99999",
               "--threads", "1"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as run:
        for _ in range(1200):
            if (tmp_path / "run" / CHECKPOINT).exists() or run.poll() is not None:
                break
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    assert run.returncode == 130, said
    assert "Traceback" not in said
    assert (tmp_path / "run" / CHECKPOINT).exists()


@pytest.mark.parametrize("base", ["llava"], indirect=True)
def test_the_merged_model_writes_what_the_tuned_one_does(
    tmp_path: Path, base: Path, torch: Any
) -> None:
    from dragtor.training.vision.chat import PictureChat
    from dragtor.training.vision.model import open_base_model, open_processor
    from dragtor.training.vision.task import VisionTask
    from dragtor.training.vision.train import train_vision

    gold = write_pictures(tmp_path / "pictures", COLOURS)
    config = settings(base, epochs=120, every=60, merge=True, recompute=True)
    train_vision([gold], tmp_path / "run", config, held=[gold])
    folder = tmp_path / "run" / "model"
    chat = PictureChat(open_processor(folder), PROMPT, 64)
    model = open_base_model(folder, half=False).eval()
    one = {"": next(model.parameters())}
    task = VisionTask(model, one, chat, [], [], answer_tokens=64, seed=0)
    for example in read_pictures(gold):
        assert {(n, c) for n, c in task.names(example, CancelToken())} == {
            (example.people[0][0], "person"), (example.companies[0][0], "company"),
        }  # fmt: skip


def test_a_model_that_is_none_is_one_line(tmp_path: Path, torch: Any) -> None:
    pytest.importorskip("transformers")
    from dragtor.training.vision.train import train_vision

    gold = write_pictures(tmp_path / "pictures", COLOURS)
    (tmp_path / "none").mkdir()
    for base in (tmp_path / "none", tmp_path / "absent"):
        with pytest.raises(UsageError, match="no vision model that transformers opens") as caught:
            train_vision([gold], tmp_path / "run", settings(base))
        assert "\n" not in str(caught.value)


# Data and figures, without torch


def test_both_layouts_of_gold_are_read(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "image": "a.png", "text": "From Ek, Ana", "companies": [],
         "people": [["ana@x.example", "Ek, Ana", "Ana"]]},
        {"image": "b.png", "lines": [{"text": "Bo"}, {"text": "Zeta Ltd"}],
         "people": [{"name": "Bo Li", "aliases": ["Bo"]}],
         "companies": [{"name": "Zeta", "aliases": ["Zeta Ltd"]}],
         "optional_companies": ["x.example"]},
    ]  # fmt: skip
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"")
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    one, other = read_pictures(path)
    assert one.answer == '{"people": ["Ek, Ana"], "companies": []}'
    assert (other.id, other.text, other.optional) == ("b", "Bo\nZeta Ltd", ("x.example",))
    assert named_in(other.answer) == [("Bo", "person"), ("Zeta Ltd", "company")]
    assert main_spelling(["a@b.example"]) == "a@b.example"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "line 1: no JSON"),
        ("[]", "no `image`"),
        ('{"image": "a.png", "people": "Ana"}', "lists of spellings"),
        ('{"image": "a.png", "people": [[""]]}', "lists of spellings"),
        ('{"image": "a.png", "lines": ["Ana"]}', "`lines` hold one each"),
        ('{"image": "a.png", "optional_companies": 7}', "`optional_companies`"),
        ('{"image": "none.png"}', "no picture at"),
        ("", "holds no picture"),
    ],
)
def test_data_that_is_none_is_told(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    path = tmp_path / "gold.jsonl"
    path.write_text(row, "utf-8")
    with pytest.raises(UsageError, match=says):
        read_pictures(path)


def test_the_enron_pictures_are_read() -> None:
    examples = read_pictures(shared("email_screenshots") / "gold.jsonl")
    learn, held = apart(examples, 0.2, 7)
    assert len(examples) == len(learn) + len(held) == 36
    assert len(held) == 7
    perfect = [picture_score(one, named_in(one.answer)) for one in examples]
    assert summed(perfect)["recall"] > 0.99
    assert summed(perfect)["invented"] == 0


def test_something_is_always_held_out() -> None:
    some = [PictureExample(str(n), Path(), (), ()) for n in range(3)]
    assert [len(part) for part in apart(some, 0.01, 0)] == [2, 1]
    assert [len(part) for part in apart(some, 0.9, 0)] == [1, 2]
    with pytest.raises(UsageError, match="too few"):
        apart(some[:1], 0.5, 0)


def test_names_are_matched_extra_or_invented() -> None:
    example = PictureExample(
        "a", Path(), (("Yves Gravelle", "Yves"), ("Bo Li",)), (("Zeta",),),
        "Yves Gravelle, Bo Li of Zeta, in May", ("x.example",),
    )  # fmt: skip
    given = [("YVES  gravele", "person"), ("Yves", "person"), ("May", "person"),
             ("Zeta", "person"), ("Nobody", "person"), ("x.example", "company")]  # fmt: skip
    score = picture_score(example, given)
    assert score == PictureScore(
        "a", ("Yves Gravelle",), ("Bo Li", "Zeta"), ("May", "Zeta"), ("Nobody",)
    )
    figures = summed([score, picture_score(example, [])])
    assert figures["recall"] == pytest.approx(1 / 6)
    assert figures["precision"] == pytest.approx(1 / 4)
    assert (figures["matched"], figures["extra"], figures["invented"]) == (0.5, 1.0, 0.5)
    assert summed([])["f1"] == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Zoë Ørsted", "zoe orsted", True),
        ("gravelle", "gravele", True),
        ("gravelle", "gravalle", True),
        ("hansen", "hansens", True),
        ("gravelle", "grabale", False),
        ("bo li", "bo l", False),
        ("", "", False),
    ],
)
def test_spellings_are_compared_without_their_marks(one: str, other: str, same: bool) -> None:
    assert is_misread(bare_letters(one), bare_letters(other)) is same
    assert is_misread(bare_letters(other), bare_letters(one)) is same


def test_a_table_of_another_version_is_kept(tmp_path: Path) -> None:
    path = tmp_path / runs.RUNS_TABLE
    path.write_text("run,model,note\nold,m,kept?\n")
    names = ("step", "loss", "recall", "precision", "f1", "extra", "invented")
    row = runs.run_row("new", "m", "d", "p", dict.fromkeys(names, 0.12345), 3)
    table = runs.keep_rows(path, [row])
    assert [each["run"] for each in runs.read_rows(path)] == ["old", "new"]
    assert (table[1]["loss"], table[1]["step"]) == ("0.1235", "0")
