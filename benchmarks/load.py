"""Requests a second of a server here: the same bytes again and again, on kept connections.

Raw sockets, one thread a connection: the client is to cost as little as it can.
"""

from __future__ import annotations

import re
import socket
import threading
import time

HOST = "127.0.0.1"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
TIMEOUT = 30.0


class ServerError(Exception):
    """The server does not answer 200."""


def request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def rate(port: int, asked: bytes, connections: int, seconds: float) -> float:
    """Answers a second; ServerError where one is not 200."""
    counts, errors = [0] * connections, list[Exception]()
    began = time.perf_counter()
    deadline = began + seconds

    def ask(place: int) -> None:
        try:
            with socket.create_connection((HOST, port), TIMEOUT) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while time.perf_counter() < deadline:
                    connection.sendall(asked)
                    answer(connection)
                    counts[place] += 1
        except (OSError, ServerError) as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise ServerError(f"port {port}: {errors[0]}") from errors[0]
    return sum(counts) / (time.perf_counter() - began)


def answer(connection: socket.socket) -> bytes:
    """The body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    if b" 200 " not in head.split(b"\r\n", 1)[0] or found is None:
        raise ServerError(head.decode("latin-1") + body.decode("utf-8", "replace")[:300])
    while len(body) < int(found[1]):
        body += _some(connection)
    return body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ServerError("the connection was closed")
    return data
