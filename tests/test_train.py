"""Training the model that points at events: labels, made texts, the loop, the adapter's file.

What needs torch runs on a tiny random model, and is skipped where the extra `train` is absent.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from dragtor.config import LLMConfig
from dragtor.errors import Missing, UsageError
from dragtor.events.decoding import HEAD, TAIL, WORDS, ConstrainedDecoder, Layout, Tags, encode
from dragtor.events.start_vocabulary import may_begin
from dragtor.training.events.augment import made, patterns, swapped
from dragtor.training.events.labels import (
    Example,
    align,
    examples,
    held_out,
    read_records,
    template,
)
from dragtor.training.events.marks import unmark
from dragtor.training.events.train import TrainConfig, split, train
from dragtor.training.loop import CHECKPOINT, Loop, LoopConfig
from dragtor.types import EVENT_FIELDS

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
    spans, lost = align(text, {field: value})
    assert lost == []
    start, end = spans[field][0]
    assert text[start:end] == phrase


def test_names_are_found_one_by_one_and_what_is_not_there_is_told() -> None:
    spans, lost = align("Ann and Anna met", {"attendees": ["Anna", "Ann"], "location": "Rome"})
    assert [("Ann and Anna met")[a:b] for a, b in spans["attendees"]] == ["Anna", "Ann"]
    assert lost == ["location"]


def test_nearly_all_values_of_the_calendar_set_are_found() -> None:
    records = read_records([shared("calendar_events") / "train.jsonl"])
    found, lost = examples(records)
    assert len(records) == 673
    assert len(found) >= 668
    assert sum(lost.values()) <= 5


def test_no_template_stands_on_both_sides() -> None:
    learn, held, _ = split([shared("calendar_events") / "train.jsonl"], 0.12)
    kept = held["train"]
    assert 50 < len(kept) < 130
    assert not {template(one) for one in learn} & {template(one) for one in kept}


def test_a_template_knows_neither_values_nor_how_many_names_there_are() -> None:
    one = unmark("[a:Lunch] with [p:Ana] on [d:Monday] for [u:2 hours].")
    other = unmark("[a:Tea] with [p:Bo], [p:Cy] and [p:Di] on [d:3 May 2026] for [u:an hour]")
    third = unmark("[a:Tea] on [d:3 May 2026] with [p:Bo]")
    assert template(one) == template(other) != template(third)
    assert held_out(one, 1.0)
    assert not held_out(one, 0.0)


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


def test_patterns_are_well_marked_and_none_is_measured_with() -> None:
    held = Path(__file__).parents[1] / "benchmarks" / "data" / "spoken_events.txt"
    measured = held.read_text("utf-8").splitlines()
    assert len(patterns()) == len(set(patterns())) > 500
    assert not set(measured) & {one.replace("\n", "\\n") for one in patterns()}
    begun: list[bool] = []
    for marked in (*patterns(), *measured):
        one = unmark(marked.replace("\\n", "\n"))
        assert not set("[]") & set(one.text), marked
        assert all(len(event["action"]) == 1 for event in one.events), marked
        for event in one.events:
            for name, spans in event.items():
                assert len(spans) == 1 or name == "attendees", marked
                begun += [may_begin(name, one.text, start) for start, _ in spans]
    assert begun.count(False) < 0.005 * len(begun)


def test_a_swapped_sentence_is_labelled_as_before() -> None:
    import random

    one = unmark("[a:Plan lunch] on [d:3 May 2026] at [t:9am] with [p:Ana] and [p:Bo] in [l:Rome].")
    others = [swapped(one, random.Random(n)) for n in range(20)]
    assert len({other.text for other in others}) > 10
    assert {template(other) for other in others} == {template(one)}
    nested = unmark("[a:[r:weekly] sync] at [t:9]")
    assert swapped(nested, random.Random(1)) == nested


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
    from dragtor.training.events.batches import Coder
    from dragtor.training.events.llama import read_gguf

    return Coder(read_gguf(path)[1])


def tiny_loop(path: Path, folder: Path, config: LoopConfig) -> Loop:
    from dragtor.training.events.llama import Llama, read_gguf
    from dragtor.training.lora import new_adapter

    shape, _, weights = read_gguf(path)
    adapter = new_adapter(shape, weights, 4, 1, config.seed)
    code = coder(path)
    some = [code.encode(one) for one in made(40, 1)]
    known = [one for one in some if one is not None]
    folder.mkdir(exist_ok=True)
    model = Llama(shape, weights, adapter, 2.0)
    return Loop(model, config, lambda _: known, {"made": known[:8]}, folder)


def test_tokens_are_those_of_llama_cpp(tiny: Path) -> None:
    pytest.importorskip("llama_cpp")
    from dragtor.llm.llama import open_llama
    from dragtor.training.events.llama import read_gguf

    vocabulary = read_gguf(tiny)[1]
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
            for one in writing.readings()
        ]
        assert told == [
            {name: [p.rstrip(",; ") for p in some] for name, some in event.items()}
            for event in phrases(example)
        ]
        read += len(told)
    assert read > 200
    assert dropped <= 6


def test_only_what_is_written_counts_and_entities_by_their_weight(tiny: Path) -> None:
    torch = pytest.importorskip("torch")
    from dragtor.training.events.batches import tensors

    code = coder(tiny)
    one = code.encode(unmark("[a:Tea] at [t:9]"))
    short = code.encode(unmark("ok"))
    ids, places, targets, weights = tensors([one, short], 3.0, torch, "cpu")
    written = list(one.ids[one.prompt :])
    assert targets.tolist() == [*written, code.tags.end]
    assert ids.flatten()[places[1:-1] - 0].tolist()[: len(written) - 1] == written[:-1]
    assert ids[0, places[0]] == code.layout(HEAD + TAIL).ids[-1]
    assert weights.tolist() == [1.0, 3.0, 3.0, 3.0, 1.0, 3.0, 1.0, 1.0]


def test_llama_cpp_with_the_adapter_gives_the_logits_of_torch(tiny: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("llama_cpp")
    from dragtor.llm.llama import open_llama
    from dragtor.training.events.llama import Llama, read_gguf
    from dragtor.training.lora import new_adapter, write_adapter

    shape, vocabulary, weights = read_gguf(tiny)
    adapter = new_adapter(shape, weights, 4, 1, 3)
    for name in adapter:
        if name.endswith("lora_b"):
            adapter[name] = torch.randn(adapter[name].shape) * 0.3
    adapter = {name: value.half().float() for name, value in adapter.items()}
    write_adapter(tmp_path / "a.gguf", shape, adapter, 1.5, "test")
    ids = vocabulary.tokenizer().encode("Lunch with Yves next Fri 1ish at the crag").ids
    logs: dict[str, list[float]] = {}
    for name, low, file in (("plain", {}, None), ("tuned", adapter, tmp_path / "a.gguf")):
        torch_model = Llama(shape, weights, low, 1.5)
        wanted = torch_model.logits(torch_model.states(torch.tensor([ids])))[0, -1]
        model = open_llama(tiny, LLMConfig(context_tokens=256), adapter=file)
        said = [math.log(model.pick(ids, [token])[1]) for token in range(3, 200, 7)]
        model.close()
        logs[name] = wanted.log_softmax(0)[3:200:7].tolist()
        assert said == pytest.approx(logs[name], abs=0.05)
    apart = [abs(one - other) for one, other in zip(logs["plain"], logs["tuned"], strict=True)]
    assert max(apart) > 1


def test_a_run_that_was_cut_off_goes_on_bit_for_bit(tiny: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    config = LoopConfig(epochs=3, batch_tokens=2048, accumulate=2, evaluate_every=3)
    whole = tiny_loop(tiny, tmp_path / "whole", config)
    whole.run()
    for stop in (1, 4, None):
        cut = tiny_loop(tiny, tmp_path / "cut", config)
        cut.run(stop_after=stop)
    assert cut.progress.step == whole.progress.step > 4
    one, other = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "cut")
    )
    for name, value in one["adapter"].items():
        assert torch.equal(value, other["adapter"][name]), name
    states = zip(
        one["optimizer"]["state"].values(), other["optimizer"]["state"].values(), strict=True
    )
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in states)
    assert one["history"] == other["history"]


def test_it_learns_and_stops_when_it_learns_no_more(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    config = LoopConfig(epochs=12, batch_tokens=2048, learning_rate=0.01, evaluate_every=5)
    loop = tiny_loop(tiny, tmp_path / "run", config)
    history = loop.run().history
    assert history[-1]["loss"] < history[0]["loss"] * 0.8
    still = LoopConfig(
        epochs=30, batch_tokens=2048, learning_rate=0.0, evaluate_every=1, patience=3
    )
    assert tiny_loop(tiny, tmp_path / "still", still).run().step == 4


def test_a_run_leaves_adapter_card_curve_and_settings(
    tiny: Path, tmp_path: Path, records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    loop = LoopConfig(epochs=1, evaluate_every=2)
    config = TrainConfig(base=tiny, loop=loop, rank=2, first_layer=0, made=10, validation=0.3)
    trained = train([records], tmp_path / "run", config)
    assert trained.adapter.read_bytes()[:4] == b"GGUF"
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"README.md", "plot.png", "config.json", "metrics.json", "last.gguf"} <= names
    assert "base_model: tiny" in (tmp_path / "run" / "README.md").read_text()
    assert trained.metrics["history"][-1]["step"] == trained.metrics["best_step"] or (
        trained.metrics["best_step"] > 0
    )
    assert "min left" in capsys.readouterr().err
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
