"""Words as sub-words with three kinds of tokenizers, windows that lose nothing, and labels of words
against a search through all sequences and conlleval's reading.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from dragtor.encoder.align import (
    NO_TOKEN,
    check_counts,
    encode_pair,
    encode_words,
    joined,
    pair_window,
    pair_windows,
    plain_tokenizer,
    word_places,
)
from dragtor.encoder.decode import best_labels, label_spans, probabilities, runs
from dragtor.encoder.heads import Head, token_labels
from dragtor.encoder.shapes import LOWER, NONE, TITLE, UPPER, shape_of, token_shapes
from dragtor.errors import UsageError

CORPUS = [
    "Finger strength is trained on small edges, twice a week.",
    "Alex Megos climbed Bibliographie in Céüse; it isn't easy!",
    "The pulley (A2) is hurt by crimping: rest, then load it slowly.",
    "Zürich, Genève and 東京 are places, 1,430 texts are not.",
]
LABELS = token_labels(["x", "y"])


def wordpiece() -> Tokenizer:
    """As BERT's uncased one."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator(
        CORPUS,
        trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False),
    )
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    return made


def byte_pairs() -> Tokenizer:
    """As RoBERTa's: a space belongs to the word after it."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False)
    return made


def sentencepiece() -> Tokenizer:
    """As XLM-RoBERTa's: pieces of a unigram model, ▁ for a space."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>",
        show_progress=False,
    )  # fmt: skip
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 1)],
    )  # fmt: skip
    return made


TOKENIZERS = {
    make.__name__: plain_tokenizer(make()) for make in (wordpiece, byte_pairs, sentencepiece)
}


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return TOKENIZERS[request.param]


def words_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


# Words


@pytest.mark.parametrize("text", CORPUS)
def test_the_first_sub_word_of_every_word_stands_at_its_start(
    tokenizer: Tokenizer, text: str
) -> None:
    words = joined(text.split())[1]
    (window,) = encode_words(text, words, tokenizer, 512)
    assert window.words == tuple(range(len(words)))
    for (start, _), at in zip(words, window.starts, strict=True):
        assert window.offsets[at][0] == start
        assert all(end <= start for _, end in window.offsets[:at])  # and is the first


@pytest.mark.parametrize("text", CORPUS)
def test_words_that_a_tokenizer_cuts_elsewhere_have_no_sub_word_of_others(
    tokenizer: Tokenizer, text: str
) -> None:
    words = words_of(text)  # as in isn|'|t, of which byte pairs make isn|'t
    (window,) = encode_words(text, words, tokenizer, 512)
    starts = {place[0] for place in window.offsets[1:-1] if place[0] < place[1]}
    assert set(window.words) == {n for n, (start, _) in enumerate(words) if start in starts}


@pytest.mark.parametrize("text", CORPUS)
def test_special_tokens_stand_around_and_the_rest_is_as_the_tokenizer_has_it(
    tokenizer: Tokenizer, text: str
) -> None:
    (window,) = encode_words(text, [], tokenizer, 512)
    made = tokenizer.encode(text)
    assert (list(window.ids), list(window.types)) == (made.ids, made.type_ids)
    assert window.offsets[0] == window.offsets[-1] == (0, 0)
    assert window.starts == ()


def test_a_word_that_a_tokenizer_parts_has_one_first_sub_word() -> None:
    text, words = joined(["isn't", "Bibliographie-Céüse"])
    (window,) = encode_words(text, words, TOKENIZERS["wordpiece"], 512)
    assert [window.offsets[at][0] for at in window.starts] == [0, 6]
    assert len(window) > 6


def test_a_word_without_a_token_is_left_to_the_reader(tokenizer: Tokenizer) -> None:
    text, words = joined(["left", "\u200d\u00ad", "right"])
    (window,) = encode_words(text, words, tokenizer, 512)
    assert {0, 2} <= set(window.words)
    at = dict(zip(window.words, window.starts, strict=True))
    assert window.offsets[at[2]][0] == words[2][0]
    assert NO_TOKEN not in window.starts


