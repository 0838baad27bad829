"""A model server on this machine: OpenAI's chat completions, answered by the stand-in."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from examples.docs_agent import stand_in

SECONDS_TO_FIRST_TOKEN = 0.05
SECONDS_A_TOKEN = 0.005

numbers = count(1)


@contextmanager
def model_server() -> Iterator[str]:
    """Serve for the length of a block, at the base URL that this yields."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completions)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Completions(BaseHTTPRequestHandler):
    """Answers POST /v1/chat/completions, whole or as a stream of server-sent events."""

    def do_POST(self) -> None:
        if self.path != "/v1/chat/completions":
            self.refuse(404, f"There is no {self.path} here, only /v1/chat/completions.")
            return
        try:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = stand_in.reply(asked["messages"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self.refuse(400, f"The body is no chat completion request: {error!r}.")
            return
        prompt = sum(len(stand_in.text_of(each).split()) for each in asked["messages"])
        completion = Completion(reply, prompt)
        with suppress(ConnectionError):  # Whoever asked has gone.
            if asked.get("stream"):
                self.stream(completion, asked.get("stream_options") or {})
            else:
                time.sleep(SECONDS_TO_FIRST_TOKEN)
                self.send(200, completion.whole())

    def stream(self, completion: "Completion", options: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        time.sleep(SECONDS_TO_FIRST_TOKEN)
        for chunk in completion.chunks(with_usage=options.get("include_usage", False)):
            self.wfile.write(b"data: %s\n\n" % json.dumps(chunk).encode())
            time.sleep(SECONDS_A_TOKEN)
        self.wfile.write(b"data: [DONE]\n\n")

    def refuse(self, status: int, message: str) -> None:
        self.send(status, {"error": {"message": message, "type": "invalid_request_error"}})

    def send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: the application's output is what counts."""


class Completion:
    """A reply in OpenAI's form."""

    def __init__(self, reply: stand_in.Reply, prompt_tokens: int) -> None:
        self.reply = reply
        self.id = f"chatcmpl-{next(numbers)}"
        self.calls = [
            {
                "index": index,
                "id": f"{self.id}-call-{index}",
                "type": "function",
                "function": {"name": call.tool, "arguments": json.dumps(call.arguments)},
            }
            for index, call in enumerate(reply.calls)
        ]
        given = len(reply.tokens) + len(stand_in.tokens_of(json.dumps(self.calls)))
        # A stand-in has no tokens, so it counts words.
        self.usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": given,
            "total_tokens": prompt_tokens + given,
        }
        self.finish_reason = "tool_calls" if self.calls else "stop"

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.reply.tokens)}
        if self.calls:
            message["tool_calls"] = self.calls
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return self.envelope("chat.completion", [choice]) | {"usage": self.usage}

    def chunks(self, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        for token in self.reply.tokens:
            yield self.chunk({"role": "assistant", "content": token})
        for call in self.calls:
            yield self.chunk({"role": "assistant", "tool_calls": [call]})
        yield self.chunk({}, self.finish_reason)
        if with_usage:
            yield self.envelope("chat.completion.chunk", []) | {"usage": self.usage}

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self.envelope("chat.completion.chunk", [choice])

    def envelope(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": int(time.time()),
            "model": stand_in.NAME,
            "choices": choices,
        }
