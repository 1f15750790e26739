"""OpenAI's protocol over the library: /v1/models, /v1/chat/completions, /v1/embeddings.

Says with HTTP what openai_shapes writes. A client that hangs up ends its generation. Knows the
server's jobs; neither how a question is answered nor who may ask it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from dragtor.errors import Cancelled, DragtorError
from dragtor.schema import error_json
from dragtor.serve import openai_shapes as shapes
from dragtor.serve.asking import passing_job, unless_gone
from dragtor.serve.openai_shapes import ChatReply, ChatRequest, RefusedRequest
from dragtor.work import CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.schema import Json
    from dragtor.serve.journal import JobEvent
    from dragtor.serve.state import Server

EMBED_BATCH = 32  # texts between two looks at whether the client is still there
TOLD = ("caution", "quotes", "sentence", "done")  # of a job's events, what a stream tells
SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}


def routes(server: Server) -> list[BaseRoute]:
    """The paths below /v1."""
    made: list[tuple[str, str, Callable[[Server, Request], Awaitable[Any]]]] = [
        ("GET", "/v1/models", _models),
        ("GET", "/v1/models/{model:path}", _model),
        ("POST", "/v1/chat/completions", _chat),
        ("POST", "/v1/embeddings", _embeddings),
    ]
    return [
        Route(path, partial(_answered, partial(handler, server)), methods=[method])
        for method, path, handler in made
    ]


async def _answered(handler: Callable[[Request], Awaitable[Any]], request: Request) -> Any:
    """What a handler answers, errors in OpenAI's shape."""
    try:
        return await handler(request)
    except HTTPException as error:  # of the guard, while the body is read
        return _refused(RefusedRequest(error.detail, status=error.status_code))
    except DragtorError as error:
        return _refused(error)


def _refused(error: DragtorError | Mapping[str, Any]) -> Response:
    """An error, which clients are told not to try again: nothing changes by itself."""
    told = error if isinstance(error, Mapping) else error_json(error)
    status, more = shapes.status_of(told), {}
    if isinstance(error, RefusedRequest):
        status, more = error.status, {"param": error.param, "code": error.code}
    said = shapes.openai_error_json(told, status, **more)
    return JSONResponse(said, status, {"x-should-retry": "false"})


async def _models(server: Server, request: Request) -> Response:
    return JSONResponse(shapes.model_list_json())


async def _model(server: Server, request: Request) -> Response:
    return JSONResponse(shapes.model_listed_json(request.path_params["model"]))


# Answers


async def _chat(server: Server, request: Request) -> Any:
    asked = shapes.chat_request(shapes.openai_body(await request.body()))
    reply = ChatReply(f"chatcmpl-{time.time_ns():x}", int(time.time()), asked.model)
    return _Answering(server, asked, reply)


