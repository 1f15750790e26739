"""A cold `dragtor search` over made-up passages, beside the barest script that does the same.

The bare script opens the same Chroma folder with chromadb's public client and embeds with the
same model through onnxruntime. Both are whole processes, run in turn.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import Shown

QUERY = "how long to rest after a finger pulley injury"
BARE = """
import sys
import chromadb, numpy as np, onnxruntime
from tokenizers import Tokenizer
model, index, name, query = sys.argv[1:]
tokens = Tokenizer.from_file(model + "/tokenizer.json").encode(query)
ids = np.array([tokens.ids]); mask = np.ones_like(ids)
session = onnxruntime.InferenceSession(model + "/model.int8.onnx")
feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
names = {i.name for i in session.get_inputs()}
states = session.run(None, {k: v for k, v in feed.items() if k in names})[0][0]
vector = states.mean(0); vector /= np.linalg.norm(vector)
client = chromadb.PersistentClient(index, chromadb.Settings(anonymized_telemetry=False))
found = client.get_collection(name, embedding_function=None).query(vector[None], n_results=8)
print(found["ids"][0][0])
"""


def build(library: Path, passages: int) -> None:
    """A library of one-passage documents made of shuffled sentences."""
    from dragtor import Library
    from dragtor.types import Document, Source, short_hash

    samples = Path(__file__).resolve().parents[2] / "assets" / "sample_library"
    text = " ".join(p.read_text("utf-8") for p in sorted(samples.glob("*.md")))
    words, draw = text.split(), random.Random(7)
    source = Source("bench", "bench", "corpus", "bench")
    with Library(library, reporter=Shown(1000)) as lib, lib.ingest() as ingest:
        ingest.writer.put_source(source)
        for number in range(passages):
            at = draw.randrange(len(words) - 60)
            body = " ".join(draw.sample(words[at : at + 60], 60)) + f" {number}."
            uri = f"bench:{number}"
            document = Document(short_hash(uri), uri, "file", f"Note {number}", body)
            ingest.writer.put_pending(source.id, uri, "", document)
        ingest.index()
        print(ingest.writer.store.counts())


def seconds(line: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def compare(library: Path, rounds: int) -> dict[str, float]:
    from dragtor.config import load_config, models_path
    from dragtor.store import Store

    with Store.open(library) as store:
        count = store.counts()["passages"]
        folder, name = store.index_place(store.index_version)
    model = models_path(load_config().models) / "gte-small"
    ours = [sys.executable, "-m", "dragtor", "--library", str(library), "search", "--json", QUERY]
    bare = [sys.executable, "-c", BARE, str(model), str(folder), name, QUERY]
    pairs = [(seconds(ours), seconds(bare)) for _ in range(rounds)]
    mine, theirs = median(p[0] for p in pairs), median(p[1] for p in pairs)
    return {
        "passages": count,
        "dragtor_s": round(mine, 3),
        "bare_s": round(theirs, 3),
        "ratio": round(mine / theirs, 3),
    }


def run(passages: int = 10_000, rounds: int = 15) -> dict[str, float]:
    """Median seconds of both, and their ratio."""
    place = Path(tempfile.mkdtemp(prefix="dragtor-search-"))
    build(place, passages)
    figures = compare(place, rounds)
    shutil.rmtree(place)
    return figures