@pytest.mark.parametrize("name", ["wordpiece", "byte_pairs"])
def test_names_of_special_tokens_in_a_text_are_text(name: str) -> None:
    text = "a [SEP] b </s> c"
    (window,) = encode_words(text, words_of(text), TOKENIZERS[name], 512)
    assert not {window.ids[0], window.ids[-1]} & set(window.ids[1:-1])


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_no_word_begins_in_an_empty_text(tokenizer: Tokenizer, text: str) -> None:
    (window,) = encode_words(text, [], tokenizer, 16)
    assert all(start == end for start, end in window.offsets)
    assert len(window) == tokenizer.num_special_tokens_to_add(False) or text
    assert word_places(text, tokenizer) == []


def test_words_of_a_tokenizer_cover_the_text(tokenizer: Tokenizer) -> None:
    for text in CORPUS:
        places = word_places(text, tokenizer)
        assert places == sorted(places)
        covered = {i for start, end in places for i in range(start, end)}
        assert covered == {i for i, letter in enumerate(text) if not letter.isspace()}


def test_counts_that_differ_name_the_line() -> None:
    with pytest.raises(UsageError, match=r"ner\.conll, line 3: 2 words and 1 labels"):
        check_counts(["a", "b"], ["O"], "ner.conll, line 3")
    check_counts([], [], "here")


# Windows

LETTERS = st.characters(blacklist_categories=["Cs"]) | st.sampled_from("abc ABC.,'- éü東😀\u200d")


@settings(deadline=None, max_examples=150)
@given(
    text=st.text(LETTERS, max_size=120),
    name=st.sampled_from([*TOKENIZERS]),
    max_tokens=st.integers(5, 40),
    overlap=st.integers(0, 8),
)
def test_windows_lose_nothing(text: str, name: str, max_tokens: int, overlap: int) -> None:
    tokenizer, words = TOKENIZERS[name], words_of(text)
    (whole,) = encode_words(text, words, tokenizer, 100_000)
    windows = encode_words(text, words, tokenizer, max_tokens, overlap)
    around = tokenizer.num_special_tokens_to_add(False)
    assert all(around <= len(window) <= max_tokens for window in windows)
    assert all(w.ids[0] == whole.ids[0] and w.ids[-1] == whole.ids[-1] for w in windows)
    own = [list(zip(w.ids, w.offsets, strict=True))[1:-1] for w in windows]
    inside = list(zip(whole.ids, whole.offsets, strict=True))[1:-1]
    for tokens in own:  # each is a stretch of the whole
        assert any(inside[i : i + len(tokens)] == tokens for i in range(len(inside) + 1))
    assert {token for tokens in own for token in tokens} == set(inside)
    assert {word for w in windows for word in w.words} == set(whole.words)
    for window in windows:
        assert list(window.words) == sorted(window.words)
        for word, at in zip(window.words, window.starts, strict=True):
            start, end = window.offsets[at]
            assert words[word][0] <= start < words[word][1]
            assert start < end


def test_windows_begin_between_words_and_overlap(tokenizer: Tokenizer) -> None:
    text = " ".join(CORPUS * 4)
    words = joined(text.split())[1]
    windows = encode_words(text, words, tokenizer, 64, 16)
    assert len(windows) > 4
    assert all(window.starts[0] == 1 for window in windows)
    for before, after in itertools.pairwise(windows):
        assert set(before.words) & set(after.words)


def test_a_word_longer_than_a_window_is_windowed_too(tokenizer: Tokenizer) -> None:
    text = "x" * 300 + " end"
    windows = encode_words(text, [(0, 300), (301, 304)], tokenizer, 8, 2)
    assert windows[0].words[0] == 0
    assert windows[-1].offsets[-2][1] == 304


def test_a_hundred_thousand_words_are_windowed_whole() -> None:
    text, words = joined(["edge"] * 100_000)
    windows = encode_words(text, words, TOKENIZERS["wordpiece"], 512)
    assert [word for window in windows for word in window.words] == list(range(100_000))


def test_of_two_texts_the_longer_one_is_cut(tokenizer: Tokenizer) -> None:
    question, context = "who climbed?", " ".join(CORPUS)
    made = encode_pair(question, context, tokenizer, 64)
    assert len(made) == 64
    own = [place for place in made.offsets if place != (0, 0)]
    assert own[0][0] == 0
    whole = encode_pair(question, "Alex Megos", tokenizer, 64)
    assert len(whole) < 64
    assert whole.offsets[-2][1] == len("Alex Megos")