class _Answering:
    """The answer to a question, as an ASGI application: in one piece, or as it grows."""

    def __init__(self, server: Server, asked: ChatRequest, reply: ChatReply) -> None:
        self._server, self._asked, self._reply = server, asked, reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await unless_gone(receive, partial(self._answer, scope, receive, send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = "{}:{}".format(*(scope.get("client") or ("", 0)))
        try:
            job = passing_job(self._server.jobs, "ask", self._asked.args, f"openai {client}")
            async with job as events:
                if self._asked.stream:
                    await self._stream(events, scope, receive, send)
                else:
                    response = await self._whole(events)
                    await response(scope, receive, send)
        except DragtorError as error:  # it may not start
            await _refused(error)(scope, receive, send)

    async def _whole(self, events: AsyncIterator[JobEvent]) -> Response:
        async for event in events:
            if event.type == "done":
                return JSONResponse(self._reply.completion(event.data["result"]))
            if event.type in ("error", "cancelled"):
                return _refused(_told(event))
        return _refused(_told(None))

    async def _stream(
        self, events: AsyncIterator[JobEvent], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Nothing is sent before there is something to say, so that an error has its status."""
        sent: _Sent | None = None
        async for event in events:
            if event.type == "error" or event.type == "cancelled":
                if sent is None:
                    await _refused(_told(event))(scope, receive, send)
                    return
                told = _told(event)
                await sent.frame(shapes.openai_error_json(told, shapes.status_of(told)))
                break
            if event.type in TOLD:
                if sent is None:
                    sent = _Sent(send, self._reply)
                    await sent.begin()
                await sent.event(event)
                if event.type == "done":
                    await sent.end(event.data["result"], self._asked.usage)
                    break
        if sent is not None:
            await sent.close()


class _Sent:
    """A stream of chunks; `text` is what was said in them."""

    def __init__(self, send: Send, reply: ChatReply) -> None:
        self._send, self._reply = send, reply
        self.text = ""

    async def begin(self) -> None:
        headers = [(name.encode(), value.encode()) for name, value in SSE.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.frame(self._reply.chunk({"role": "assistant", "content": ""}))

    async def event(self, event: JobEvent) -> None:
        """What a job tells on its way: quotes beside the text, sentences in it."""
        data = event.data
        if event.type == "quotes":
            await self.frame(self._reply.chunk({}, dragtor=data))
        elif event.type == "caution":
            await self.say(shapes.caution_line({"caution": data["text"]}))
        elif event.type == "sentence":
            await self.say(shapes.sentence(data["claim"]) + " ")

    async def say(self, text: str) -> None:
        if text:
            self.text += text
            await self.frame(self._reply.chunk({"content": text}))

    async def end(self, answer: Json, usage: bool) -> None:
        """What was not said yet, the annotations, and what it took."""
        text, annotations = shapes.markdown_of(answer)
        said = self.text if text.startswith(self.text) else self.text.rstrip(" ")
        rest = text[len(said) :] if text.startswith(said) else f"\n\n{text}"
        await self.say(rest)
        delta = {"annotations": annotations} if annotations else {}
        await self.frame(self._reply.chunk(delta, "stop", dragtor=answer))
        if usage:
            await self.frame(self._reply.usage_chunk(answer))

    async def frame(self, data: Json) -> None:
        await self._write(f"data: {json.dumps(data)}\n\n")

    async def close(self) -> None:
        await self._write("data: [DONE]\n\n", more=False)

    async def _write(self, text: str, more: bool = True) -> None:
        message = {"type": "http.response.body", "body": text.encode(), "more_body": more}
        await self._send(message)


def _told(event: JobEvent | None) -> Json:
    """The error of a job's last event."""
    if event is not None and event.type == "error":
        return event.data
    return error_json(Cancelled("the question was cancelled"))


# Vectors


async def _embeddings(server: Server, request: Request) -> Response:
    body = shapes.openai_body(await request.body())
    texts, packed = shapes.embedded_texts(body)
    cancel = CancelToken()
    embed = partial(_embedded, server, body, texts, packed, cancel)
    found = await unless_gone(request.receive, partial(run_in_threadpool, embed), cancel.cancel)
    return JSONResponse(found)


def _embedded(
    server: Server, body: Json, texts: list[str], packed: bool, cancel: CancelToken
) -> Json | None:
    """The vectors of texts of any length, each as a question is embedded; None if cancelled."""
    import numpy as np

    with server.library(cancel=cancel) as library:
        embedder = library.embedder
    names = [*shapes.QUOTES_ONLY, server.config.embed.model, embedder.name]
    if body.get("model") not in names:
        told = f"there is no model {body.get('model')!r} for vectors; there is {embedder.name}"
        raise RefusedRequest(told, "model", "model_not_found", 404)
    if body.get("dimensions") not in (None, embedder.dimension):
        told = f"{embedder.name} has {embedder.dimension} dimensions"
        raise RefusedRequest(told, "dimensions", "unsupported_parameter")
    rows: list[NDArray[np.float32]] = []
    for start in range(0, len(texts), EMBED_BATCH):
        if cancel.cancelled:
            return None
        rows.append(embedder.embed_queries(texts[start : start + EMBED_BATCH]))
    tokens = sum(len(embedder.token_offsets(text)) for text in texts)
    return shapes.embeddings_json(embedder.name, np.concatenate(rows), tokens, packed)
