"""What OpenAI's clients send and are sent: requests read, answers, vectors and errors written.

Knows the shapes of that protocol and the JSON of an answer; neither a server nor a library.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragtor.display import where
from dragtor.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.schema import Json

QUOTES_ONLY = {"dragtor": False, "dragtor-quotes": True}  # the models, by name
MAX_INPUTS = 2048  # of one request for vectors, as OpenAI has it
# What would be answered otherwise than asked, were it passed over; all else that is unknown is.
UNSUPPORTED = {
    "n": (None, 1),
    "logprobs": (None, False),
    "audio": (None,),
    "response_format": (None, {"type": "text"}),
    "tool_choice": (None, "auto", "none"),
}
STATUS = {  # of HTTP, by an error's code
    "usage_error": 400,
    "load_error": 400,
    "blocked_url": 400,
    "cancelled": 409,
    "missing": 503,
    "corrupt_model": 503,
    "library_error": 503,
    "library_locked": 503,
    "library_version": 503,
}
# What opens a link, a picture or a tag in Markdown; a page's text must not bring its own.
_MARKUP = re.compile(r"[\\`\[\]]|<(?=[A-Za-z/!?])")
_SOURCE = re.compile(r"> \[\d+\] “(.*)”(?: {2})?")
_MARKERS = re.compile(r"(?: \[\d+\])+(?=\s|$)")


class RefusedRequest(UsageError):
    """A request that cannot be meant so; `param` is the field, `code` OpenAI's word for it."""

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


# Requests


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question: `args` are those of the task ask; `usage` asks for tokens at a stream's end."""

    model: str
    args: Json
    stream: bool = False
    usage: bool = False


def openai_body(body: bytes) -> Json:
    """The object that a body holds; raises RefusedRequest."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedRequest(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise RefusedRequest("the body is no JSON object")
    return found


def chat_request(body: Json) -> ChatRequest:
    """The question is the last message, the history those before; raises RefusedRequest.

    Messages of the system and of tools are passed over: what is said rests on the library alone.
    """
    model = known_model(body.get("model"))
    for name, allowed in UNSUPPORTED.items():
        if body.get(name) not in allowed:
            raise RefusedRequest(f"{name} is not supported", name, "unsupported_parameter")
    *before, (role, question) = list(_messages(body.get("messages"))) or [("", "")]
    if role != "user" or not question.strip():
        raise RefusedRequest("the last message must be a question of the user", "messages")
    options = body.get("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    args: Json = {
        "question": question,
        "quotes": QUOTES_ONLY[model],
        "history": _pairs(before),
        "keep": False,
    }
    if isinstance(filters := body.get("filters"), dict):
        args["filters"] = filters
    return ChatRequest(model, args, body.get("stream") is True, usage)


def known_model(name: object) -> str:
    """The name of a model that answers; raises RefusedRequest with status 404."""
    if not isinstance(name, str) or name not in QUOTES_ONLY:
        raise RefusedRequest(
            f"there is no model {name!r}; there are {', '.join(QUOTES_ONLY)}",
            "model",
            "model_not_found",
            404,
        )
    return name


def _messages(given: object) -> Iterator[tuple[str, str]]:
    """Role and text of what user and assistant said."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise RefusedRequest("messages must be a list of objects", "messages")
    messages: list[Json] = given
    for place, message in enumerate(messages):
        if (role := message.get("role")) in ("user", "assistant"):
            yield role, _text(message.get("content"), f"messages[{place}].content")


def _text(content: object, param: str) -> str:
    """The text of a message, which may come in parts; raises RefusedRequest on a picture."""
    if content is None or isinstance(content, str):
        return content or ""
    parts: list[Any] = content if isinstance(content, list) else [content]
    for part in parts:
        if not (isinstance(part, dict) and isinstance(part.get("text"), str)):
            raise RefusedRequest("only text is read", param, "unsupported_content")
    return "\n".join(part["text"] for part in parts)


