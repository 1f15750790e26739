"""Splitting: nothing is lost, nothing is over the limit, cuts stand where sentences end."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT, shared
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dragtor.config import SplitConfig
from dragtor.errors import UsageError
from dragtor.split import STRATEGIES, TokenOffsets, sentences, split
from dragtor.types import Document, Passage

HEADING = re.compile(r"^#{1,6}[ \t]+\S.{0,199}$", re.M)


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


@functools.cache
def gte() -> TokenOffsets:
    path = ROOT / "models" / "gte-small" / "tokenizer.json"
    if not path.exists():
        pytest.skip("the tokenizer of gte-small is not pulled")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: tokenizer.encode(text, add_special_tokens=False).offsets


def letters(texts: Sequence[str]) -> np.ndarray:
    """An embedder that puts texts of the same letters together."""
    rows = np.array([[text.count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
    rows = rows + 1e-6
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def document(text: str) -> Document:
    return Document("doc", "file:///doc", "file", "Title", text)


def cut(
    text: str, offsets: TokenOffsets = words, max_tokens: int = 512, **options
) -> list[Passage]:
    config = SplitConfig(**{"tokens": 12, "overlap_tokens": 4, **options})
    return split(document(text), config, offsets, max_tokens=max_tokens, embed=letters)


def check(text: str, passages: list[Passage], offsets: TokenOffsets, limit: int) -> None:
    spans = [(p.start, p.end) for p in passages]
    assert spans == sorted(set(spans))
    covered = bytearray(len(text))
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        assert passage.text
        assert passage.text == passage.text.strip()
        assert len(offsets(passage.text)) <= limit
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
    for match in HEADING.finditer(text):
        title = match[0].lstrip("#").rstrip("# \t").strip()
        carried = any(title in p.heading for p in passages)
        last = match.start() + len(match[0].rstrip()) - 1  # white space is in no passage
        assert carried or covered[last]
        covered[match.start() : match.end()] = b"\1" * len(match[0])
    lost = [i for i, seen in enumerate(covered) if not seen and not text[i].isspace()]
    assert not lost, (lost[:5], text[max(0, lost[0] - 20) : lost[0] + 20])


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["\n\n", "\n", " ", ". ", "! ", "# Head\n", "\n## Sub\n", "\n- ", " | ", "e.g. ", "1. "]
        ),
        st.text(alphabet="abcdeA \n.#|", max_size=40),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
        st.integers(1, 3).map(lambda n: "longword" * 30 * n),
    ),
    max_size=30,
).map("".join)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, tokens=st.integers(1, 40), overlap=st.integers(0, 39), limit=st.integers(1, 50))
def test_nothing_is_lost_and_nothing_too_long(
    strategy: str, text: str, tokens: int, overlap: int, limit: int
) -> None:
    overlap = min(overlap, tokens - 1)
    options = {"strategy": strategy, "tokens": tokens, "overlap_tokens": overlap}
    check(text, cut(text, max_tokens=limit, **options), words, limit)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_real_tokenizer_is_never_exceeded(strategy: str) -> None:
    offsets = gte()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=TEXTS, tokens=st.integers(5, 40))
    @example(text="# A ", tokens=5)  # a lone heading, and white space after it
    def run(text: str, tokens: int) -> None:
        options = {"strategy": strategy, "tokens": tokens, "overlap_tokens": 3}
        passages = cut(text, offsets, 24, **options)
        long = [p for p in passages if len(offsets(p.text)) > 24 and len(p.text) > 1]
        assert not long
        check(text, passages, lambda t: offsets(t)[:24], 24)

    run()


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_naughty_strings(strategy: str) -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    assert len(strings) == 515
    for text in [*strings, "\n\n".join(strings), " ".join(strings)]:
        check(text, cut(text, strategy=strategy, max_tokens=20), words, 20)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("text", ["x" * 300_000, "word " * 60_000, "a. " * 60_000, "| " * 60_000])
def test_endless_lines(strategy: str, text: str) -> None:
    passages = cut(text, strategy=strategy)
    check(text, passages, words, 12)
    assert max(len(passage.text) for passage in passages) <= 12 * 16


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("text", ["", " ", "\n\n \n", "\t"])
def test_blank_documents_have_no_passages(strategy: str, text: str) -> None:
    assert cut(text, strategy=strategy) == []


def test_the_document_is_tokenized_once() -> None:
    calls: list[int] = []

    def counting(text: str) -> list[tuple[int, int]]:
        calls.append(len(text))
        return words(text)

    text = "\n\n".join(f"Paragraph {n} says this. And that, too." for n in range(500))
    cut(text, counting)
    assert calls == [len(text)]


def test_passages_end_with_sentences_and_overlap_by_whole_ones() -> None:
    text = " ".join(f"Sentence number {n} is here." for n in range(9))
    passages = cut(text, tokens=15, overlap_tokens=5)
    assert [p.text.count(".") for p in passages] == [3, 3, 3, 3]
    for before, after in pairwise(passages):
        assert text[after.start : before.end].count(".") == 1
    assert len(cut(text, tokens=15, overlap_tokens=0)) == 3


def test_a_paragraph_that_does_not_fit_opens_a_passage() -> None:
    first, second = "One two three four five six seven. Eight.", "A b c. D e f. G h i. J k l."
    passages = cut(f"{first}\n\n{second}", overlap_tokens=0)
    assert [p.text for p in passages] == [first, second]


def test_headings_are_the_path_and_no_text() -> None:
    text = (
        "Before.\n\n# Fingers\n\n## Pulleys #\nRest first.\n\n### Taping\nTape helps.\n\n"
        "## Tendons\nLoad them.\n\n# Empty\n# Shoulders\nHang.\n\n## Last"
    )
    assert [(p.heading, p.text) for p in cut(text)] == [
        ("", "Before."),
        ("Fingers > Pulleys", "Rest first."),
        ("Fingers > Pulleys > Taping", "Tape helps."),
        ("Fingers > Tendons", "Load them."),
        ("", "Empty"),
        ("Shoulders", "Hang."),
        ("Shoulders", "Last"),
    ]


def test_what_only_looks_like_a_heading_stays_text() -> None:
    text = "#hashtag one\n\n####### seven\n\n    # code\n\n# " + "long " * 60
    assert {p.heading for p in cut(text)} == {""}
    check(text, cut(text), words, 12)


def test_paragraph_strategy() -> None:
    text = "Tiny.\n\nThis one has six words here.\n\nAnother one with six words here.\n\n" + (
        "Long one goes on. " * 8
    )
    texts = [p.text for p in cut(text, strategy="paragraph", overlap_tokens=0)]
    assert texts[0] == "Tiny.\n\nThis one has six words here."
    assert texts[1] == "Another one with six words here."
    assert [len(t.split()) for t in texts[2:]] == [12, 12, 8]


def test_semantic_breaks_where_the_subject_changes() -> None:
    text = "Aaa aa aaa. Aa aaa aa. Aaa aaa aa. Zz zzz zz. Zzz zz zz. Zz zzz zzz."
    passages = cut(text, strategy="semantic", tokens=24, semantic_percentile=80)
    assert [p.text for p in passages] == [
        "Aaa aa aaa. Aa aaa aa. Aaa aaa aa.",
        "Zz zzz zz. Zzz zz zz. Zz zzz zzz.",
    ]


def test_semantic_embeds_each_sentence_once_and_needs_an_embedder() -> None:
    seen: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        seen.extend(texts)
        return letters(texts)

    config = SplitConfig(strategy="semantic")
    split(document("One a. Two b.\n\n# H\n\nThree c."), config, words, max_tokens=99, embed=embed)
    assert seen == ["One a.", "Two b.", "Three c."]
    with pytest.raises(UsageError, match="needs an embedder"):
        split(document("One."), config, words, max_tokens=99)


def test_token_windows_share_the_overlap() -> None:
    text = " ".join(str(n) for n in range(100, 150))
    passages = cut(text, strategy="tokens", tokens=10, overlap_tokens=3)
    assert {len(p.text.split()) for p in passages[:-1]} == {10}
    for before, after in pairwise(passages):
        assert len(text[after.start : before.end].split()) == 3


def test_wrong_settings() -> None:
    with pytest.raises(UsageError, match=r"unknown split\.strategy 'magic'") as error:
        cut("Text.", strategy="magic")
    assert "recursive" in error.value.hint
    for options in ({"tokens": 0}, {"tokens": 5, "overlap_tokens": 5}, {"overlap_tokens": -1}):
        with pytest.raises(UsageError):
            cut("Text.", **options)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Dr. Roth et al. (2019) saw it, see Fig. 3. Use 1.5 mg (e.g. daily).", 2),
        ('"It hurts," she said. \'Really?\' he asked. (He did.) "Stop." Next.', 5),
        ("At 5 p.m. we left. We met J. K. Rowling. The U.S. team won.", 3),
        ("Take vitamin C. It helps. See Vol. 2, No. 3. That is no. Yes!", 5),
        ("First claim [1]. Second one. [2, 3] Third.[4] Fourth", 4),
        ("No way... Yes. What?! And so on… More.", 5),
        ("今日は。元気ですか？「行く。」彼は言った。", 4),
        ("Hard wrapped\nline. Goes\non.\n\nNo end\n\n- item one\n- item two\n1. First. Of all", 7),
        ("name | cm\nA2 | 3\nA4 | 2", 3),
        ("It is common (3) (4) in China. Visit www.x.org. End. Mail a.b@c.de now.", 4),
    ],
)
def test_sentences(text: str, parts: int) -> None:
    found = [text[start:end] for start, end in sentences(text)]
    assert len(found) == parts, found
    assert "".join("".join(found).split()) == "".join(text.split())


def test_sentences_of_a_stretch() -> None:
    text = "One. Two. Three. Four."
    assert [text[a:b] for a, b in sentences(text, 5, 16)] == ["Two.", "Three."]
    assert sentences("") == sentences(" \n ") == []


@pytest.mark.parametrize(
    "unit", [".", '."', "e.g. ", ". ", "\n ", "\n- ", "\n | ", ".[1]", "# ", "。"]
)
def test_nasty_text_takes_time_in_proportion(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    found = sentences(text)
    assert sum(end - start for start, end in found) <= len(text)
    check(text, cut(text), words, 12)


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Rest", "Days > Off"), ("Re", "Rest > Days > Off"), ("", "Rest > Days > Off")],
)
def test_the_title_is_not_repeated_in_the_heading_path(title: str, expected: str) -> None:
    text = "# Rest\n\n## Days\n\n### Off\n\nSleep long."
    whole = Document("d", "file:///d", "file", title, text)
    (passage,) = split(whole, SplitConfig(), words, max_tokens=200)
    assert passage.heading == expected
