"""Run a local cloud: `python -m localcloud --port 4566 --state DIR --jobs-python PATH`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import importlib
import json
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from localcloud import lambda_code, lambda_idle, lambda_logs, memory, saving
from localcloud import ministack_adapter as adapter
from localcloud.config import HOST, CloudConfig

PACKAGES = (
    "iam",
    "s3",
    "cloudformation",
    "secretsmanager",
    "apigateway",
    "scheduler",
    "stepfunctions",
    "cloudwatch",
    "glue",
    "athena",
    "sagemaker",
    "autoscaling",
    "pricing",
)


def main() -> None:
    """Parse the arguments and serve until told to stop."""
    memory.spare()
    parser = argparse.ArgumentParser(prog="localcloud", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="directory of all it remembers")
    for name in ("--jobs-python", "--transformer-python"):
        parser.add_argument(name, type=Path, default=Path(sys.executable))
    parser.add_argument(
        "--stop-grace", type=float, default=CloudConfig.stop_grace, metavar="SECONDS",
        help="what a job that is stopped has between TERM and KILL",
    )  # fmt: skip
    arguments = parser.parse_args()
    state = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    with _only_one(state), _listening(arguments.port) as listener:
        port = listener.getsockname()[1]
        config = CloudConfig(
            port,
            state,
            arguments.jobs_python.absolute(),
            arguments.transformer_python.absolute(),
            arguments.stop_grace,
        )
        _log_to(config.log)
        adapter.configure(config)
        install(config)
        try:
            asyncio.run(_serve(config, listener))
        finally:
            config.record.unlink(missing_ok=True)


def install(config: CloudConfig) -> None:
    """Plug in everything that ministack lacks."""
    for name in PACKAGES:
        module = importlib.import_module(f"localcloud.{name}")
        if hasattr(module, "install"):
            module.install(config)
        else:
            print(f"localcloud.{name} is not there yet: its service is not served", flush=True)
    lambda_code.install(config)
    lambda_idle.install()
    lambda_logs.install()
    saving.install(config)
    memory.install()


async def _serve(config: CloudConfig, listener: socket.socket) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    adapter.on_ready(lambda: _tell(config))
    settings = Config()
    settings.bind = [f"fd://{listener.detach()}"]  # the server closes it
    settings.keep_alive_timeout = 75
    settings.graceful_timeout = 2
    settings.shutdown_timeout = 60
    settings.startup_timeout = 60
    await serve(adapter.application(), settings, shutdown_trigger=stop.wait)


def _tell(config: CloudConfig) -> None:
    """Say that the cloud is ready, to whoever waits for the file or reads the output."""
    started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    record = {"pid": os.getpid(), "endpoint": config.endpoint, "started_at": started}
    fresh = config.record.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    fresh.replace(config.record)
    print(f"ready {config.endpoint}", flush=True)


@contextlib.contextmanager
def _only_one(state: Path) -> Iterator[None]:
    """Two clouds on one directory would overwrite each other's state: refuse the second."""
    with (state / "cloud.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"localcloud: another local cloud is using {state}") from None
        yield


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A socket on the loopback interface, and on no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise SystemExit(f"localcloud: port {port} of {HOST}: {error.strerror}") from None
        listener.listen(256)
        yield listener


def _log_to(path: Path) -> None:
    """Send every log line to one file, kept small."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=20_000_000, backupCount=1)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    )
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("hypercorn.access", "botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
