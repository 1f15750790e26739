"""Training the model that points at events: labels, made texts, the loop, the adapter's file.

What needs torch runs on a tiny random model, and is skipped where the extra `train` is absent.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from dragtor.config import LLMConfig
from dragtor.errors import Cancelled, Missing, UsageError
from dragtor.events.decoding import (
    HEAD,
    TAIL,
    WORDS,
    ConstrainedDecoder,
    Layout,
    Tags,
    encode,
    may_begin,
)
from dragtor.training.checkpoints import CHECKPOINT
from dragtor.training.events.augment import made, marked_texts, with_other_values
from dragtor.training.events.labels import (
    Example,
    examples,
    find_values,
    is_held_out,
    read_records,
    template,
)
from dragtor.training.events.marks import unmark
from dragtor.training.events.train import TrainConfig, read_data, train
from dragtor.training.loop import Loop, LoopConfig
from dragtor.training.schedule import learning_rate
from dragtor.types import EVENT_FIELDS, CancelToken, Reporter

TEXTS = (
    ("Lunch with Ana tomorrow at noon", {"action": "Lunch", "attendees": ["Ana"],
                                         "date": "tomorrow", "time": "noon"}),
    ("Standup on Monday at 9am", {"action": "Standup", "date": "Monday", "time": "9am"}),
    ("Yoga every Friday", {"action": "Yoga", "recurrence": "every Friday"}),
    ("we met and it was nice", None),
)  # fmt: skip


def phrases(example: Example) -> list[dict[str, list[str]]]:
    return [
        {name: [example.text[a:b] for a, b in spans] for name, spans in event.items()}
        for event in example.events
    ]


@pytest.mark.parametrize(
    ("text", "field", "value", "phrase"),
    [
        ("Set sync 2023-11-02 9am", "date", "02/11/2023", "2023-11-02"),
        ("Talk on 08 - January - 2024 at 1", "date", "08/01/2024", "08 - January - 2024"),
        ("Dinner 31st, Mar 2025, 8pm", "date", "31/03/2025", "31st, Mar 2025"),
        ("July 14, 2024 10am call", "date", "14/07/2024", "July 14, 2024"),
        ("call 06/10/2023 11:15am", "time", "11:15 AM", "11:15am"),
        ("mtg 15:45 HQ", "time", "3:45 PM", "15:45"),
        ("walk at noon", "time", "12:00 PM", "noon"),
        ("run for an hour", "duration", "1 hour", "an hour"),
        ("rest an hour and a half", "duration", "90 minutes", "an hour and a half"),
        ("gym for a couple of hours", "duration", "2 hours", "a couple of hours"),
        ("chat half an hour", "duration", "30 minutes", "half an hour"),
        ("weekly mtg w/ Ravi", "action", "Weekly meeting", "weekly mtg"),
        ("at the Ritz by the park", "location", "Ritz", "Ritz"),
    ],
)
def test_the_phrase_of_a_normalised_value_is_found(
    text: str, field: str, value: str, phrase: str
) -> None:
    spans, lost = find_values(text, {field: value})
    assert lost == []
    start, end = spans[field][0]
    assert text[start:end] == phrase


def test_names_are_found_one_by_one_and_what_is_not_there_is_told() -> None:
    spans, lost = find_values(
        "Ann and Anna met", {"attendees": ["Anna", "Ann"], "location": "Rome"}
    )
    assert [("Ann and Anna met")[a:b] for a, b in spans["attendees"]] == ["Anna", "Ann"]
    assert lost == ["location"]


def test_nearly_all_values_of_the_calendar_set_are_found() -> None:
    records = read_records([shared("calendar_events") / "train.jsonl"])
    found, lost = examples(records)
    assert len(records) == 673
    assert len(found) >= 668
    assert sum(lost.values()) <= 5


def test_no_template_stands_on_both_sides() -> None:
    data = read_data([shared("calendar_events") / "train.jsonl"], 0.12)
    kept = data.held["train"]
    assert 50 < len(kept) < 130
    assert not {template(one) for one in data.learn} & {template(one) for one in kept}


def test_a_template_knows_neither_values_nor_how_many_names_there_are() -> None:
    one = unmark("[a:Lunch] with [p:Ana] on [d:Monday] for [u:2 hours].")
    other = unmark("[a:Tea] with [p:Bo], [p:Cy] and [p:Di] on [d:3 May 2026] for [u:an hour]")
    third = unmark("[a:Tea] on [d:3 May 2026] with [p:Bo]")
    assert template(one) == template(other) != template(third)
    assert is_held_out(one, 1.0)
    assert not is_held_out(one, 0.0)


def test_marks_become_spans() -> None:
    made_of = unmark("[d,d2:Monday]: [a:[r:weekly] sync] at [t:9], [a2:tea] with [p2:Al] [p2:Bo]")
    assert made_of.text == "Monday: weekly sync at 9, tea with Al Bo"
    assert phrases(made_of) == [
        {"date": ["Monday"], "recurrence": ["weekly"], "action": ["weekly sync"], "time": ["9"]},
        {"date": ["Monday"], "action": ["tea"], "attendees": ["Al", "Bo"]},
    ]


def test_made_texts_are_of_every_kind_and_the_same_for_a_seed() -> None:
    some = made(1500, 3)
    assert some == made(1500, 3) != made(1500, 4)
    events = [event for one in some for event in one.events]
    assert all("action" in event for event in events)
    assert {name for event in events for name in event} == set(EVENT_FIELDS)
    assert sum(not one.events for one in some) > 100
    assert sum(len(one.events) > 1 for one in some) > 100
    assert not [one.text for one in some if "[a" in one.text or "]" in one.text]
    for one in some:
        for event in phrases(one):
            assert all(phrase.strip() == phrase != "" for some in event.values() for phrase in some)


@pytest.mark.parametrize(
    ("seed", "digest"), [(0, "0333668be762b0ec"), (3, "9c73b49aa4cf37ca"), (7, "4f35c71b783d737f")]
)
def test_made_texts_are_what_they_always_were_for_a_seed(seed: int, digest: str) -> None:
    draw, some = random.Random(seed), made(500, seed)
    some += [with_other_values(one, draw) for one in some]
    shown = repr([(one.text, one.events) for one in some])
    assert hashlib.sha256(shown.encode()).hexdigest().startswith(digest)


def test_patterns_are_well_marked_and_none_is_measured_with() -> None:
    held = Path(__file__).parents[1] / "benchmarks" / "data" / "spoken_events.txt"
    measured = held.read_text("utf-8").splitlines()
    assert len(marked_texts()) == len(set(marked_texts())) > 500
    assert not set(measured) & {one.replace("\n", "\\n") for one in marked_texts()}
    begun: list[bool] = []
    for marked in (*marked_texts(), *measured):
        one = unmark(marked.replace("\\n", "\n"))
        assert not set("[]") & set(one.text), marked
        assert all(len(event["action"]) == 1 for event in one.events), marked
        for event in one.events:
            for name, spans in event.items():
                assert len(spans) == 1 or name == "attendees", marked
                begun += [may_begin(name, one.text, start) for start, _ in spans]
    assert begun.count(False) < 0.005 * len(begun)


def test_a_swapped_sentence_is_labelled_as_before() -> None:
    one = unmark("[a:Plan lunch] on [d:3 May 2026] at [t:9am] with [p:Ana] and [p:Bo] in [l:Rome].")
    others = [with_other_values(one, random.Random(n)) for n in range(20)]
    assert len({other.text for other in others}) > 10
    assert {template(other) for other in others} == {template(one)}
    nested = unmark("[a:[r:weekly] sync] at [t:9]")
    assert with_other_values(nested, random.Random(1)) == nested


@pytest.mark.parametrize("line", ["{", "[]", '{"event_text": 3, "output": {}}', '{"output": {}}'])
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text('{"event_text": "Tea at 9", "output": null}\n' + line)
    with pytest.raises(UsageError, match="line 2 is no record"):
        read_records([path])
    with pytest.raises(UsageError, match="cannot read"):
        read_records([tmp_path / "none.jsonl"])


def test_several_events_and_none_are_records_too() -> None:
    text = "Tea at 9, run at 10"
    two = [{"action": "Tea", "time": "9"}, {"action": "run", "time": "10"}]
    found, _ = examples([{"event_text": text, "output": two}, {"event_text": "Hi", "output": None}])
    assert [len(one.events) for one in found] == [2, 0]
    assert phrases(found[0])[1] == {"action": ["run"], "time": ["10"]}


# With torch, on a tiny random model.


def merges_of(words: list[str]) -> tuple[list[str], list[str]]:
    """Tokens beyond single bytes, and merges, with which each word is one token."""
    tokens: list[str] = []
    merges: list[str] = []
    for word in words:
        for end in range(2, len(word) + 1):
            if word[:end] not in tokens:
                tokens.append(word[:end])
                merges.append(f"{word[: end - 1]} {word[end - 1]}")
    return tokens, merges


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF of the llama family with two random layers, in float32."""
    pytest.importorskip("torch")
    gguf = pytest.importorskip("gguf")
    import numpy as np

    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    single = [chr(byte) for byte in shown] + [chr(256 + n) for n in range(len(hidden))]
    more, merges = merges_of([*WORDS, "Event", "End"])
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *single, *more]
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    hidden_size, heads, kv_heads, inner, layers = 64, 4, 2, 96, 3
    writer.add_block_count(layers)
    writer.add_context_length(1024)
    writer.add_embedding_length(hidden_size)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(hidden_size // heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    draw = np.random.default_rng(1)

    def add(name: str, *shape: int) -> None:
        value = draw.normal(0, 1 if len(shape) == 1 else shape[-1] ** -0.5, shape)
        writer.add_tensor(name, (value + (len(shape) == 1)).astype(np.float32))

    add("token_embd.weight", len(tokens), hidden_size)
    add("output_norm.weight", hidden_size)
    for n in range(layers):
        add(f"blk.{n}.attn_norm.weight", hidden_size)
        add(f"blk.{n}.ffn_norm.weight", hidden_size)
        add(f"blk.{n}.attn_q.weight", hidden_size, hidden_size)
        add(f"blk.{n}.attn_k.weight", hidden_size * kv_heads // heads, hidden_size)
        add(f"blk.{n}.attn_v.weight", hidden_size * kv_heads // heads, hidden_size)
        add(f"blk.{n}.attn_output.weight", hidden_size, hidden_size)
        add(f"blk.{n}.ffn_gate.weight", inner, hidden_size)
        add(f"blk.{n}.ffn_up.weight", inner, hidden_size)
        add(f"blk.{n}.ffn_down.weight", hidden_size, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "my.jsonl"
    rows = [{"event_text": text, "output": output} for text, output in TEXTS for _ in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def coder(path: Path) -> Any:
    from dragtor.training.events.base import read_vocabulary
    from dragtor.training.events.batches import Coder

    return Coder(read_vocabulary(path))


def tiny_loop(path: Path, folder: Path, config: LoopConfig, **told: Any) -> Loop[Any]:
    from dragtor.training.events.base import LINEARS, open_base
    from dragtor.training.events.task import EventsTask
    from dragtor.training.lora import add_adapter

    model = open_base(path, half=False)
    adapter = add_adapter(model, LINEARS, 4, 2.0, 1, config.seed)
    code = coder(path)
    some = [code.encode(one) for one in made(40, 1)]
    known = [one for one in some if one is not None]
    folder.mkdir(exist_ok=True)
    task = EventsTask(
        model,
        adapter,
        lambda _: known,
        {"made": known[:8]},
        batch_tokens=2048,
        entity_weight=1.0,
        seed=config.seed,
    )
    return Loop(task, config, folder, **told)


class Stopping(Reporter):
    """Asks a run to stop once so many steps are done; collects what it is told."""

    def __init__(self, after: int | None = None) -> None:
        self.cancel, self._after = CancelToken(), after
        self.notes: list[str] = []
        self.done: list[tuple[float, float]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, label: str, done: float, total: float) -> None:
        self.done.append((done, total))
        if done == self._after:
            self.cancel.cancel()


def test_tokens_are_those_of_llama_cpp(tiny: Path) -> None:
    pytest.importorskip("llama_cpp")
    from dragtor.llm.llama import open_llama
    from dragtor.training.events.base import read_vocabulary

    vocabulary = read_vocabulary(tiny)
    tokenizer, pieces = vocabulary.tokenizer(), vocabulary.pieces()
    model = open_llama(tiny, LLMConfig(context_tokens=256))
    for text in ("Lunch w/ Zoë 12/03/2024 10am, 😀 don't  stop\n\n at the Action", "½ ③ مرحبا End"):
        ids = tokenizer.encode(text).ids
        assert [token for token, _ in model.tokens(text)] == ids
        assert b"".join(pieces[i] for i in ids).decode() == text
        assert [piece for _, piece in model.tokens(text)] == [pieces[i] for i in ids]
    model.close()


def test_what_is_trained_is_what_decoding_can_write(tiny: Path) -> None:
    code = coder(tiny)
    read = dropped = 0
    for example in made(300, 9):
        if code.encode(example) is None:  # a slip of the finger where a date begins
            dropped += 1
            continue
        layout = code.layout(example.text)
        writing = ConstrainedDecoder(layout, code.tags)
        for token in encode(layout, code.tags, example.events):
            assert token in writing.allowed(), example.text
            writing.take(token)
        assert writing.ended
        told = [
            {name: [example.text[a:b] for a, b in one.spans[name]] for name in one.spans}
            for one in writing.extracted()
        ]
        assert told == [
            {name: [p.rstrip(",; ") for p in some] for name, some in event.items()}
            for event in phrases(example)
        ]
        read += len(told)
    assert read > 200
    assert dropped <= 6


def test_only_what_is_written_counts_and_entities_by_their_weight(tiny: Path) -> None:
    pytest.importorskip("torch")
    from dragtor.training.events.batches import tensors

    code = coder(tiny)
    one = code.encode(unmark("[a:Tea] at [t:9]"))
    short = code.encode(unmark("ok"))
    ids, places, targets, weights = tensors([one, short], 3.0)
    written = list(one.ids[one.prompt :])
    assert targets.tolist() == [*written, code.tags.end]
    assert ids.flatten()[places[1:-1] - 0].tolist()[: len(written) - 1] == written[:-1]
    assert ids[0, places[0]] == code.layout(HEAD + TAIL).ids[-1]
    assert weights.tolist() == [1.0, 3.0, 3.0, 3.0, 1.0, 3.0, 1.0, 1.0]


def test_llama_cpp_with_the_adapter_gives_the_logits_of_torch(tiny: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("llama_cpp")
    from dragtor.llm.llama import open_llama
    from dragtor.training import lora
    from dragtor.training.events.base import LINEARS, open_base

    model = open_base(tiny, half=False)
    ids = coder(tiny).layout("Lunch with Yves next Fri 1ish at the crag").ids
    logs: dict[str, list[float]] = {}
    for name, file in (("plain", None), ("tuned", tmp_path / "a.gguf")):
        if file:
            adapter = lora.add_adapter(model, LINEARS, 4, 1.5, 1, 3)
            drawn = {
                k: torch.randn(v.shape) * 0.3 if "lora_B" in k else v for k, v in adapter.items()
            }
            lora.fill(adapter, {k: v.detach().half().float() for k, v in drawn.items()})
            lora.write_adapter(file, lora.to_file(adapter, model.config), 1.5, "test")
            again = lora.from_file(lora.read_adapter(file, 1.5), adapter, model.config)
            assert all(torch.equal(again[k], v) for k, v in adapter.items())
            twice = lora.read_adapter(file, 3.0)
            assert torch.equal(
                twice["blk.2.attn_q.weight.lora_b"] * 2,
                lora.read_adapter(file, 1.5)["blk.2.attn_q.weight.lora_b"],
            )
        with torch.no_grad():
            wanted = model(torch.tensor([ids])).logits[0, -1]
        opened = open_llama(tiny, LLMConfig(context_tokens=256), adapter=file)
        said = [math.log(opened.pick(ids, [token])[1]) for token in range(3, 200, 7)]
        opened.close()
        logs[name] = wanted.log_softmax(0)[3:200:7].tolist()
        assert said == pytest.approx(logs[name], abs=0.05)
    apart = [abs(one - other) for one, other in zip(logs["plain"], logs["tuned"], strict=True)]
    assert max(apart) > 1


def test_a_run_that_was_cut_off_goes_on_bit_for_bit(tiny: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    config = LoopConfig(epochs=3, accumulate=2, evaluate_every=3)
    whole = tiny_loop(tiny, tmp_path / "whole", config)
    whole.run()
    for stop in (1, 3, 4):  # the third before it is evaluated
        told = Stopping(stop)
        cut = tiny_loop(tiny, tmp_path / "cut", config, reporter=told, cancel=told.cancel)
        with pytest.raises(Cancelled):
            cut.run()
        assert cut.run_state.step == stop
    cut = tiny_loop(tiny, tmp_path / "cut", config)
    assert cut.run().step == whole.run_state.step > 4
    one, other = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "cut")
    )
    for kept in ("weights", "best"):
        for name, value in one[kept].items():
            assert torch.equal(value, other[kept][name]), name
    states = zip(
        one["optimizer"]["state"].values(), other["optimizer"]["state"].values(), strict=True
    )
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in states)
    assert one["run"] == other["run"]
    assert not list((tmp_path / "cut").glob("*.part"))


class Line:
    """A task of two numbers: a line through noisy points, read with dropout."""

    def __init__(self) -> None:
        import torch

        self.values = torch.zeros(2, requires_grad=True)
        self.cancel: CancelToken | None = None

    def parameters(self) -> list[Any]:
        return [self.values]

    def batches(self, epoch: int) -> list[list[float]]:
        return [[float(epoch + n), 1.0] for n in range(4)]

    def loss(self, batch: list[float]) -> tuple[Any, float]:
        import torch

        if self.cancel:
            self.cancel.cancel()
        row = torch.nn.functional.dropout(torch.tensor(batch), 0.5)
        return (self.values @ row - 3.0) ** 2 * 2.0, 2.0

    def evaluate(self, cancel: CancelToken) -> dict[str, float]:
        cancel.check()
        return {"loss": float(self.values.sum())}

    def score(self, found: Mapping[str, float]) -> tuple[float, ...]:
        return (found["loss"],)

    def state(self) -> dict[str, Any]:
        return {"values": self.values}


def test_the_loop_trains_any_task_and_stops_amid_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    config = LoopConfig(epochs=2, accumulate=2, evaluate_every=2, learning_rate=0.1)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, cut = Line(), Line()
    Loop(whole, config, tmp_path / "a").run()
    cut.cancel = CancelToken()
    with pytest.raises(Cancelled):
        Loop(cut, config, tmp_path / "b", cancel=cut.cancel).run()
    assert cut.values.tolist() == [0.0, 0.0]
    cut.cancel = None
    saved: list[int] = []
    monkeypatch.setattr("dragtor.training.loop.EVERY_S", 0.0)
    monkeypatch.setattr(Loop, "_save", lambda self: saved.append(self.run_state.step))
    Loop(cut, config, tmp_path / "b").run()
    assert torch.equal(cut.values, whole.values)
    assert set(saved) == {1, 2, 3, 4}


def test_the_rate_rises_and_falls() -> None:
    rates = [learning_rate(step, 100, 1.0, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates.index(max(rates)) in (9, 10)
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def test_it_learns_and_stops_when_it_learns_no_more(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    config = LoopConfig(epochs=12, learning_rate=0.01, evaluate_every=5)
    loop = tiny_loop(tiny, tmp_path / "run", config)
    history = loop.run().history
    assert history[-1]["loss"] < history[0]["loss"] * 0.8
    still = LoopConfig(epochs=30, learning_rate=0.0, evaluate_every=1, patience=3)
    assert tiny_loop(tiny, tmp_path / "still", still).run().step == 4


def test_a_run_leaves_adapter_card_curve_and_settings(
    tiny: Path, tmp_path: Path, records: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    loop = LoopConfig(epochs=1, evaluate_every=2)
    config = TrainConfig(base=tiny, loop=loop, rank=2, first_layer=0, made=10, validation=0.3)
    told = Stopping()
    trained = train([records], tmp_path / "run", config, reporter=told)
    assert trained.adapter.read_bytes()[:4] == b"GGUF"
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"README.md", "plot.png", "config.json", "metrics.json", "last.gguf"} <= names
    assert "base_model: tiny" in (tmp_path / "run" / "README.md").read_text()
    assert trained.metrics["history"][-1]["step"] == trained.metrics["best_step"] or (
        trained.metrics["best_step"] > 0
    )
    assert told.done[-1][0] == told.done[-1][1] == trained.metrics["history"][-1]["step"]
    assert told.notes[-1].startswith(f"step {len(told.done)}: train_loss ")
    with pytest.raises(UsageError, match="other settings"):
        train([records], tmp_path / "run", TrainConfig(base=tiny, loop=loop, rank=3))
    onward = TrainConfig(base=tiny, start=trained.adapter, loop=loop, made=10, scale=1.0)
    again = train([records], tmp_path / "more", onward)
    assert again.metrics["history"][0]["loss"] <= trained.metrics["history"][-1]["loss"] + 0.1


def test_a_push_needs_a_token_before_anything_is_trained(
    tiny: Path, tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(Missing, match="no token for the hub") as caught:
        train([records], tmp_path / "run", TrainConfig(base=tiny), push="me/events")
    assert caught.value.hint == "export HF_TOKEN=..."
    assert not (tmp_path / "run").exists()


def test_data_without_an_example_are_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(UsageError, match="no example"):
        train([tmp_path / "empty.jsonl"], tmp_path / "run", TrainConfig(base=tiny))


def test_tags_must_be_single_tokens() -> None:
    from dragtor.errors import GenerationError

    with pytest.raises(GenerationError, match="lacks the tags"):
        Tags.read(lambda word: [ord(char) for char in word])
    layout = Layout.of("Tea at 9", [(1, b"Tea"), (2, b" at"), (3, b" 9")])
    assert layout.span(0, 2) == (0, 6)
    assert layout.tokens((7, 8)) == (2, 3)
