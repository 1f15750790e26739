"""Task files as people have them: every form, what is counted as skipped, and what is refused."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from dragtor.encoder.bio import bio, mapped_tags
from dragtor.encoder.data import (
    TaskData,
    TaskExample,
    coarse_names,
    parse_mapping,
    read_task,
    split_task,
)
from dragtor.errors import UsageError

CONLL = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ O O\n\nPeter NNP O B-PER\n"


def read(tmp_path: Path, content: str | bytes, name: str = "t.csv", **how: Any) -> TaskData:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_task(path, **how)


def classes(data: TaskData) -> list[tuple[str, str]]:
    return [(example.text, example.label) for example in data.examples]


# Texts and pairs


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'text,label\n"good, very",pos\nbad,neg\n'),
        ("t.csv", 'Label , TEXT\npos,"good, very"\nneg,bad\n'),
        ("t.csv", 'id,sentence,category\n1,"good, very",pos\n2,bad,neg\n'),
        ("t.csv", '"good, very",pos\nbad,neg\n'),
        ("t.csv", 'pos,"good, very"\nneg,bad\n'),
        ("t.csv", "text;label\ngood, very;pos\nbad;neg\n"),
        ("t.tsv", "good, very\tpos\nbad\tneg\n"),
        ("t.tsv", "label\ttext\r\npos\tgood, very\r\nneg\tbad\r\n\r\n"),
        ("t.jsonl", '{"text": "good, very", "label": "pos"}\n\n{"label": "neg", "text": "bad"}\n'),
        ("t.json", '[{"Text": "good, very", "Label": "pos"},\n {"text": "bad", "label": "neg"}]'),
        ("t", '{"data": [{"text":"good, very","label":"pos"},{"text":"bad","label":"neg"}]}'),
    ],
)  # fmt: skip
def test_texts_with_a_class(tmp_path: Path, name: str, content: str) -> None:
    data = read(tmp_path, content, name)
    assert (data.kind, data.labels, data.skipped) == ("sentence", ("neg", "pos"), 0)
    assert classes(data) == [("good, very", "pos"), ("bad", "neg")]


def test_the_form_of_sst2(tmp_path: Path) -> None:
    data = read(tmp_path, 'a " stirring film\t1\n"bad " they said\t0\nso it goes\t1\n', "a.b.tsv")
    assert data.name == "a"
    assert classes(data)[:2] == [('a " stirring film', "1"), ('"bad " they said', "0")]


def test_quotes_of_a_writer_of_tsv_are_taken_off(tmp_path: Path) -> None:
    data = read(tmp_path, 'text\tlabel\n"""so"" it"\t1\n"good"\t0\n', "t.tsv")
    assert classes(data) == [('"so" it', "1"), ('"good"', "0")]
    data = read(tmp_path, 'text\tlabel\n"two\tcells"\t1\ngood\t0\n', "t.tsv")
    assert classes(data) == [("two\tcells", "1"), ("good", "0")]


def test_a_text_of_several_lines_keeps_them_and_lines_are_counted(tmp_path: Path) -> None:
    data = read(tmp_path, 'text,label\n"two\nlines",a\nx,b\n')
    assert [(e.text, e.line) for e in data.examples] == [("two\nlines", 2), ("x", 4)]


def test_labels_that_are_numbers(tmp_path: Path) -> None:
    rows = '{"text":"a","label":true}\n{"text":"b","label":0}\n{"text":"c","label":1.5}'
    assert read(tmp_path, rows, "t.jsonl").labels == ("0", "1.5", "true")


@pytest.mark.parametrize(
    "content",
    [
        "a,b,label\nx y,z,0\nu,v w,1\n",
        "premise,hypothesis,label\nx y,z,0\nu,v w,1\n",
        "label\tsentence2\tsentence1\n0\tz\tx y\n1\tv w\tu\n",
        "x y,z,0\nu,v w,1\n",
        '{"evidence": "x y", "claim": "z", "label": 0}\n'
        '{"evidence": "u", "claim": "v w", "label": 1}',
    ],
)
def test_pairs(tmp_path: Path, content: str) -> None:
    data = read(tmp_path, content)
    assert (data.kind, data.labels) == ("pair", ("0", "1"))
    found = [(e.text, e.second, e.label) for e in data.examples]
    assert found == [("x y", "z", "0"), ("u", "v w", "1")]


# Words


def tagged(data: TaskData) -> list[tuple[list[str], tuple[str, ...]]]:
    return [([e.text[a:b] for a, b in e.words], e.tags) for e in data.examples]


