"""A language model that copies: a loopback server as of OpenAI, which gives back what it is given.

Its answer is the first sentences of the passages, with their numbers, a word at a time. A test can
hold it in the middle, which no real model can be trusted with.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SENTENCES = 3  # of an answer
WAIT_S = 30.0  # that it is held, at most


class Scribe:
    """Serves until it is closed. `hold` stops it after the first sentence of an answer."""

    def __init__(self) -> None:
        self.asked = 0  # answers begun
        self.broken = 0  # answers that nobody heard to the end
        self._go = threading.Event()
        self._go.set()
        scribe = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                found = self.path.endswith("/models")
                self.answer({"data": [{"id": "scribe"}]} if found else {}, 200 if found else 404)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/chat/completions"):
                    self.answer({}, 404)
                    return
                text = copied(body["messages"][-1]["content"])
                if body.get("stream"):
                    scribe.stream(self, text)
                else:
                    self.answer({"choices": [{"message": {"content": text}}]}, 200)

            def answer(self, data: dict[str, Any], code: int) -> None:
                sent = json.dumps(data).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def hold(self) -> None:
        """From now on an answer stops once its first sentence is over."""
        self._go.clear()

    def go(self) -> None:
        """Answers go on to their end."""
        self._go.set()

    def stream(self, handler: BaseHTTPRequestHandler, text: str) -> None:
        """The text word by word, as server-sent events; held after its first sentence."""
        self.asked += 1
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        after = re.match(r".*\n(?:\S+ ){3}", text)  # a sentence is over where the next one is begun
        first = after.end() if after else len(text)
        try:
            for at, words in enumerate((text[:first], text[first:])):
                if at and not self._go.wait(WAIT_S):
                    return
                for word in re.findall(r"\s*\S+\s*", words):
                    delta = {"choices": [{"delta": {"content": word}, "finish_reason": None}]}
                    handler.wfile.write(f"data: {json.dumps(delta)}\n\n".encode())
                    handler.wfile.flush()
            end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
            handler.wfile.write(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode())
        except OSError:
            self.broken += 1

    def close(self) -> None:
        """End it, and whatever it holds."""
        self._go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def copied(prompt: str) -> str:
    """The first sentences of the passages of a prompt, a line each, number before the full stop."""
    said = re.findall(r"^\[(\d+)\] (.+)$", prompt, re.MULTILINE)[:SENTENCES]
    lines = [f"{text.rstrip('.!?')} [{number}]." for number, text in said]
    return "\n".join(lines) or "Not in your sources."