def test_windows_behind_a_question_look_as_the_tokenizer_makes_pairs(tokenizer: Tokenizer) -> None:
    plain_tokenizer(tokenizer)
    question, text = "who climbed?", " ".join(CORPUS)
    words, (whole,) = pair_windows(question, text, tokenizer, 512, 4)
    made = pair_window(tokenizer.encode(question, text))
    assert words == word_places(text, tokenizer)
    assert (whole.ids, whole.types) == (made.ids, made.types)
    first, *windows = pair_windows(question, text, tokenizer, 40, 4)[1]
    assert len(windows) > 1
    asked = whole.starts[0]
    for window in windows:
        assert len(window) <= 40
        assert window.ids[:asked] == made.ids[:asked]
        assert window.types[:asked] == made.types[:asked]
        assert set(window.types[asked:]) == set(made.types[asked:])
    seen = {word for window in (first, *windows) for word in window.words}
    assert seen == set(range(len(words)))


@pytest.mark.parametrize(
    ("question", "text"), [("", ""), ("who", ""), ("", "who"), (" ", "\udfff")]
)
def test_without_a_word_there_is_one_window(tokenizer: Tokenizer, question: str, text: str) -> None:
    _, windows = pair_windows(question, text, tokenizer, 16, 4)
    assert len(windows) == 1


def test_a_long_question_leaves_half_a_window(tokenizer: Tokenizer) -> None:
    words, windows = pair_windows("edges twice " * 5000, "Alex Megos", tokenizer, 16, 4)
    assert all(len(window) <= 16 for window in windows)
    seen = [place for window in windows for place in window.offsets if place[0] < place[1]]
    assert seen[-1][1] == words[-1][1] == len("Alex Megos")


def test_a_hundred_thousand_words_stand_behind_a_question() -> None:
    text, places = joined(["edge"] * 100_000)
    words, windows = pair_windows("who?", text, TOKENIZERS["wordpiece"], 320, 4)
    assert words == places
    assert {word for window in windows for word in window.words} == set(range(100_000))


# Shapes


def test_every_token_has_the_shape_of_its_word(tokenizer: Tokenizer) -> None:
    text, words = joined(["Megos", "climbed", "NASA"])
    (window,) = encode_words(text, words, tokenizer, 512)
    shapes = token_shapes(text, window.offsets)
    assert len(shapes) == len(window)
    assert (shapes[0], shapes[-1]) == (NONE, NONE)
    assert [shapes[at] for at in window.starts] == [TITLE, LOWER, UPPER]
    assert set(shapes[window.starts[0] : window.starts[1]]) == {TITLE}


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("The NASA2 (Megos)", [(0, 3), (4, 6), (6, 9), (10, 11), (11, 13), (13, 16), (16, 17)]),
        ("Ce\u0301use_X", [(0, 2), (2, 3), (3, 6), (6, 7), (7, 8)]),  # a mark ends a word
        ("aB-Cd", [(0, 1), (1, 4), (4, 5)]),  # a token over two words
    ],
)
def test_a_word_is_a_run_of_letters_and_digits(text: str, offsets: list[tuple[int, int]]) -> None:
    def around(start: int, end: int) -> str:
        while text[start].isalnum() and start and text[start - 1].isalnum():
            start -= 1
        while text[end - 1].isalnum() and end < len(text) and text[end].isalnum():
            end += 1
        return text[start:end]

    assert token_shapes(text, offsets) == [shape_of(around(*place)) for place in offsets]


def test_a_long_text_without_spaces_takes_no_time() -> None:
    text = "攀登者在岩壁上训练" * 11_112
    places = [(at, at + 1) for at in range(len(text))]
    began = time.process_time()
    for at in range(0, len(text), 384):
        assert set(token_shapes(text, places[at : at + 510])) == {LOWER}
    assert time.process_time() - began < 2


# Labels


def valid(labels: Sequence[str]) -> bool:
    pairs = itertools.pairwise(["O", *labels])
    return all(b[0] != "I" or a[1:] == b[1:] for a, b in pairs)


