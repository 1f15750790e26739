"""Training heads on an encoder: batches, losses, freezing, resumed runs, the graph that comes out.

What needs torch runs on a tiny random BERT, and is skipped where the extra `train` is absent.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dragtor.encoder.data import read_task
from dragtor.encoder.heads import HeadSet
from dragtor.errors import Cancelled, UsageError
from dragtor.training.encoder import batches, options
from dragtor.training.loop import LoopConfig
from dragtor.types import CancelToken, Reporter

NAMES = ("Ana", "Yves", "Alex", "Tom", "Mia", "Bo")
PLACES = ("Oslo", "Rome", "Bern", "Nice", "Bath", "Kiel")
MOODS = {"good": "fine", "great": "fine", "bad": "poor", "awful": "poor"}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def conll(tmp_path: Path) -> Path:
    draw = random.Random(0)
    rows = []
    for _ in range(60):
        name, place = draw.choice(NAMES), draw.choice(PLACES)
        rows.append(f"{name}\tB-person\nlives\tO\nin\tO\n{place}\tB-place\n.\tO\n\n")
    path = tmp_path / "names.conll"
    path.write_text("".join(rows), "utf-8")
    return path


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    draw = random.Random(1)
    words = [draw.choice(list(MOODS)) for _ in range(60)]
    rows = [f"it was {w} for {draw.choice(NAMES)} no {i},{MOODS[w]}\n" for i, w in enumerate(words)]
    path = tmp_path / "mood.csv"
    path.write_text("text,label\n" + "".join(rows), "utf-8")
    return path


@pytest.fixture
def base(tmp_path: Path, torch: Any) -> Path:
    """A BERT of two layers with random weights, and a wordpiece vocabulary."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = "[PAD] [UNK] [CLS] [SEP] lives in . it was for no".split()
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
    vocabulary = [*words, *MOODS, *letters, *(f"##{c}" for c in letters)]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    folder = tmp_path / "base"
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def config(base: Path, epochs: int = 6, **model: Any) -> Any:
    made = options.train_config(
        base=str(base), max_tokens=32, validation=0.2,
        model={"pooling": "mean", "shapes": True, "dropout": 0.1, "freeze": (), "rank": 0} | model,
        mix={"power": 1.0, "uncertainty": False, "batch": 8, "weights": None},
        loop={"epochs": epochs, "learning_rate": 5e-3, "warmup": 0.1, "seed": 3,
              "evaluate_every": 0, "patience": 9},
    )  # fmt: skip
    return replace(made, mix=replace(made.mix, half=False))


def trained(out: Path, files: list[str], settings: Any, **rest: Any) -> Any:
    from dragtor.training.encoder.train import train_heads

    tasks = options.task_files(files, [], [])
    return train_heads(tasks, out, settings, models_dir=out.parent, **rest)


