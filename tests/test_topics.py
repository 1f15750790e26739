"""Topics by example: which topic, how certain, none; and from a library's stored vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import HashingEmbedder, ListTagger
from numpy.typing import NDArray

from dragtor.config import load_config
from dragtor.entities.topic_tags import DOCUMENTS_AT_ONCE, topic_tags, topic_version
from dragtor.entities.topics import TOPIC_PROBABILITY, Prototypes
from dragtor.errors import Cancelled, UsageError
from dragtor.library import Library
from dragtor.store import Filters, Indexed, Store, Writer
from dragtor.types import CancelToken, Document, LabelledSpan, Passage, Source, short_hash

Vectors = NDArray[np.float32]
TOPICS = {
    "training": ("hangboard repeaters and max hangs build strength", "max hangs build strength"),
    "injury": ("a pulley strain of the finger heals", "the pulley injury heals by rest"),
}
TEXTS = {
    "training.md": "Repeaters and max hangs build strength on a hangboard.",
    "injury.md": "A pulley strain heals slowly, rest the injury.",
    "cake.md": "Flour, butter, sugar and six eggs make a sponge.",
    "tax.md": "The invoice was due on the last day of March.",
    "train.md": "Trains to Lyon leave at noon from platform four.",
    "bees.md": "Bees dance where nectar was found this morning.",
}


def cloud(rng: np.random.Generator, at: int, n: int) -> Vectors:
    """Unit vectors about one axis, over what all of them share."""
    rows = 0.3 * rng.standard_normal((n, 64)) / np.sqrt(64)
    rows[:, at] += 0.5
    rows[:, 63] += 1.0
    found: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


@pytest.fixture
def clouds() -> tuple[Prototypes, list[Vectors]]:
    """Topics a and b, known by five examples, in a library of ten clouds."""
    rng = np.random.default_rng(7)
    library = [cloud(rng, at, 50) for at in range(10)]
    examples = {"a": library[0][:5], "b": library[1][:5]}
    return Prototypes.of(examples, np.concatenate(library)), library


def test_passages_get_the_topic_of_their_examples_and_the_others_none(
    clouds: tuple[Prototypes, list[Vectors]],
) -> None:
    prototypes, library = clouds
    assert {name for name, _ in prototypes.assign(library[0][5:])} == {"a"}
    assert {name for name, _ in prototypes.assign(library[1][5:])} == {"b"}
    assert {name for name, _ in prototypes.assign(np.concatenate(library[2:]))} == {""}


def test_probabilities_are_of_the_outcome_that_is_given(
    clouds: tuple[Prototypes, list[Vectors]],
) -> None:
    prototypes, library = clouds
    vectors = np.concatenate(library)
    of_topics = prototypes.probabilities(vectors)
    assert of_topics.shape == (500, 2)
    assert (of_topics > 0).all()
    assert (of_topics.sum(axis=1) < 1).all()
    for (name, probability), row in zip(prototypes.assign(vectors), of_topics, strict=True):
        if name:
            assert probability == pytest.approx(row["ab".index(name)])
            assert probability >= TOPIC_PROBABILITY
        else:
            assert probability == pytest.approx(1 - row.sum(), abs=1e-6)
            assert row.max() < TOPIC_PROBABILITY


def test_more_examples_make_it_more_certain(clouds: tuple[Prototypes, list[Vectors]]) -> None:
    _, library = clouds
    whole = np.concatenate(library)
    certain = [
        Prototypes.of({"a": library[0][:n]}, whole).probabilities(library[0][20:]).mean()
        for n in (1, 3, 20)
    ]
    assert certain == sorted(certain)


def test_topics_of_an_empty_library_and_of_one_passage_are_numbers() -> None:
    rng = np.random.default_rng(7)
    one = cloud(rng, 0, 1)
    for library in (np.zeros((0, 64), np.float32), one):
        prototypes = Prototypes.of({"a": one}, library)
        assert np.isfinite(prototypes.probabilities(cloud(rng, 1, 3))).all()
        assert prototypes.assign(np.zeros((0, 64), np.float32)) == []


# From a library


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One passage a document, by the hashing embedder."""
    embedder = HashingEmbedder()
    with Writer.open(tmp_path / "topics") as writer:
        writer.put_source(Source("s1", "/notes", "file", "notes"))
        writer.check(embedder.fingerprint, "v1")
        for name, text in TEXTS.items():
            doc = Document(short_hash(name), name, "file", name, text)
            writer.put_pending("s1", doc.uri, "", doc)
            item = Indexed(doc, [Passage.of(doc, 0, len(text))], [short_hash(text)])
            writer.put_vectors(item.keys, embedder.embed_passages([text]), embedder.fingerprint)
            writer.publish([item])
    return tmp_path / "topics"


def tags(folder: Path, topics: dict[str, tuple[str, ...]]) -> dict[str, list[LabelledSpan]]:
    with Store.open(folder) as store:
        found: dict[str, list[LabelledSpan]] = {}
        for part in topic_tags(store, HashingEmbedder(), topics):
            found |= part
    return found