@settings(deadline=None, max_examples=200)
@given(words=st.integers(1, 5), seed=st.integers(0, 10_000), sharp=st.floats(0.1, 4))
def test_the_best_labels_are_the_best_of_all_valid_sequences(
    words: int, seed: int, sharp: float
) -> None:
    logits = np.random.default_rng(seed).normal(0, sharp, (words, len(LABELS)))
    chances = probabilities(logits.astype("f4"))

    def score(path: Sequence[int]) -> float:
        return sum(math.log(max(float(row[i]), 1e-9)) for row, i in zip(chances, path, strict=True))

    every = itertools.product(range(len(LABELS)), repeat=words)
    best = max(map(score, (path for path in every if valid([LABELS[i] for i in path]))))
    found = best_labels(chances, LABELS)
    assert valid([LABELS[i] for i in found])
    assert score(found) == pytest.approx(best, abs=1e-4)


def test_no_words_have_no_labels() -> None:
    assert best_labels(np.zeros((0, 5), "f4"), LABELS) == []
    assert label_spans("", [], np.zeros((0, 5), "f4"), Head("names", "tokens", tuple(LABELS))) == []


def conlleval(labels: Sequence[str]) -> list[tuple[str, int, int]]:
    """Spans by the rules of conlleval.pl, startOfChunk and endOfChunk, written out."""
    spans, begun = [], -1
    before = ("O", "")
    for at, label in enumerate([*labels, "O"]):
        now = (label[0], label[2:])
        if begun >= 0 and (now[0] in "BO" or before[1] != now[1]):
            spans.append((before[1], begun, at))
            begun = -1
        if now[0] == "B" or (now[0] == "I" and (before[0] == "O" or before[1] != now[1])):
            begun = at
        before = now
    return spans


@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_spans_are_read_as_conlleval_reads_them(labels: list[str]) -> None:
    assert runs(labels) == conlleval(labels)


def test_a_span_is_as_likely_as_its_words_and_its_ends() -> None:
    chances = np.array(
        [[0.1, 0.6, 0.2, 0.1, 0.0], [0.2, 0.1, 0.5, 0.1, 0.1], [0.9, 0.1, 0, 0, 0]], "f4"
    )
    head = Head("names", "tokens", tuple(LABELS))
    (span,) = label_spans("Anna Lees is", [(0, 4), (5, 9), (10, 12)], chances, head)
    assert (span.start, span.end, span.label) == (0, 9, "x")
    assert span.probability == pytest.approx(0.6)  # of its least likely word
    chances[2] = [0.6, 0, 0.4, 0, 0]  # and it may go on
    (span,) = label_spans("Anna Lees is", [(0, 4), (5, 9), (10, 12)], chances, head)
    assert span.probability == pytest.approx(0.6 * 0.6)
    surer = replace(head, span_scale=2.0, span_shift=1.0)
    (span,) = label_spans("Anna Lees is", [(0, 4), (5, 9), (10, 12)], chances, surer)
    odds = 2 * math.log(0.36 / 0.64) + 1
    assert span.probability == pytest.approx(1 / (1 + math.exp(-odds)))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("( Anna Lee .", "Anna Lee"), ("Lee.", "Lee"), ("U.S.", "U.S."), ("Acme Inc.", "Acme Inc."),
        ("the U.S .", "the U.S"), ("@ # .", None), ("Yahoo!", "Yahoo"), ("AT&T", "AT&T"),
    ],
)  # fmt: skip
def test_a_span_has_no_signs_at_its_ends(text: str, span: str | None) -> None:
    words = [m.span() for m in re.finditer(r"\w+|[^\w\s]", text)]
    chances = np.full((len(words), 5), 0.02, "f4")
    chances[:, 2] = 0.92
    chances[0, 1], chances[0, 2] = 0.92, 0.02
    found = label_spans(text, words, chances, Head("names", "tokens", tuple(LABELS)))
    assert [text[s.start : s.end] for s in found] == ([span] if span else [])


@given(st.floats(0.2, 5))
def test_a_temperature_changes_how_sure_not_what(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(0, 2, (20, 4)).astype("f4")
    plain, scaled = probabilities(logits), probabilities(logits, temperature)
    assert (plain.argmax(1) == scaled.argmax(1)).all()
    assert scaled.sum(1) == pytest.approx(np.ones(20), abs=1e-5)