def _pairs(messages: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each question that was answered, with what was said to it."""
    found: list[list[str]] = []
    question = ""
    for role, text in messages:
        if role == "user":
            question = text
        elif question and (said := said_of(text)):
            found.append([question, said])
            question = ""
    return found


def said_of(content: str) -> str:
    """What an answer of ours says, its sources and markers taken off; of quotes, their texts."""
    lines = content.splitlines()
    prose = " ".join(line for line in lines if line.strip() and not line.startswith(">"))
    quotes = " ".join(match[1] for line in lines if (match := _SOURCE.fullmatch(line)))
    return re.sub(r"\\([\\`\[\]<])", r"\1", _MARKERS.sub("", prose).strip() or quotes)


def embedded_texts(body: Json) -> tuple[list[str], bool]:
    """The texts whose vectors are asked for, and whether in base64; raises RefusedRequest."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or len(texts) > MAX_INPUTS:
        raise RefusedRequest(f"input must be a text or 1 to {MAX_INPUTS} texts", "input")
    if not all(isinstance(text, str) for text in texts):
        raise RefusedRequest("input must be text: tokens are other ones in each model", "input")
    if not all(map(str.strip, texts)):
        raise RefusedRequest("input holds an empty text", "input")
    form = body.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise RefusedRequest("encoding_format must be float or base64", "encoding_format")
    return texts, form == "base64"


# Answers


def markdown_of(answer: Json) -> tuple[str, list[Json]]:
    """An answer of the shape of ANSWER_SCHEMA as Markdown, and where it cites.

    Each annotation spans, in characters, a marker [n], or a quote where there are only quotes.
    """
    if not answer["grounded"]:
        return caution_line(answer) + refusal(answer), []
    cited = {citation["n"]: citation for citation in answer["citations"]}
    text, annotations = caution_line(answer), []
    prose = bool(answer["model"])
    for claim in answer["claims"] if prose else ():
        text += sentence(claim) + " "
        end = len(text) - 1
        for n in reversed(claim["citations"]):
            start = end - len(f"[{n}]")
            annotations.append(_annotation(cited[n], start, end))
            end = start - 1
    annotations.sort(key=lambda each: int(each["url_citation"]["start_index"]))
    for n, citation in cited.items():
        text = text.rstrip(" ") + "\n\n" * bool(text)
        start = len(text) + len(f"> [{n}] “")
        text += source(citation)
        if not prose:
            end = start + len(markdown_text(citation["quote"]))
            annotations.append(_annotation(citation, start, end))
    return text, annotations


def caution_line(answer: Json) -> str:
    """The caution, where there is one."""
    return f"**{markdown_text(answer['caution'])}**\n\n" if answer.get("caution") else ""


def sentence(claim: Json) -> str:
    """A sentence with its markers, or marked as one that no source supports."""
    markers = "".join(f" [{n}]" for n in claim["citations"])
    return markdown_text(claim["text"]) + (markers or " (not in your sources)")


def source(citation: Json) -> str:
    """A quote, its number and the link that opens there, in two lines of Markdown."""
    return f"> [{citation['n']}] “{markdown_text(citation['quote'])}”  \n> {_link(citation)}"


def refusal(answer: Json) -> str:
    """That nothing answers, and what comes nearest."""
    near = answer.get("nearest")
    if not near:
        return markdown_text(answer["answer"])
    why = f" It {markdown_text(near['why_not'])}." if near["why_not"] else ""
    return f"{markdown_text(answer['answer'])}{why} Nearest:\n\n{source(near)}"


def markdown_text(text: str) -> str:
    """One line of text that Markdown shows as it is: no picture, link or tag of a page's own."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _link(citation: Json) -> str:
    place = markdown_text(
        where(citation["title"], citation["page"], citation["start_s"], citation["speaker"])
    )
    url = re.sub(r"[<>\s]", lambda found: f"%{ord(found[0]):02X}", citation["url"])
    return f"[{place}](<{url}>)" if url else place


def _annotation(citation: Json, start: int, end: int) -> Json:
    cited = {
        "start_index": start,
        "end_index": end,
        "title": citation["title"],
        "url": citation["url"],
    }
    return {"type": "url_citation", "url_citation": cited}


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What is the same in all that is sent for one question: `created` in seconds since 1970."""

    id: str
    created: int
    model: str

    def completion(self, answer: Json) -> Json:
        """The answer at once."""
        text, annotations = markdown_of(answer)
        message = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "annotations": annotations,
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return self._frame("chat.completion", [choice]) | {
            "usage": usage_json(answer),
            "dragtor": answer,
        }

    def chunk(self, delta: Json, finish: str | None = None, **more: Any) -> Json:
        """A piece of it."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._frame("chat.completion.chunk", [choice]) | more

    def usage_chunk(self, answer: Json) -> Json:
        """The last piece, for who asked for the tokens."""
        return self._frame("chat.completion.chunk", []) | {"usage": usage_json(answer)}

    def _frame(self, kind: str, choices: list[Json]) -> Json:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


def usage_json(answer: Json) -> Json:
    """How many tokens the language model read and wrote; none for quotes."""
    read, written = answer["tokens"]["prompt"], answer["tokens"]["completion"]
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def model_list_json() -> Json:
    """The list of models."""
    return {"object": "list", "data": [model_listed_json(name) for name in QUOTES_ONLY]}


def model_listed_json(name: str) -> Json:
    """One model; raises RefusedRequest where there is none of this name."""
    return {"id": known_model(name), "object": "model", "created": 0, "owned_by": "dragtor"}


def embeddings_json(model: str, vectors: NDArray[np.float32], tokens: int, packed: bool) -> Json:
    """Vectors in the order of their texts; `packed`: little-endian float32 in base64."""

    def written(vector: NDArray[np.float32]) -> str | list[float]:
        if packed:
            return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
        return [float(number) for number in vector]

    rows = [
        {"object": "embedding", "index": place, "embedding": written(vector)}
        for place, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": model, "usage": usage}


# Errors


def status_of(error: Mapping[str, Any]) -> int:
    """The HTTP status of an error {code, message, hint, exit}."""
    return STATUS.get(str(error.get("code")), 500)


def openai_error_json(
    error: Mapping[str, Any], status: int, param: str | None = None, code: str | None = None
) -> Json:
    """An error {code, message, hint, exit} in OpenAI's shape; most clients show only `message`."""
    message = str(error.get("message", ""))
    if hint := error.get("hint"):
        message += f" (try: {hint})"
    kind = "invalid_request_error" if status < 500 else "server_error"
    own = {name: error[name] for name in ("hint", "exit") if name in error}
    return {
        "error": {
            "message": message,
            "type": kind,
            "param": param,
            "code": code or error.get("code"),
            **own,
        }
    }