@pytest.mark.parametrize(
    "content",
    [
        CONLL,
        CONLL.replace(" ", "\t"),
        CONLL.replace("NNP ", "NNP\t"),
        CONLL.replace("B-", "I-"),  # IOB1
        CONLL.replace("B-", "S-"),
        CONLL.replace("B-", "U-"),
        CONLL.replace("\n", "\r\n"),
        CONLL + "\n \t\n\n",
        "# id = 1\n1\tEU\tB-ORG\t-\t-\n2\trejects\tO\t-\tann\n\n"
        "# text = Peter\n1\tPeter\tB-PER\t-\t-\n",
        "\tO\n\xa0\tO\nEU\tB-ORG\nrejects\tO\n\t\nPeter\tB-PER\n",
        '{"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}\n'
        '{"words": ["Peter"], "ner_tags": ["B-PER"]}',
        '{"text": "EU rejects", "spans": [{"start": 0, "end": 2, "label": "ORG"}]}\n'
        '{"text": "Peter", "label": [[0, 5, "PER"]]}',
    ],
)  # fmt: skip
def test_words_with_labels(tmp_path: Path, content: str) -> None:
    data = read(tmp_path, content, "t.txt")
    assert data.kind == "tokens"
    assert data.labels == ("O", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert tagged(data) == [(["EU", "rejects"], ("B-ORG", "O")), (["Peter"], ("B-PER",))]


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("O I-A I-A", "O B-A I-A"),
        ("B-A I-A I-B B-B", "B-A I-A B-B B-B"),
        ("I-A B-A", "B-A B-A"),
        ("B-A M-A E-A S-A I-A", "B-A I-A I-A B-A B-A"),
        ("B-A I-A L-A U-A", "B-A I-A I-A B-A"),
        ("E-A I-A O L-B", "B-A B-A O B-B"),
        ("B I O", "B-entity I-entity O"),
        ("B-a b I-a b", "B-a b"),
    ],
)
def test_schemes_become_bio(tags: str, wanted: str) -> None:
    if wanted == "B-a b":  # names may hold spaces
        assert bio(["B-a b", "I-a b"], "here") == ["B-a b", "I-a b"]
    else:
        assert bio(tags.split(), "here") == wanted.split()


def test_words_may_hold_spaces_and_be_marks(tmp_path: Path) -> None:
    data = read(tmp_path, "u R\tO\n#\tO\n{\tO\n\u2028\tB-X\n# tag\tB-X\n", "t.tsv")
    assert tagged(data) == [(["u R", "#", "{", "# tag"], ("O", "O", "O", "B-X"))]


def test_of_marked_spans_that_overlap_the_longest_counts(tmp_path: Path) -> None:
    row = '{"text": "the New York Times", "entities": [[4,12,"LOC"], [4,18,"ORG"], [0,3,"DET"]]}'
    assert tagged(read(tmp_path, row, "t.jsonl")) == [
        (["the", "New", "York", "Times"], ("B-DET", "B-ORG", "I-ORG", "I-ORG"))
    ]


# Questions


def test_questions_in_every_layout(tmp_path: Path) -> None:
    whole = (
        '{"version": "v2", "data": [{"title": "t", "paragraphs": ['
        '{"context": "a cat, a cat", "qas": ['
        '{"id": 1, "question": "who?", "answers": [{"text": "cat", "answer_start": 9}]},'
        '{"id": 2, "question": "why?", "is_impossible": true, "answers": [],'
        ' "plausible_answers": [{"text": "cat", "answer_start": 2}]}]}]}]}'
    )
    rows = (
        '{"context": "a cat, a cat", "question": "who?",'
        ' "answers": {"text": ["cat", "cat"], "answer_start": [9, 9]}}\n'
        '{"context": "a cat, a cat", "question": "why?", "answers": [], "is_impossible": true}'
    )
    for content in (whole, rows):
        data = read(tmp_path, content, "t.json")
        assert (data.kind, data.labels) == ("span", ())
        found = [(e.second, e.answers) for e in data.examples]
        assert found == [("who?", ((9, 12),)), ("why?", ())]


def test_an_answer_is_found_where_its_start_is_wrong_or_absent(tmp_path: Path) -> None:
    rows = (
        '{"context": "a cat, a cat", "question": "?",'
        ' "answers": [{"text": "cat", "answer_start": 8}]}\n'
        '{"context": "a cat, a cat", "question": "?", "answer": "cat"}\n'
        '{"context": "a cat", "question": "?", "answer": ""}\n'
        '{"context": "", "question": "?", "answer": "cat"}'
    )
    data = read(tmp_path, rows, "t.jsonl")
    assert [e.answers for e in data.examples] == [((9, 12),), ((2, 5),), ()]
    assert data.skipped == 1


# Bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("pack", [bytes, lzma.compress, gzip.compress])
def test_encodings_and_packed_files(tmp_path: Path, encoding: str, pack: Any) -> None:
    text = "text,label\nthe café in Zürich,1\nanother café near Genève,0\n"
    data = read(tmp_path, pack(text.encode(encoding)), "t.csv.xz")
    assert classes(data) == [("the café in Zürich", "1"), ("another café near Genève", "0")]


def test_emoji_and_long_texts_are_texts_and_nothing_is_cut(tmp_path: Path) -> None:
    long = "word " * 100_000
    data = read(tmp_path, f"text,label\n😀😀,1\n{long},0\n,0\n  ,1\n")
    assert [len(e.text) for e in data.examples] == [2, 499_999]
    assert data.skipped == 2
    words = read(tmp_path, "😀\tB-X\n" * 100_000, "t.conll")
    assert len(words.examples[0].words) == 100_000


# Labels


def test_labels_are_mapped_in_any_case(tmp_path: Path) -> None:
    mapping = parse_mapping("org=organisation, B-Per = B-person,misc=O")
    content = "EU\tB-ORG\nand\tO\nBob\tB-PER\nLee\tI-PER\nX\tB-MISC\nY\tB-LOC\n"
    data = read(tmp_path, content, "t.conll", mapping=mapping)
    assert data.examples[0].tags == ("B-organisation", "O", "B-person", "I-person", "O", "B-LOC")
    assert data.labels[1::2] == ("B-LOC", "B-organisation", "B-person")
    assert mapped_tags(["B-a", "I-a"], {"a": ""}) == ["O", "O"]


def test_a_class_that_is_mapped_to_nothing_is_skipped(tmp_path: Path) -> None:
    data = read(tmp_path, "text,label\na,1\nb,2\nc,3\n", mapping={"1": "low", "2": "high", "3": ""})
    assert (classes(data), data.skipped) == ([("a", "low"), ("b", "high")], 1)


@pytest.mark.parametrize("text", ["a", "=b", "a=b,a=c"])
def test_a_mapping_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        parse_mapping(text)
    assert coarse_names({"B-X": "O"}) == {"x": ""}