def test_two_tasks_are_learned_together_and_run_without_torch(
    tmp_path: Path, base: Path, conll: Path, csv: Path
) -> None:
    run = trained(tmp_path / "run", [str(conll), str(csv)], config(base, 12))
    last = run.metrics["history"][-1]
    assert last["names_span_f1"] > 0.9
    assert last["mood_accuracy"] > 0.9
    heads = HeadSet.read(run.folder / "heads.json", "")
    assert [(h.name, h.kind) for h in heads.heads] == [("names", "tokens"), ("mood", "sentence")]
    assert {p.name for p in run.folder.iterdir()} >= {"model.onnx", "tokenizer.json", "README.md"}
    from dragtor.encoder import Encoder

    encoder = Encoder.load(str(run.folder))
    said = encoder.predict(["Ana lives in Oslo .", "it was awful for Tom no 99"])
    assert [(s.start, s.end, s.label) for s in said[0].spans["names"]] == [
        (0, 3, "person"), (13, 17, "place"),
    ]  # fmt: skip
    assert max(said[1].classes["mood"], key=said[1].classes["mood"].__getitem__) == "poor"


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_the_graph_gives_what_torch_gives(
    tmp_path: Path, base: Path, conll: Path, csv: Path, pooling: str, torch: Any
) -> None:
    import onnx

    from dragtor.training.encoder import export
    from dragtor.training.encoder.model import HeadedModel, open_encoder
    from dragtor.training.encoder.sets import read_sets
    from dragtor.training.encoder.train import WindowCoder, open_tokenizer

    settings = config(base, pooling=pooling)
    sets = read_sets(options.task_files([str(conll), str(csv)], [], []), 0.2, 3)
    model = HeadedModel(open_encoder(base), sets.heads, settings.model, 3)
    torch.nn.init.normal_(model.shapes.weight)
    coder = WindowCoder(open_tokenizer(base / "tokenizer.json", ""), 32)
    windows = [w for ws in batches.coded(sets.learn["mood"][0], model.heads[1], coder) for w in ws]
    graph, small = tmp_path / "graph.onnx", tmp_path / "small.onnx"
    assert export.write_graph(model, graph, windows, 0) < 1e-4
    export.write_int8_graph(graph, small)
    nodes = onnx.load(str(small)).graph.node
    names = [node.name for node in nodes if node.op_type == "MatMulInteger"]
    assert names  # the encoder's
    assert not [name for name in names if "mood" in name or "names" in name]


def test_max_pooling_leaves_the_states_as_they_are(base: Path, torch: Any) -> None:
    from dragtor.encoder.heads import Head
    from dragtor.training.encoder.model import HeadedModel, ModelConfig, open_encoder

    head = Head("mood", "sentence", ("a", "b"))
    model = HeadedModel(open_encoder(base), [head], ModelConfig(pooling="max"), 0)
    states, mask = torch.randn(2, 5, 32), torch.tensor([[1] * 5, [1, 1, 1, 0, 0]])
    before = states.clone()
    pooled = model.pooled(states, mask)
    assert torch.equal(states, before)
    assert torch.equal(pooled[1], states[1, :3].amax(0))


def test_a_run_that_was_cut_off_ends_with_the_same_numbers(
    tmp_path: Path, base: Path, conll: Path, csv: Path
) -> None:
    files = [str(conll), str(csv)]
    whole = trained(tmp_path / "whole", files, config(base, 3))
    token = CancelToken()

    class Stopper(Reporter):
        def progress(self, label: str, done: float, total: float) -> None:
            if label == "training" and done == 11:
                token.cancel()

    with pytest.raises(Cancelled):
        trained(tmp_path / "cut", files, config(base, 3), reporter=Stopper(), cancel=token)
    resumed = trained(tmp_path / "cut", files, config(base, 3))
    assert resumed.metrics["history"] == whole.metrics["history"]


@pytest.mark.parametrize(
    ("freeze", "still"),
    [
        (("encoder",), "encoder."),
        (("embeddings",), "encoder.embeddings."),
        (("layers:1",), "encoder.encoder.layer.0."),
        (("head:mood",), "heads.mood."),
    ],
)
def test_what_is_frozen_does_not_learn(base: Path, freeze: tuple[str, ...], still: str) -> None:
    from dragtor.encoder.heads import Head
    from dragtor.training.encoder.model import HeadedModel, ModelConfig, open_encoder

    heads = [Head("mood", "sentence", ("a", "b")), Head("other", "sentence", ("a", "b"))]
    model = HeadedModel(open_encoder(base), heads, ModelConfig(freeze=freeze), 0)
    names = model.tensors()
    assert names
    assert not [name for name in names if name.startswith(still)]


def test_adapters_are_all_that_learns_and_are_merged_into_the_graph(
    tmp_path: Path, base: Path, csv: Path
) -> None:
    run = trained(tmp_path / "run", [str(csv)], config(base, 12, rank=4))
    assert run.metrics["history"][-1]["mood_accuracy"] > 0.9


