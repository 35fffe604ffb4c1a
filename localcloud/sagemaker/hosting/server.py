"""The serving container's process: /ping and /invocations of one model. Stands alone.

Runs under the jobs' Python with sagemaker-inference, the toolkit of AWS's framework images: an
error that derives from its BaseInferenceToolkitError answers with that status, any other with 500.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Context:
    """What the toolkit asks of its model server, for one request."""

    def __init__(self, headers: dict[str, str], model_dir: str) -> None:
        self.system_properties = {"model_dir": model_dir}
        self.request_processor = [self]
        self.headers = headers
        self.status, self.phrase = 200, "OK"
        self.content_type = "application/json"

    def get_request_properties(self) -> dict[str, str]:
        return self.headers

    def set_response_content_type(self, index: int, value: str) -> None:
        self.content_type = value

    def set_response_status(self, code: int = 200, phrase: str = "", index: int = 0) -> None:
        self.status, self.phrase = code, phrase


class FirstAlone:
    """Requests side by side, once one was answered: until then they go one by one.

    What a model imports with its first request another thread would find half made: scikit-learn
    looks for pandas that way.
    """

    def __init__(self, transform: Any) -> None:
        self._transform, self._alone, self._answered = transform, threading.Lock(), False

    def __call__(self, data: Any, context: Context) -> Any:
        if self._answered:
            return self._transform(data, context)
        with self._alone:
            result = self._transform(data, context)
            self._answered = self._answered or context.status < 400
            return result


def handler(transformer: Any, model_dir: str) -> type[BaseHTTPRequestHandler]:
    transform = FirstAlone(transformer.transform)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/invocations":
                self._answer(404, b"", "text/plain")
                return
            context = Context(dict(self.headers.items()), model_dir)
            result = transform([{"body": body}], context)[0]
            if context.status >= 400:
                print(result, flush=True)
                self._answer(context.status, str(result).encode(), "text/plain")
                return
            content = result if isinstance(result, bytes) else str(result).encode()
            self._answer(200, content, context.content_type)

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """One line a request would drown the model's own log."""

    return Handler


def main() -> None:
    """`server.py PORT BASE`: BASE has model/ and, for a script of its own archive, code/."""
    port, base = int(sys.argv[1]), sys.argv[2]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    model_dir = os.path.join(base, "model")
    sys.path[:0] = [os.path.join(base, "code"), os.path.join(model_dir, "code")]
    from sagemaker_inference.transformer import Transformer

    transformer = Transformer()
    transformer.validate_and_initialize(model_dir=model_dir)
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(transformer, model_dir))
    server.serve_forever()


def _end_with_parent() -> None:
    """The parent holds the other end of stdin: it closes when the parent is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
