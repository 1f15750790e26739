"""The benchmarks; the rows of docs/measured.md are rows.py's.

Minutes are of two cores. `measures` names the code whose change makes a recorded figure stale.
"""

from __future__ import annotations

from typing import Any

from rows import ROWS as ROWS
from task import Bar, Task, Way

SEARCH = (
    "dragtor/embed", "dragtor/rerank", "dragtor/retrieve.py", "dragtor/split.py", "dragtor/store",
    "config/params.yml",
)  # fmt: skip
ANSWER = (
    *SEARCH, "dragtor/answer.py", "dragtor/ground", "dragtor/llm", "dragtor/prompt.py",
    "config/gates.yml",
)  # fmt: skip
EVENTS = ("dragtor/dates", "dragtor/events", "dragtor/llm", "assets/events-lora.gguf")
SPEECH = ("dragtor/speech", "dragtor/transcript.py")
INGEST = ("dragtor/cli", "dragtor/embed", "dragtor/ingest.py", "dragtor/load", "dragtor/store")
ENCODER = ("gte-small",)
READER = ("gte-small", "qwen2.5-coder-1.5b")
GENERATOR = ("qwen2.5-coder-1.5b",)
SMALLEST = {"model": "smollm2-135m"}
POINTER = ("smollm2-135m",)
HEARING = ("whisper-base.en", "silero-vad")
TAGS = ("tags",)
QUOTES = (*SEARCH, "dragtor/answer.py", "dragtor/encoder", "dragtor/ground", "config/gates.yml")
READS = ("dragtor/encoder", "config/models.yml")  # what a reader says by itself
PASSAGE_READER = ("reader",)
FINDER = (*ENCODER, *PASSAGE_READER)
SERVE = ("dragtor/serve", "dragtor/turns.py", "dragtor/parts.py", "dragtor/loading.py")
SERVER = ("starlette", "uvicorn", "websockets")
VECTORS = ("onnxruntime", "tokenizers", "numpy")
TEXTS = ("recognizers_datetime", "sst2", "pubmedqa", "scifact", "covid_qa")
TRAINING = "make test-train, then .venv-train/bin/python benchmarks/run.py --only"


CALLS = {"dialogues": "events:sgd", "spoken": "spoken_events:spoken"}


def events(
    part: str, full: Way, sample: dict[str, Any], minutes: float, *bars: Bar, data: tuple[str, ...]
) -> Task:
    """One of the figures of tasks/events.py, which read with the same small model."""
    return Task(
        f"events_{part}", CALLS.get(part, f"events:{part}"), EVENTS,
        full, Way(minutes, sample, POINTER), bars, data=data,
        packages=("llama-cpp-python", "xllamacpp", "icalendar", "python-dateutil"),
    )  # fmt: skip


def transcription(part: str, full: Way, sample: Way | None, *bars: Bar, shows: str = "") -> Task:
    """One of the figures of tasks/transcription.py."""
    return Task(
        f"transcription_{part}", f"transcription:{part}", SPEECH, full, sample, bars, shows,
        data=("speech_asr",), packages=("av", "onnxruntime", "pywhispercpp"),
    )  # fmt: skip