def test_a_word_outside_is_open_to_labels_that_its_file_never_uses(
    tmp_path: Path, conll: Path
) -> None:
    some = tmp_path / "some.conll"
    some.write_text("Ana\tB-person\nlives\tO\n\n" * 3, "utf-8")
    from dragtor.encoder.heads import Head, token_labels

    head = Head("names", "tokens", token_labels(["person", "place"]))
    unknown = batches.unknown_labels(head, read_task(some))
    assert {head.labels[i] for i in unknown} == {"B-place", "I-place"}
    assert not batches.unknown_labels(head, read_task(conll))


def test_a_word_of_a_file_is_learned_as_a_text_without_words_is_read(base: Path) -> None:
    from dragtor.encoder.data import TaskExample
    from dragtor.encoder.heads import Head, token_labels
    from dragtor.onnx import open_tokenizer

    head = Head("names", "tokens", token_labels(["person", "place"]))
    words = ((0, 3), (4, 6), (7, 11), (12, 13))
    example = TaskExample("Ana in U.S. .", words=words, tags=("B-person", "O", "B-place", "O"))
    coder = batches.WindowCoder(open_tokenizer(base / "tokenizer.json", ""), 32)
    (window,) = coder.windows(example, head, 0)
    assert [head.labels[i] for i in window.targets] == [
        "B-person", "O", "B-place", "I-place", "I-place", "I-place", "O",
    ]  # fmt: skip


