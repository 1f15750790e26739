"""The language model as its own judge: propositions, faithfulness, correctness.

Stated beside the deterministic measures, which decide: a small model is a poor judge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dragtor.evaluate.common import counted, means
from dragtor.llm import LLM, GenerationOptions
from dragtor.types import NEVER, CancelToken, Message, Reporter

MAX_PROPOSITIONS = 8
PROPOSITIONS_TOKENS = 400
SCHEMA = {
    "type": "object",
    "properties": {
        "propositions": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MAX_PROPOSITIONS,
        }
    },
    "required": ["propositions"],
}
SPLIT_SYSTEM = (
    "Split the text into short statements that each hold one fact and can be understood alone. "
    'Reply with JSON: {"propositions": ["...", "..."]}.'
)
FOLLOWS_SYSTEM = (
    "You are given a text and a statement. Write Yes if the statement follows from the text, "
    "and No if it does not or if the text says nothing about it."
)


def judged(
    llm: LLM,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any]],
    reporter: Reporter,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """`judged_faithfulness` and `judged_correctness` over the answered rows, with intervals.

    Faithfulness is the share of an answer's propositions that follow from what the model was
    given, nearly: the hits' whole passages that fit `answer.context_tokens`, and the quotes
    (`given` of an answer). Correctness is TP / (TP + (FP + FN) / 2) against the reference's
    propositions. None where nothing could be judged.
    """
    faithful, correct = [], []
    pairs = list(zip(rows, answers, strict=True))
    for row, answer in counted(pairs, "judging", reporter, cancel):
        if not answer["grounded"]:
            continue
        text = " ".join(claim["text"] for claim in answer["claims"])
        said = propositions(llm, text)
        if said:
            found = "\n".join(answer["given"])
            faithful.append(sum(follows(llm, found, one) for one in said) / len(said))
        if said and row["reference"]:
            correct.append(agreement(llm, said, text, row["reference"]))
    return means({"judged_faithfulness": faithful, "judged_correctness": correct})


def agreement(llm: LLM, said: Sequence[str], text: str, reference: str) -> float:
    """TP / (TP + (FP + FN) / 2), both sides split into propositions."""
    wanted = propositions(llm, reference) or [reference]
    right = sum(follows(llm, reference, one) for one in said)
    missing = sum(not follows(llm, text, one) for one in wanted)
    wrong = len(said) - right
    return right / (right + (wrong + missing) / 2) if right else 0.0


def propositions(llm: LLM, text: str) -> list[str]:
    """The statements of a text; none where the model's JSON was cut off."""
    messages = [Message("system", SPLIT_SYSTEM), Message("user", text)]
    options = GenerationOptions(PROPOSITIONS_TOKENS, json_schema=SCHEMA)
    with llm.stream(messages, options) as stream:
        raw = "".join(stream)
    try:
        found = json.loads(raw)["propositions"]
    except (ValueError, KeyError, TypeError):
        return []
    return [one for one in found if isinstance(one, str) and one.strip()]


def follows(llm: LLM, text: str, statement: str) -> bool:
    """Whether the model holds the statement to follow from the text."""
    messages = [
        Message("system", FOLLOWS_SYSTEM),
        Message("user", f"Text:\n{text}\n\nStatement: {statement}"),
    ]
    yes, no = llm.choose(messages, ["Yes", "No"])
    return yes > no