RESEARCH = (
    "dragtor/research", "dragtor/load/websearch.py", "dragtor/evaluate/research.py",
    "dragtor/evaluate/loopback.py", "benchmarks/data/research",
)  # fmt: skip
TASKS = (
    Task(
        "startup", "startup:run", ("dragtor/cli",), Way(0.2), Way(0.1, {"rounds": 15}),
        (Bar("ratio", "<=", 1.5),), packages=("typer",),
    ),
    Task(
        "size", "size:run", ("requirements/base.txt",), Way(1.5), Way(0.1, {"fresh": False}),
        (Bar("mb", "<=", 800), Bar("disk_mb", "<=", 800)),
    ),
    Task(
        "demo", "demo:run", ("Makefile", "scripts/setup_engine.py", *ANSWER, *INGEST),
        Way(6, {}, ()), None, (Bar("fresh/quotes_s", "<=", 180), Bar("fresh/answer_s", "<=", 720)),
        network=True,
    ),
    Task(
        "claims", "claims:run", ("dragtor/ground", "tests/data/claims.jsonl"), Way(0.1), Way(0.1),
        (Bar("test/false_accept", "<=", 0.15), Bar("test/recall", ">=", 0.72)),
    ),
    Task(
        "claims_reader", "claims:with_reader",
        (*READS, "dragtor/ground", "tests/data/claims.jsonl"), Way(1.5, {}, PASSAGE_READER), None,
        (Bar("both/test/recall", ">=", 0.8), Bar("both/test/false_accept", "<=", 0.1)),
        packages=VECTORS,
    ),
    Task(
        "claims_held_out", "claims:held_out", READS, Way(25, {}, PASSAGE_READER), None,
        (Bar("mean/auc", ">=", 0.75),), data=("reading",), packages=VECTORS,
    ),
    Task(
        "reading", "reading:run", READS, Way(5, {}, PASSAGE_READER),
        Way(0.3, {"n": 60}, PASSAGE_READER),
        (
            Bar("mean/auc", ">=", 0.88, of_sample=False),
            Bar("mean/f1", ">=", 0.72, of_sample=False),
        ),
        data=("reading",), packages=VECTORS,
    ),
    Task(
        "reading_makers", "reading:makers", READS, Way(15, {}, PASSAGE_READER), None,
        shows="made_entity/mean/auc", packages=VECTORS,
    ),
    Task(
        "reader_refusal", "reader:refusal", QUOTES, Way(6, {}, FINDER), None,
        (
            Bar("refusal_recall", ">=", 0.75), Bar("over_refusal", "<=", 0.08),
            Bar("near_misses/refused", ">=", 0.6), Bar("kinds/plain/carried", ">=", 0.9),
            Bar("kinds/lay/carried", ">=", 0.7), Bar("verbatim", ">=", 1),
        ),
        data=("covid_qa", "medquad"), packages=VECTORS,
    ),
    Task(
        "reader_lay", "reader:lay_set", (*QUOTES, "benchmarks/data"), Way(8, {}, FINDER), None,
        (
            Bar("plain/over_refusal", "<=", 0.08), Bar("lay/over_refusal", "<=", 0.15),
            Bar("plain/refusal_recall", ">=", 0.75), Bar("lay/refusal_recall", ">=", 0.75),
            Bar("plain/carried", ">=", 0.9), Bar("lay/carried", ">=", 0.7),
            Bar("false_premises/corrected", ">=", 0.5),
            Bar("false_premises/answered_as_true", "<=", 0.1),
        ),
        data=("medquad", "pubmedqa"), packages=VECTORS,
    ),
    Task(
        "reader_covid", "answers:run", QUOTES,
        Way(5, {"what": "covid", "quotes": True}, FINDER), None,
        (
            Bar("metrics/citation_precision", ">=", 0.9),
            Bar("metrics/citation_recall", ">=", 0.78),
            Bar("metrics/span_precision", ">=", 0.7), Bar("metrics/carried", ">=", 0.65),
            Bar("metrics/verbatim", ">=", 1),
        ),
        data=("covid_qa",), packages=VECTORS,
    ),
    Task(
        "reader_documents", "documents:run", (*SEARCH, "dragtor/encoder", "benchmarks/data"),
        Way(6, {}, FINDER), None, (Bar("all/difference/first_ci/0", ">=", 0.0001),),
        data=("covid_qa", "medquad", "pubmedqa"), packages=("chromadb", *VECTORS),
    ),
    Task(
        "reader_speed", "waiting:run", QUOTES, Way(4, {}, FINDER), None,
        (Bar("as_set/search_p50_ms", "<=", 120), Bar("memory_over_mb", "<=", 150)),
        data=("medquad", "pubmedqa"), packages=("chromadb", *VECTORS),
    ),
    Task(
        "ocr", "ocr:run", ("dragtor/ocr", "dragtor/pictures.py"), Way(3), Way(0.05, {"every": 24}),
        (
            Bar("legible", ">=", 0.98, of_sample=False),
            Bar("half_legible", ">=", 0.9, of_sample=False),
            Bar("boxes_right", ">=", 0.95, of_sample=False),
            Bar("picture_max_s", "<=", 2.5), Bar("memory_mb", "<=", 500),
        ),
        data=("email_screenshots",), packages=("faster-paddle", "pillow"),
    ),
    Task(
        "entities", "entities:run",
        ("dragtor/entities", "dragtor/ocr", "dragtor/encoder", "benchmarks/mail_pictures.py"),
        Way(3, {}, TAGS), None,
        (
            Bar("mails/people/recall", ">=", 0.9, of_sample=False),
            Bar("mails/people/precision", ">=", 0.85, of_sample=False),
            Bar("mails/companies/recall", ">=", 0.55, of_sample=False),
            Bar("mails/companies/precision", ">=", 0.45, of_sample=False),
            Bar("mails/f1", ">=", 0.8), Bar("mails/extra", "<=", 1.5),
            Bar("mails/split", "<=", 0.5), Bar("mails/merged", "<=", 0.03, of_sample=False),
            Bar("mails/invented", "<=", 0), Bar("rendered/f1", ">=", 0.85),
            Bar("speed/first_s", "<=", 1), Bar("speed/whole_max_s", "<=", 2.5),
            Bar("memory_mb", "<=", 500),
        ),
        data=("email_screenshots",), packages=("faster-paddle", "pillow", *VECTORS),
    ),
    Task(
        "roles", "roles:run", ("dragtor/speech/roles.py", "tests/data/podcast_roles.jsonl"),
        Way(0.3), Way(0.3),
        (
            Bar("held_out/as_written/two_persons_share", ">=", 0.85),
            Bar("held_out/as_written/names_said_share", ">=", 0.85),
        ),
        data=("podcast_transcripts",),
    ),
    Task(
        "dates", "dates:recognizers", ("dragtor/dates",), Way(0.3), Way(0.3),
        (Bar("all/found", ">=", 0.9), Bar("date_free/left_alone", ">=", 180)),
        data=("recognizers_datetime", "covid_qa", "scifact", "medquad", "pubmedqa", "conll2003",
              "sst2"),
        packages=("python-dateutil",),
    ),
    Task(
        "date_phrases", "date_phrases:phrases",
        ("dragtor/dates", "benchmarks/data/date_phrases_shown.jsonl"), Way(0.1), Way(0.1),
        (Bar("all/share", ">=", 0.9),), packages=("python-dateutil",),
    ),
    Task(
        "date_phrases_unread", "date_phrases:phrases",
        ("dragtor/dates", "benchmarks/data/date_phrases_unread.jsonl"),
        Way(0.1, {"file": "date_phrases_unread.jsonl"}),
        Way(0.1, {"file": "date_phrases_unread.jsonl"}),
        (Bar("all/share", ">=", 0.82, 0.9),), packages=("python-dateutil",),
    ),
    Task(
        "date_rules", "date_phrases:rules",
        ("dragtor/dates", "dragtor/events", "benchmarks/data/date_phrases_shown.jsonl"), Way(2),
        shows="rules", data=("calendar_events", "sgd_calendar", "recognizers_datetime"),
        packages=("python-dateutil",),
    ),
    Task(
        "extraction", "extraction:run", ("dragtor/load/html.py",), Way(0.5), Way(0.2, {"n": 60}),
        (Bar("dragtor/f1", ">=", 0.94),), data=("article_extraction",),
        packages=("trafilatura", "lxml"),
    ),
    Task(
        "pdf_rects", "pdf_rects:run",
        ("dragtor/load/pdf.py", "dragtor/serve/pdf.py", "dragtor/serve/quote_rects.py"),
        Way(2), None,
        (Bar("right", ">=", 0.95), Bar("wrong", "<=", 0), Bar("changed_found", "<=", 0)),
        data=("covid_qa",), programs=("chromium",), packages=("pypdfium2",),
    ),
    Task(
        "crash", "crash:run", INGEST, Way(8, {}, ENCODER), Way(0.8, {"moments": 2}, ENCODER),
        (Bar("different", "<=", 0), Bar("two_writers_equal", ">=", 1)), packages=("chromadb",),
    ),
    Task(
        "cancel", "cancel:run",
        (*INGEST, *SPEECH, "dragtor/llm", "dragtor/models", "dragtor/sockets.py"),
        Way(4, {}, (*ENCODER, *POINTER, *HEARING, "whisper-tiny")),
        Way(
            0.8, {"rounds": 2, "files": 60, "models": ("whisper-tiny",)},
            (*ENCODER, *POINTER, "whisper-tiny", "silero-vad"),
        ),
        (Bar("longest_s", "<=", 1), Bar("windows", "<=", 1)),
        packages=("pywhispercpp", "llama-cpp-python", "xllamacpp", "chromadb", *VECTORS),
    ),
    Task(
        "ingest", "ingest:run", INGEST, Way(4, {}, ENCODER), Way(0.6, {"documents": 80}, ENCODER),
        (Bar("overhead", "<=", 0.25, of_sample=False), Bar("unchanged_s", "<=", 3)),
        packages=("chromadb", *VECTORS),
    ),
    Task(
        "sync", "sync:run", ("dragtor/cli", "dragtor/ingest.py", "dragtor/load", "dragtor/store"),
        Way(1.5, {}, ENCODER), Way(0.4, {"feeds": 8}, ENCODER),
        (Bar("sync_s", "<=", 3), Bar("asked_in_vain", "<=", 0)), packages=("feedparser",),
    ),
    Task(
        "search", "search:run", SEARCH, Way(4, {}, ENCODER),
        Way(0.7, {"passages": 1500, "rounds": 7}, ENCODER),
        (Bar("dragtor_s", "<=", 1.2), Bar("ratio", "<=", 1)), packages=("chromadb", *VECTORS),
    ),
    Task(
        "embedding", "embedding:run", ("dragtor/embed",), Way(2, {}, ENCODER),
        Way(0.5, {"passages": 32, "rounds": 2}, ENCODER), (Bar("ratio", ">=", 3),),
        modules=("torch", "transformers"), elsewhere=f"{TRAINING} embedding",
        packages=("onnxruntime", "tokenizers", "torch", "transformers"),
    ),
    Task(
        "covid_retrieval", "covid_retrieval:run", SEARCH, Way(3, {}, ENCODER),
        Way(1.2, {"n": 120}, ENCODER), shows="ndcg@10/mix at 0.65", data=("covid_qa",),
        packages=VECTORS,
    ),
    Task(
        "rerank_tokens", "rerank:run", (*SEARCH, "config/models.yml"), Way(15, {}, ENCODER), None,
        shows="covid_qa_half/none", data=("covid_qa", "medquad", "scifact"), packages=VECTORS,
    ),
    Task(
        "rerank_llm", "rerank:run", (*SEARCH, "dragtor/llm"),
        Way(60, {"reranker": "llm", "n": 20, "depth": 5}, READER), None,
        shows="covid_qa_half/none", data=("covid_qa", "medquad", "scifact"),
        packages=("llama-cpp-python", *VECTORS),
    ),
    Task(
        "topics", "topics:run", ("dragtor/entities/topics.py", "dragtor/entities/topic_tags.py"),
        Way(6, {}, ENCODER), None,
        (
            Bar("answers/dragtor", ">=", 0.92), Bar("answers/trained on 60", ">=", 0.94),
            Bar("none/of another library", "<=", 0.02), Bar("tagging_s", "<=", 5),
        ),
        data=("medquad", "podcast_transcripts"), packages=VECTORS,
    ),
    Task(
        "digest", "digest:run",
        ("dragtor/digest", "dragtor/embed", "dragtor/headings.py", "dragtor/split.py"),
        Way(6, {}, ENCODER), None,
        (
            Bar("mean/dragtor pk", "<=", 0.34), Bar("pk_below_even", ">=", 0.1),
            Bar("digests/verbatim", ">=", 1), Bar("digests/named", ">=", 1),
        ),
        data=("article_extraction", "chroma_chunking", "medquad", "podcast_transcripts"),
        packages=("chromadb", *VECTORS),
    ),
    Task(
        "tag_speed", "tag_speed:run",
        ("dragtor/encoder", "dragtor/entities", "dragtor/ingest.py", "dragtor/onnx.py"),
        Way(4, {}, (*ENCODER, "tags")),
        Way(0.7, {"transcripts": 3, "rounds": 2, "passages": 40}, (*ENCODER, "tags")),
        (Bar("per_s", ">=", 80), Bar("index_ratio", "<=", 1.2, of_sample=False)),
        data=("podcast_transcripts",), packages=VECTORS,
    ),
    Task(
        "people", "people:run",
        ("dragtor/entities", "dragtor/encoder", "dragtor/store/named.py",
         "dragtor/store/filters.py", "benchmarks/data/person_gold.jsonl"),
        Way(3, {}, (*ENCODER, "tags")), None,
        (
            Bar("all/recall/share", ">=", 0.9, 0.95), Bar("all/wrong/share", "<=", 0.03),
            Bar("wrong_merges", "<=", 0.03),
        ),
        data=("podcast_transcripts",), packages=VECTORS,
    ),
    Task(
        "research", "research:web", (*RESEARCH, *QUOTES), Way(6, {}, FINDER), None,
        (
            Bar("found", ">=", 0.7), Bar("wrong", "<=", 0.03), Bar("verbatim", ">=", 1),
            Bar("obeyed", "<=", 0),
        ),
        packages=("trafilatura", *VECTORS),
    ),
    Task(
        "research_deep", "research:deep",
        ("dragtor/research", *QUOTES, "benchmarks/data/deep_questions.jsonl"),
        Way(25, {}, FINDER), None, (Bar("ratio", ">=", 1.5),), data=("covid_qa",),
        packages=VECTORS,
    ),
    Task(
        "research_dossier", "research:dossier", (*RESEARCH, *ANSWER),
        Way(6, {"n": 2}, (*READER, *PASSAGE_READER)), None, (Bar("slowest_s", "<=", 120),),
        packages=("llama-cpp-python", *VECTORS),
    ),
    Task(
        "research_cancel", "research:cancel", (*RESEARCH, "dragtor/sockets.py", "dragtor/llm"),
        Way(3, {}, (*READER, *PASSAGE_READER)), None, (Bar("longest_s", "<=", 0.3),),
        packages=("llama-cpp-python", *VECTORS),
    ),
    Task(
        "scifact", "evals:scifact", SEARCH, Way(9, {}, ENCODER), None,
        (Bar("metrics/ndcg@10", ">=", 0.735),), data=("scifact",), packages=VECTORS,
    ),
    Task(
        "mix_weight", "mix_weight:run", SEARCH, Way(15, {}, ENCODER), None,
        (Bar("scifact_test_ndcg@10", ">=", 0.735),), data=("scifact", "covid_qa", "medquad"),
        packages=VECTORS,
    ),
    Task(
        "splitters", "splitters:run", (*SEARCH, "dragtor/evaluate/chunking.py"),
        Way(20, {}, ENCODER), Way(1.5, {"splitters": 1, "weights": 1}, ENCODER),
        (Bar("dense weight 0.8/metrics/recall@5", ">=", 0.85, 0.88),), data=("chroma_chunking",),
        packages=("chromadb", *VECTORS),
    ),
    Task(
        "quotes", "quotes:run", (*SEARCH, "dragtor/encoder", "dragtor/ground"),
        Way(6, {}, FINDER), None, (Bar("p95_s", "<=", 1.2),), data=("scifact",), packages=VECTORS,
    ),
    Task(
        "generation", "generation:run", ("dragtor/llm",), Way(1, {}, GENERATOR),
        Way(0.2, SMALLEST | {"repetitions": 3}, POINTER), (Bar("ratio", ">=", 0.95),),
        modules=("llama_cpp",), elsewhere="make engine BUILD=1", packages=("llama-cpp-python",),
    ),
    Task(
        "prompt_reuse", "prompt_reuse:run", ("dragtor/llm", "dragtor/prompt.py"),
        Way(2, {}, GENERATOR), Way(0.3, SMALLEST, POINTER),
        (Bar("chat_ratio", "<=", 0.5), Bar("same_text", ">=", 1)),
        modules=("llama_cpp",), elsewhere="make engine BUILD=1", packages=("llama-cpp-python",),
    ),
    Task(
        "answers_covid", "answers:run", ANSWER, Way(30, {"what": "covid"}, READER),
        Way(2.5, {"what": "covid", "n": 10}, READER),
        (
            Bar("metrics/citation_precision", ">=", 0.75, 0.9, of_sample=False),
            Bar("metrics/citation_recall", ">=", 0.65, 0.75, of_sample=False),
            Bar("metrics/verbatim", ">=", 1),
        ),
        data=("covid_qa",), packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "answers_refusal", "answers:run", ANSWER, Way(30, {"what": "refusal"}, READER),
        Way(2.5, {"what": "refusal", "n": 10}, READER),
        (
            Bar("metrics/citation_recall", ">=", 0.75, of_sample=False),
            Bar("metrics/over_refusal", "<=", 0.1, of_sample=False),
            Bar("metrics/refusal_recall", ">=", 0.3, 0.85, of_sample=False),
            Bar("metrics/verbatim", ">=", 1),
        ),
        data=("covid_qa", "medquad"), packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "contexts", "contexts:run", ANSWER, Way(60, {"part": "contexts"}, READER), None,
        shows="passage 300/right", data=("covid_qa", "medquad"),
        packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "summaries", "contexts:run", ANSWER, Way(30, {"part": "summaries"}, READER), None,
        shows="documents", data=("covid_qa", "medquad"),
        packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "injection", "evals:hidden_orders", ANSWER, Way(60, {}, READER), None,
        (Bar("metrics/success", "<=", 0.05),), data=("prompt_injection",),
        packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "follow_ups", "evals:follow_ups", (*ANSWER, "dragtor/chat.py"), Way(5, {}, READER), None,
        (Bar("metrics/top3", ">=", 0.9),), packages=("llama-cpp-python", "onnxruntime"),
    ),
    Task(
        "diarization", "diarization:run", SPEECH, Way(2, {}, ("pyannote-segmentation-3.0",)),
        Way(0.3, {"clips": 4}, ("pyannote-segmentation-3.0",)),
        (
            Bar("meetings/der", "<=", 0.25, 0.19, of_sample=False),
            Bar("speed_one_core", ">=", 4),
        ),
        data=("diarization_ami", "speech_asr"), packages=("onnxruntime", "pyannote.metrics"),
    ),
    transcription(
        "words", Way(3, {}, HEARING), Way(0.6, {"files": 8}, HEARING),
        Bar("wer/ours", "<=", 0.09, of_sample=False), shows="wer/ours",
    ),
    transcription(
        "speed", Way(8, {}, HEARING), Way(1, {"minutes": 2}, HEARING),
        Bar("dense/times_as_fast", ">=", 1, of_sample=False),
        Bar("third_silent/times_as_fast", ">=", 1.3, of_sample=False),
        shows="dense/times_as_fast",
    ),
    transcription(
        "memory", Way(6, {}, HEARING), Way(0.7, {"hours": 0.33}, HEARING),
        Bar("most_mb", "<=", 1200),
    ),
    transcription(
        "kill", Way(8, {}, (*HEARING, "whisper-tiny")),
        Way(1, {"times": 3, "minutes": 2}, (*HEARING, "whisper-tiny")),
        Bar("same_transcript", ">=", 1), Bar("finished_windows_heard_again", "<=", 0),
    ),
    events(
        "validation", Way(2, {}, POINTER), {"n": 24}, 0.3,
        Bar("tuned/exact_normalised", ">=", 0.9, 0.94, of_sample=False),
        Bar("tuned/exact_raw", ">=", 0.86, of_sample=False), Bar("tuned/valid_json", ">=", 1),
        data=("calendar_events",),
    ),
    events(
        "spoken", Way(1, {}, POINTER), {"n": 30}, 0.3,
        Bar("pointing/exact/share", ">=", 0.6, of_sample=False),
        Bar("reading_of_marked/when/share", ">=", 0.8, of_sample=False), data=(),
    ),
    events(
        "none", Way(1.5, {}, POINTER), {"n": 25}, 0.3, Bar("sentences/share", "<=", 0.03),
        data=TEXTS,
    ),
    events(
        "dialogues", Way(2, {}, POINTER), {"n": 20}, 0.3,
        Bar("all/share", ">=", 0.9, of_sample=False), data=("sgd_calendar",),
    ),
    events(
        "valid", Way(10, {}, POINTER), {"n": 60}, 0.5, Bar("random/share", ">=", 1),
        Bar("naughty/share", ">=", 1), data=("calendar_events", "bad_inputs"),
    ),
    events(
        "speed", Way(1, {}, POINTER), {"n": 20}, 0.3,
        Bar("events_a_second", ">=", 1, 3), data=("calendar_events",),
    ),
    Task(
        "encoder", "encoder:run", ("dragtor/encoder", "dragtor/training"), Way(75), None,
        (
            Bar("sst2/joint", ">=", 0.89), Bar("ner/joint", ">=", 0.88),
            Bar("sst2/lower", ">=", -0.01), Bar("ner/lower", ">=", -0.01),
            Bar("joint_speed/ratio", ">=", 1.8), Bar("torch_speed/ratio", ">=", 3),
            Bar("sst2/lost_by_int8", "<=", 0.005), Bar("ner/lost_by_int8", "<=", 0.005),
        ),
        data=("conll2003", "sst2"), modules=("torch",), elsewhere=f"{TRAINING} encoder --full",
        packages=("torch", "transformers", "onnxruntime"),
    ),
    Task(
        "tags", "tags:run", ("dragtor/encoder", "assets/tags.heads", "config/models.yml"),
        Way(3, {}, TAGS), None,
        (
            Bar("ewt/span_f1", ">=", 0.75), Bar("ewt/ece", "<=", 0.05),
            Bar("sst2/ece", "<=", 0.05), Bar("weights/adapter_mb", "<=", 12),
        ),
        data=("conll2003", "entities", "sst2"), packages=VECTORS,
    ),
    Task(
        "serve_clients", "serve:clients", SERVE, Way(0.3), None,
        (
            Bar("p95_ms", "<=", 50), Bar("more_mb", "<=", 20), Bar("wrong", "<=", 0),
        ),
        packages=SERVER,
    ),
    Task(
        "serve_drops", "serve:drops", SERVE, Way(3), None,
        (Bar("wrong", "<=", 0),), shows="dropped", packages=SERVER,
    ),
    Task(
        "serve_kills", "serve:kills", SERVE, Way(2), None,
        (Bar("wrong", "<=", 0),), shows="resumed", packages=SERVER,
    ),
    Task(
        "serve_first_quote", "serve:first_quote", (*SERVE, *ANSWER), Way(1, {}, ENCODER), None,
        (Bar("over_p95_ms", "<=", 60),), packages=(*SERVER, *VECTORS),
    ),
    Task(
        "serve_start", "page:start", ("dragtor",), Way(0.7, {}, ENCODER), None,
        (Bar("p95_s", "<=", 1),), packages=SERVER,
    ),
    Task(
        "serve_cancel", "page:cancel", (*SERVE, *ANSWER), Way(1.5, {}, (*ENCODER, *POINTER)), None,
        (Bar("max_ms", "<=", 300), Bar("cancelled", ">=", 15)), packages=(*SERVER, *VECTORS),
    ),
    Task(
        "page_vitals", "page:vitals", SERVE, Way(1, {}, ENCODER), None,
        (
            Bar("packed_bytes", "<=", 60_000), Bar("lcp_ms", "<=", 500), Bar("cls", "<=", 0.05),
            Bar("blocking_ms", "<=", 100), Bar("other_hosts", "<=", 0),
        ),
        modules=("playwright",), programs=("chromium",), elsewhere="make bench", packages=SERVER,
    ),
    Task(
        "page_first_quote", "page:first_quote", (*SERVE, *ANSWER), Way(3, {}, ENCODER), None,
        (Bar("over_p95_ms", "<=", 60),),
        modules=("playwright",), programs=("chromium",), elsewhere="make bench",
        packages=(*SERVER, *VECTORS),
    ),
    Task(
        "train_events", "train_events:run", ("dragtor/training",), Way(240, {}, POINTER), None,
        shows="best_step", modules=("torch", "gguf"), elsewhere=f"{TRAINING} train_events",
        data=("sgd_calendar", "calendar_events", *TEXTS), packages=("torch", "gguf"),
    ),
)  # fmt: skip