def test_a_library_is_tagged_without_embedding_a_passage(library: Path) -> None:
    embedder = HashingEmbedder()
    with Store.open(library) as store:
        (found,) = topic_tags(store, embedder, TOPICS)
    assert embedder.embedded == 0
    assert found.keys() == {short_hash(name) for name in TEXTS}
    labels = {name: [span.label for span in found[short_hash(name)]] for name in TEXTS}
    tagged = {"training.md": ["training"], "injury.md": ["injury"]}
    assert labels == {name: tagged.get(name, []) for name in TEXTS}
    (span,) = found[short_hash("injury.md")]
    assert (span.start, span.end) == (0, len(TEXTS["injury.md"]))
    assert TOPIC_PROBABILITY <= span.probability <= 1


def test_without_topics_every_document_has_none(library: Path) -> None:
    assert tags(library, {}) == {short_hash(name): [] for name in TEXTS}


def test_only_the_named_documents_are_tagged(library: Path) -> None:
    wanted = [short_hash("injury.md"), "gone"]
    with Store.open(library) as store:
        (found,) = topic_tags(store, HashingEmbedder(), TOPICS, wanted)
    assert [*found] == wanted
    assert [len(spans) for spans in found.values()] == [1, 0]


def test_documents_come_in_blocks_and_tagging_can_be_stopped(library: Path) -> None:
    cancel = CancelToken()
    with Store.open(library) as store:
        many = [short_hash("tax.md")] * (DOCUMENTS_AT_ONCE + 1)
        blocks = topic_tags(store, HashingEmbedder(), TOPICS, many, cancel)
        next(blocks)
        cancel.cancel()
        with pytest.raises(Cancelled):
            next(blocks)


def test_the_version_follows_labels_examples_and_encoder() -> None:
    versions = {
        topic_version(topics, fingerprint)
        for topics in (TOPICS, {}, {"training": ()}, {"training": ("injury",)},
                       {"training": (), "injury": ()})
        for fingerprint in ("one", "two")
    }  # fmt: skip
    assert len(versions) == 10
    assert topic_version(TOPICS, "one") == topic_version(dict(TOPICS), "one")


# Settings


def test_topics_are_read_from_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text("topics:\n  training: [hangboard, max hangs]\n  injury: a strain\n  food:\n")
    assert load_config(path).topics == {
        "training": ("hangboard", "max hangs"), "injury": ("a strain",), "food": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("topics: [training]", "setting topics must hold labels with examples, not"),
        ("topics: {1: [a]}", "setting topics: a label must be text, not 1"),
        ("topics: {' ': [a]}", "setting topics: a label must be text, not ' '"),
        ("topics: {training: 3}", "setting topics.training must be a list of texts, not 3"),
        ("topics: {training: 0}", "setting topics.training must be a list of texts, not 0"),
        ("topics: {training: [3]}", "setting topics.training must be a list of texts, not"),
        ("topics: {training: ['']}", "setting topics.training holds an example without text"),
    ],
)
def test_wrong_topics_are_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "own.yml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_config(path)
    assert words in str(caught.value)


def test_index_gives_topics_and_search_is_narrowed_to_one(tmp_path: Path) -> None:
    """Through the library: from vectors that are there, again where an example is added."""
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, "utf-8")
    cakes = ["a recipe for a sponge: flour, butter, sugar, six eggs", "bake the cake with butter"]
    settings = load_config(overrides={"topics": {"baking": cakes}})
    with Library(tmp_path / "library", config=settings) as library:
        library.__dict__["tagger"] = ListTagger({"Lyon": "place"})
        library.add(*[tmp_path / name for name in TEXTS])
        library.index(tags=True)
        found = library.search("how long", filters=Filters(topic="baking"))
        assert {hit.title for hit in found} == {"cake"}
        assert [(e.kind, e.name) for e in library.tags("topic")] == [("topic", "baking")]


def test_topics_count_and_keep_the_spelling_of_the_settings(tmp_path: Path) -> None:
    """Added, respelt, taken away: each run says of how many documents it wrote the tags."""
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, "utf-8")

    def run(topics: dict[str, list[str]]) -> tuple[int, list[str]]:
        with Library(
            tmp_path / "library", config=load_config(overrides={"topics": topics})
        ) as library:
            library.__dict__["embedder"] = HashingEmbedder()
            library.__dict__["tagger"] = ListTagger({"Lyon": "place"})
            library.add(*[tmp_path / name for name in TEXTS])
            return library.index(tags=True).tagged, [e.name for e in library.tags("topic")]

    examples = [*TOPICS["training"]]
    assert run({"training": examples}) == (len(TEXTS), ["training"])  # once, with their names
    assert run({"training": examples}) == (0, ["training"])
    assert run({"Training": examples}) == (len(TEXTS), ["Training"])
    assert run({}) == (len(TEXTS), [])
    assert run({}) == (0, [])