@pytest.mark.parametrize(
    ("content", "how", "told"),
    [
        ("", {}, r"t\.x is empty"),
        (" \n\n", {}, r"t\.x is empty"),
        ("text,label\n", {}, r"holds no example"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", {}, "is no text"),
        (b"text,label\na,1\nb\0,2\n", {}, "line 3: zero bytes"),
        ("text,label\ncafé,1\n".encode() + "café,2\n".encode("cp1252"), {}, "line 3: not UTF-8"),
        (b"\xfd7zXZ123", {}, "cannot read"),
        (b"\x1f\x8b123", {}, "cannot read"),
        ("text,label\na,\nb,2\n", {}, "line 2: no label"),
        ("text,label\n,1\n,2\n", {}, "every text is empty"),
        ("text,label\na,1\nb,1\n", {}, "one class only: '1'"),
        ("a,1\nb,1\n", {}, "one class only: '1'"),
        ("text,stars\na,1\nb,2\n", {}, "line 2: no column label"),
        ("words,stars\na,1\nb,2\na,2\nc,1\n", {}, "line 1: no columns text and label among w"),
        ("one column\n", {}, "line 1: 1 column and no header"),
        ("1,2,3,4\n", {}, "line 1: 4 columns and no header"),
        ('text,label\na,1\n"b" c",2\n', {}, "line 3: its quotes are broken"),
        ('text,label\n"a,1\nb,2\n', {}, "line 2: its quotes are broken"),
        ("text,label\nwell, yes,1\n", {}, "line 2: 3 columns where the first line has 2"),
        ('{"text": "a", "label": 1}\n{"text": ', {}, "line 2: no JSON"),
        ('{"text": "a", "label": 1}\n7', {}, "line 2: no JSON object"),
        ('{"text": "a", "label": 1}\n{"txt": "a", "label": 2}', {}, "line 2: no column text"),
        ('{"text": "a", "label": 1}\n{"text": 3, "label": 2}', {}, "line 2: its text is no text"),
        ('{"text": "a", "label": null}', {}, "line 1: no label"),
        ('{"x": "a"}', {}, "line 1: missing columns; it has x"),
        ("EU\tB-ORG\nrejects\n", {}, "line 2: one word and no label: 'rejects'"),
        ("EU\tB-ORG\nx\tO\ny\tPER\n", {}, "line 3: 'PER' is no BIO label"),
        ("EU\tO\nx\tO\n", {"kind": "tokens"}, "every word is labelled O"),
        ('{"tokens": ["a", "b"], "tags": ["O"]}', {}, "line 1: 2 words and 1 labels"),
        ('{"tokens": ["a"], "tags": [0]}', {}, "line 1: words and labels are no lists of texts"),
        ('{"text": "abc", "spans": [[2, 9, "X"]]}', {}, r"line 1: \[2, 9, 'X'\] is no span"),
        ('{"context": "a", "question": "b", "answers": ["c"]}', {}, "does not hold 'c'"),
        ('{"context": "a", "question": "b", "answers": []}', {}, "no question has an answer"),
        ('{"context": "a", "question": "b"}', {}, "line 1: no column answers"),
        (CONLL, {"kind": "sentence"}, "is a task of kind tokens, not sentence"),
        ("text,label\na,1\nb,2\n", {"kind": "pair"}, "is a task of kind sentence, not pair"),
        ("text,label\na,1\nb,2\n", {"kind": "tokens"}, "no words with BIO labels"),
        (CONLL, {"kind": "words"}, "unknown kind of task: 'words'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, content: str | bytes, how: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        read(tmp_path, content, "t.x", **how)
    assert "\n" not in f"{caught.value}{caught.value.hint}"
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_task(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="Is a directory"):
        read_task(tmp_path)


# Splits


def task(*labelled: tuple[str, str]) -> TaskData:
    examples = tuple(TaskExample(text, label=label) for text, label in labelled)
    return TaskData("t", "sentence", ("a", "b"), examples, Path("t.csv"))


def test_a_split_is_the_same_in_any_order_and_keeps_texts_together() -> None:
    rows = [(f"text {n % 400}", "ab"[n % 2]) for n in range(1000)]
    train, held = split_task(task(*rows), 0.1, seed=1)
    assert len(train.examples) + len(held.examples) == 1000
    assert 95 <= len(held.examples) <= 105
    texts = {e.text for e in held.examples}
    assert not texts & {e.text for e in train.examples}
    assert {e.text for e in split_task(task(*rows[::-1]), 0.1, seed=1)[1].examples} == texts
    assert {e.text for e in split_task(task(*rows), 0.1, seed=2)[1].examples} != texts


@pytest.mark.parametrize("seed", range(20))
def test_the_last_of_a_class_stays_in_training(seed: int) -> None:
    train, held = split_task(task(*[(f"t{n}", "a") for n in range(9)], ("last", "b")), 0.5, seed)
    assert "b" in {e.label for e in train.examples}
    assert len(held.examples) == 5
    assert split_task(task(("x", "a"), ("y", "b")), 0.5)[1].examples == ()


def test_no_share_holds_nothing_out() -> None:
    assert split_task(task(("x", "a"), ("y", "b"), ("z", "a")), 0)[1].examples == ()


# Files of others


@pytest.mark.parametrize(
    ("file", "sentences", "names"),
    [
        ("conll2003/test.txt", 3453, 4),
        ("entities/uner_ewt/en_ewt-ud-test.iob2.xz", 2077, 3),
        ("entities/ner_mixed/GUM__test__gum-test.conll.xz", 1000, 11),
        ("entities/ner_mixed/BTC__h.conll.xz", 2000, 3),
        ("entities/ner_mixed/SEC-filings__test__FIN3.txt.xz", 303, 4),
        ("entities/ner_mixed/wikigold__wikigold.conll.txt.xz", 1696, 4),
        ("entities/bio_ner/NCBI-disease-IOB_test.tsv.xz", 940, 1),
    ],
)
def test_entity_sets_are_read_whole(file: str, sentences: int, names: int) -> None:
    path = shared(file)
    data = read_task(path)
    assert (len(data.examples), len(data.labels) // 2) == (sentences, names)
    assert all(len(e.words) == len(e.tags) for e in data.examples)


def test_sst2_and_squad_are_read_whole() -> None:
    assert len(read_task(shared("sst2/test.tsv")).examples) == 1821
    data = read_task(shared("reading/squad2/answerable_or_not.jsonl.xz"))
    assert (data.kind, len(data.examples)) == ("span", 8943)
    assert sum(not e.answers for e in data.examples) == 4509