def test_going_on_from_a_run_of_another_base_is_one_line(
    tmp_path: Path, base: Path, csv: Path, torch: Any
) -> None:
    transformers = pytest.importorskip("transformers")
    first = trained(tmp_path / "first", [str(csv)], config(base, 1))
    other = tmp_path / "other"
    made = transformers.BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(made).save_pretrained(other)
    (other / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    with pytest.raises(UsageError, match="another base"):
        trained(tmp_path / "x", [str(csv)], replace(config(other, 1), start=first.folder))
    again = trained(tmp_path / "y", [str(csv)], replace(config(base, 1), start=first.folder))
    assert again.metrics["history"]


def test_what_is_frozen_comes_from_the_run_that_is_gone_on_from(
    tmp_path: Path, base: Path, conll: Path, csv: Path
) -> None:
    from dragtor.encoder import Encoder

    files = [str(conll), str(csv)]
    first = trained(tmp_path / "first", files, config(base, 2))
    settings = replace(config(base, 2, freeze=("encoder", "head:mood")), start=first.folder)
    second = trained(tmp_path / "second", files, settings)
    text = "Ana lives in Oslo ."
    before, after = (Encoder.load(run.folder).predict([text])[0] for run in (first, second))
    assert after.classes["mood"] == pytest.approx(before.classes["mood"], abs=1e-5)
    losses = [run.metrics["history"][-1]["names_loss"] for run in (first, second)]
    assert losses[0] != losses[1]
    still = ("encoder", "head:mood", "head:names")
    with pytest.raises(UsageError, match="all is frozen"):
        trained(tmp_path / "third", files, config(base, 2, freeze=still))


def test_epochs_share_by_size_to_a_power() -> None:
    sizes = {"a": 900, "b": 100}
    assert batches.epoch_sizes(sizes, 1.0) == sizes
    assert batches.epoch_sizes(sizes, 0.0) == {"a": 500, "b": 500}
    assert batches.epoch_sizes(sizes, 0.5) == {"a": 750, "b": 250}


def test_what_a_command_line_says(tmp_path: Path, csv: Path) -> None:
    (one,) = options.task_files([f"feel={csv}"], [f"feel={csv}"], ["fine=good,poor="])
    assert (one.head, one.path, one.held, dict(one.mapping)) == (
        "feel", csv, csv, {"fine": "good", "poor": ""},
    )  # fmt: skip
    with pytest.raises(UsageError, match="no file"):
        options.task_files([str(tmp_path / "none.csv")], [], [])
    with pytest.raises(UsageError, match="no task"):
        options.task_files([str(csv)], [f"x={csv}"], [])
    assert options.named_numbers(["a=2", "b=0.5"]) == {"a": 2.0, "b": 0.5}
    with pytest.raises(UsageError, match="pooling"):
        options.train_config(model={"pooling": "sum"}, mix={}, loop={})


def test_two_files_of_one_head_must_be_of_one_kind(tmp_path: Path, csv: Path, conll: Path) -> None:
    from dragtor.training.encoder.sets import read_sets

    with pytest.raises(UsageError, match="of kind"):
        read_sets(options.task_files([f"x={csv}", f"x={conll}"], [], []), 0.2, 1)


@pytest.mark.parametrize("name", ["states", "input_ids", "my.name", "a b"])
def test_a_head_may_not_be_called_as_the_graph_calls_its_own(csv: Path, name: str) -> None:
    from dragtor.training.encoder.sets import read_sets

    with pytest.raises(UsageError, match="cannot be called"):
        read_sets(options.task_files([f"{name}={csv}"], [], []), 0.2, 1)


def test_a_head_may_be_called_as_torch_calls_something(
    tmp_path: Path, base: Path, csv: Path
) -> None:
    run = trained(tmp_path / "run", [f"train={csv}"], config(base, 1, freeze=("head:train",)))
    assert "train_accuracy" in run.metrics["history"][-1]


def test_what_cannot_be_measured_is_said_before_anything_is_learned(
    tmp_path: Path, csv: Path
) -> None:
    from dragtor.training.encoder.sets import read_sets

    small, other = tmp_path / "small.csv", tmp_path / "other.csv"
    small.write_text("text,label\na,x\nb,y\nc,x\n", "utf-8")
    with pytest.raises(UsageError, match="too small"):
        read_sets(options.task_files([str(small)], [], []), 0.1, 1)
    other.write_text("text,label\na,fine\nb,odd\n", "utf-8")
    with pytest.raises(UsageError, match="nothing teaches: odd"):
        read_sets(options.task_files([f"m={csv}"], [f"m={other}"], []), 0.1, 1)
    with pytest.raises(UsageError, match="more files"):
        options.task_files([f"m={csv}"], [f"m={csv}", f"m={csv}"], [])


def test_other_data_are_another_run(tmp_path: Path, base: Path, csv: Path) -> None:
    trained(tmp_path / "run", [str(csv)], config(base, 1))
    csv.write_text(csv.read_text("utf-8").replace("fine", "poorly"), "utf-8")
    with pytest.raises(UsageError, match="other settings"):
        trained(tmp_path / "run", [str(csv)], config(base, 1))


def test_windows_are_no_longer_than_the_base_reads(tmp_path: Path, base: Path, csv: Path) -> None:
    with pytest.raises(UsageError, match="reads 64 tokens"):
        trained(tmp_path / "run", [str(csv)], replace(config(base, 1), max_tokens=65))
    odd = config(base, 1)
    odd = replace(odd, mix=replace(odd.mix, weights={"typo": 2.0}))
    with pytest.raises(UsageError, match="typo"):
        trained(tmp_path / "run", [str(csv)], odd)


def test_answers_are_learned_whatever_the_length_of_the_question(
    tmp_path: Path, base: Path
) -> None:
    import json

    rows = [
        {"question": "who? " * (i % 40), "context": f"it was Ana {i} in Oslo",
         "answers": [{"text": "Ana", "answer_start": 7}] if i % 3 else [],
         "is_impossible": i % 3 == 0}
        for i in range(30)
    ]  # fmt: skip
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    run = trained(tmp_path / "run", [str(path)], config(base, 1))
    assert "answers_exact" in run.metrics["history"][-1]


def test_a_loop_of_its_own_length(base: Path) -> None:
    assert config(base).loop == LoopConfig(6, 5e-3, 0.1, evaluate_every=0, patience=9, seed=3)


@pytest.fixture
def reading(tmp_path: Path) -> list[str]:
    """Questions with and without an answer, and pairs of one class each, as `--task` says them."""
    import json

    draw = random.Random(2)
    spans, no, yes = [], [], []
    for i in range(60):
        name, place = draw.choice(NAMES), draw.choice(PLACES)
        text = f"{name} lives in {place} ." if i % 2 else f"it was {place} for no {i}"
        answers = [{"text": name, "answer_start": 0}] if i % 2 else []
        spans.append({"question": "who lives", "context": text, "answers": answers})
        (yes if i % 2 else no).append(
            {"a": f"who lives no {i}", "b": text, "label": "yes" if i % 2 else "no"}
        )
    files = []
    for head, rows in (("qa", spans), ("holds", no), ("holds", yes)):
        path = tmp_path / f"reading{len(files)}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        files.append(f"{head}={path}")
    return files


def reading_config(base: Path, epochs: int, **mix: Any) -> Any:
    made = config(base, epochs, pooling="cls", shapes=False)
    return replace(made, mix=replace(made.mix, answers={"qa": "holds"}, **mix), most_held=9)


def test_a_span_task_teaches_a_pair_head_in_the_same_pass(
    tmp_path: Path, base: Path, reading: list[str]
) -> None:
    run = trained(tmp_path / "run", reading[:1], reading_config(base, 25))
    last = run.metrics["history"][-1]
    assert run.metrics["held_out"] == {"qa": 9}
    assert min(last["qa_exact"], last["qa_f1"], last["qa_holds_accuracy"]) > 0.8
    assert min(last["qa_holds_auc"], last["qa_holds_f1"]) > 0.8
    heads = HeadSet.read(run.folder / "heads.json", "").heads
    assert [(h.name, h.kind, h.labels) for h in heads] == [
        ("qa", "span", ()), ("holds", "pair", ("no", "yes")),
    ]  # fmt: skip


def test_files_of_spans_and_of_pairs_teach_one_head_and_resume(
    tmp_path: Path, base: Path, reading: list[str]
) -> None:
    settings = reading_config(base, 3, weights={"holds": 0.5}, uncertainty=True)
    whole = trained(tmp_path / "whole", reading, settings)
    assert {"qa_holds_auc", "holds_accuracy", "holds_2_accuracy"} <= {*whole.metrics["history"][-1]}
    token = CancelToken()

    class Stopper(Reporter):
        def progress(self, label: str, done: float, total: float) -> None:
            if label == "training" and done == 13:
                token.cancel()

    with pytest.raises(Cancelled):
        trained(tmp_path / "cut", reading, settings, reporter=Stopper(), cancel=token)
    resumed = trained(tmp_path / "cut", reading, settings)
    assert resumed.metrics["history"] == whole.metrics["history"]


def grouped_task(base: Path, folder: Path, groups: int = 5) -> Any:
    """A task of questions over four candidates each, of which the second answers, but in the last
    group, and over as many contexts that are no candidates."""
    import json

    from dragtor.training.encoder.sets import read_sets
    from dragtor.training.encoder.task import EncoderTask, MixConfig
    from dragtor.training.encoder.train import WindowCoder, open_tokenizer

    rows = []
    for n in range(4 * groups):
        answers = [{"text": "Ana", "answer_start": 0}] if n % 4 == 1 and n < 4 * groups - 4 else []
        row = {"question": "who lives", "context": f"Ana lives in no {n}", "answers": answers}
        rows += [row, {**row, "group": f"g{n // 4}"}]
    path = folder / "groups.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    files = options.task_files([f"qa={path}"], [f"qa={path}"], [])
    sets = read_sets(files, 0.01, 3, {"qa": "holds"})
    model = tiny_model(base, sets.heads)
    coder = WindowCoder(open_tokenizer(base / "tokenizer.json", ""), 32, shapes=False)
    mix = MixConfig(answers={"qa": "holds"}, batch=6, batch_tokens=200)
    return EncoderTask(model, sets.learn, {}, coder, mix, pad=0, seed=3)


def tiny_model(base: Path, heads: Any) -> Any:
    from dragtor.training.encoder.model import HeadedModel, ModelConfig, open_encoder

    settings = ModelConfig(pooling="cls", shapes=False, dropout=0.0)
    return HeadedModel(open_encoder(base), heads, settings, 3)


def test_candidates_of_a_question_stay_together_and_are_ranked(
    tmp_path: Path, base: Path, torch: Any
) -> None:
    task = grouped_task(base, tmp_path)
    example = task._learn["qa"]
    made = task.batches(0)
    groups = [{example[w.example][0].group for w in batch.windows} for batch in made]
    assert not any("" in some and len(some) > 1 for some in groups)
    for name in {example[w.example][0].group for batch in made for w in batch.windows} - {""}:
        assert sum(name in some for some in groups) == 1
    head = task._heads["holds"]
    losses = []
    for batch in (one for one in made if example[one.windows[0].example][0].group):
        answered = [any(w.targets) for w in batch.windows]
        right = torch.tensor([[-3.0, 3.0] if yes else [3.0, -3.0] for yes in answered])
        even = torch.zeros(len(answered), 2)
        losses.append((task._listwise(head, batch, right), task._listwise(head, batch, even)))
    best, least = (float(sum(each)) for each in zip(*losses, strict=True))
    assert best < 0.1 < 1 < least
    alone = next(one for one in made if not example[one.windows[0].example][0].group)
    assert float(task._listwise(head, alone, torch.zeros(len(alone.windows), 2))) == 0


def test_a_head_that_cannot_learn_of_answers_is_refused(
    tmp_path: Path, base: Path, csv: Path, reading: list[str]
) -> None:
    with pytest.raises(UsageError, match="one class only"):
        trained(tmp_path / "a", reading[1:2], config(base))
    with pytest.raises(UsageError, match="no task of answers is called qa"):
        trained(tmp_path / "b", reading[1:], reading_config(base, 1))
    with pytest.raises(UsageError, match="cannot share a head"):
        trained(tmp_path / "c", [reading[0], f"holds={csv}"], reading_config(base, 1))
    assert options.named_heads(["qa=holds"]) == {"qa": "holds"}
    with pytest.raises(UsageError, match="no TASK=HEAD"):
        options.named_heads(["qa"])


def test_answers_are_scored_as_squad_scores_them(torch: Any) -> None:
    from dragtor.encoder.align import Encoded
    from dragtor.encoder.data import TaskData, TaskExample
    from dragtor.training.encoder import measure

    words = ((0, 0), (0, 3), (4, 7), (8, 12))
    tokens = Encoded((1, 2, 3, 4), (0, 1, 1, 1), words)
    examples = (
        TaskExample("the Ana Bell", answers=((4, 12),)), TaskExample("the Ana Bell"),
        TaskExample("the Ana Bell", answers=((4, 12),)),
    )  # fmt: skip
    data = TaskData("qa", "span", (), examples, Path("x"))

    def spans(example: int, first: int, last: int) -> measure.Said:
        logits = torch.zeros(2, 4)
        logits[0, first] = logits[1, last] = 5.0
        return measure.Said(batches.HeadWindow(tokens, (), (0, 0), example), logits)

    said = [spans(0, 1, 3), spans(1, 0, 0), spans(1, 2, 2), spans(2, 2, 2), spans(2, 0, 0)]
    found = measure.span_figures(data, said)  # "the" does not count
    assert found == {"exact": pytest.approx(1 / 3), "f1": pytest.approx((1 + 0 + 2 / 3) / 3)}
    odds = [2.0, -1.0, -2.0, -3.0, 1.0]
    holds = [
        measure.Said(replace(one.window, targets=(0,)), torch.tensor([[0.0, each]]))
        for one, each in zip(said, odds, strict=True)
    ]
    assert measure.answer_figures(data, said, holds) == {
        "accuracy": 1.0, "f1": pytest.approx((1 + 1 + 2 / 3) / 3), "auc": 1.0,
    }  # fmt: skip
