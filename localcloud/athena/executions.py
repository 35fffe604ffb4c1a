"""Query executions: queued, run in threads of their own, kept with what became of them.

https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from __future__ import annotations

import copy
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from localcloud.athena.engine import Engine, Outcome, Query
from localcloud.athena.errors import QueryError, invalid
from localcloud.athena.session import Session

log = logging.getLogger(__name__)

CONCURRENT = 4
KEPT = 2000
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
Announce = Callable[[dict[str, Any], str | None], None]


@dataclass
class Execution:
    """One execution: `record` is what the API tells, the rest is ours."""

    record: dict[str, Any]
    columns: list[dict[str, Any]] = field(default_factory=list)
    token: str = ""
    rows: int = 0
    session: Session | None = None

    @property
    def state(self) -> str:
        state: str = self.record["Status"]["State"]
        return state


class Executions:
    """All executions of the account, newest last."""

    def __init__(self, engine: Engine, announce: Announce) -> None:
        self._engine, self._announce = engine, announce
        self._all: dict[str, Execution] = {}
        self._lock = threading.RLock()
        self._closing = False
        self._pool = ThreadPoolExecutor(CONCURRENT, thread_name_prefix="athena")

    def start(self, query: Query, record: dict[str, Any], token: str, submitted: float) -> str:
        """Queue a query submitted then; the same token gives the same execution."""
        with self._lock:
            if token and (known := self._by_token(token)):
                if known.record["Query"] != record["Query"]:
                    raise invalid("Idempotent parameters do not match")
                return str(known.record["QueryExecutionId"])
            record["Status"] = {"State": "QUEUED", "SubmissionDateTime": submitted}
            self._all[query.id] = Execution(record, token=token)
            for old in list(self._all)[: max(0, len(self._all) - KEPT)]:
                if self._all[old].state in _ENDED:
                    del self._all[old]
        self._announce(record, None)
        self._pool.submit(self._run, query)
        return query.id

    def _by_token(self, token: str) -> Execution | None:
        return next((e for e in self._all.values() if e.token == token), None)

    def _run(self, query: Query) -> None:
        execution = self._all[query.id]
        begun = time.monotonic()
        if not self._enter(execution, "RUNNING"):
            return

        def started(session: Session) -> None:
            with self._lock:
                execution.session = session
                if execution.state == "CANCELLED":
                    raise QueryError("Query cancelled")

        try:
            outcome = self._engine.run(query, started)
            self._end(execution, "SUCCEEDED", begun, outcome)
        except QueryError as error:
            self._end(execution, "FAILED", begun, error=error)
        except Exception as error:
            log.exception("query %s", query.id)
            words = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
            self._end(execution, "FAILED", begun, error=QueryError(words, category=1))
        finally:
            execution.session = None

    def _enter(self, execution: Execution, state: str) -> bool:
        with self._lock:
            before = execution.state
            if before in _ENDED:
                return False
            execution.record["Status"]["State"] = state
            if state in _ENDED:
                execution.record["Status"]["CompletionDateTime"] = time.time()
        self._announce(execution.record, before)
        return True

    def _end(
        self,
        execution: Execution,
        state: str,
        begun: float,
        outcome: Outcome | None = None,
        error: QueryError | None = None,
    ) -> None:
        spent = max(1, round((time.monotonic() - begun) * 1000))
        record = execution.record
        with self._lock:
            if execution.state in _ENDED or self._closing:
                return
            statistics = record["Statistics"]
            statistics["EngineExecutionTimeInMillis"] = spent
            total = round((time.time() - record["Status"]["SubmissionDateTime"]) * 1000)
            statistics["TotalExecutionTimeInMillis"] = max(spent, total)
            statistics["QueryQueueTimeInMillis"] = max(0, total - spent)
            if outcome:
                statistics["DataScannedInBytes"] = outcome.scanned
                record["ResultConfiguration"]["OutputLocation"] = outcome.output
                execution.columns, execution.rows = outcome.columns, outcome.rows
                if outcome.manifest:
                    statistics["DataManifestLocation"] = outcome.manifest
            if error:
                record["Status"]["StateChangeReason"] = error.reason
                record["Status"]["AthenaError"] = {
                    "ErrorCategory": error.category,
                    "ErrorType": 1000 if error.category == 2 else 0,
                    "Retryable": False,
                    "ErrorMessage": error.reason,
                }
        self._enter(execution, state)

    def stop(self, query_id: str) -> None:
        """Cancel a query that has not ended; one that has ended stays as it is."""
        execution = self.get(query_id)
        with self._lock:
            if execution.state in _ENDED:
                return
            execution.record["Status"]["StateChangeReason"] = "Query cancelled by user"
        if self._enter(execution, "CANCELLED"):
            threading.Thread(target=_interrupt, args=(execution,), daemon=True).start()

    def close(self) -> None:
        """Let go of what is under way, so that the process can end; `restore` says it failed."""
        self._closing = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for execution in list(self._all.values()):
            _interrupt(execution)

    def get(self, query_id: str) -> Execution:
        with self._lock:
            if query_id not in self._all:
                raise invalid(
                    f"QueryExecution {query_id} was not found", "INVALID_QUERY_EXECUTION_ID"
                )
            return self._all[query_id]

    def record(self, query_id: str) -> dict[str, Any]:
        with self._lock:
            return copy.deepcopy(self.get(query_id).record)

    def workgroup(self, query_id: str) -> str:
        """Whose query it is; the default workgroup's, where nobody knows it."""
        with self._lock:
            found = self._all.get(query_id)
        return str(found.record["WorkGroup"]) if found else "primary"

    def ids(self, workgroup: str) -> list[str]:
        """A workgroup's executions, the newest first."""
        with self._lock:
            every = reversed(list(self._all.items()))
            return [name for name, found in every if found.record["WorkGroup"] == workgroup]

    # What a restart keeps

    def saved(self) -> dict[str, Any]:
        with self._lock:
            return copy.deepcopy(
                {
                    name: {
                        "record": e.record,
                        "columns": e.columns,
                        "token": e.token,
                        "rows": e.rows,
                    }
                    for name, e in self._all.items()
                }
            )

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up saved executions; what was under way then has failed."""
        with self._lock:
            for name, kept in saved.items():
                execution = Execution(kept["record"], kept["columns"], kept["token"], kept["rows"])
                if execution.state not in _ENDED:
                    execution.record["Status"] |= {
                        "State": "FAILED",
                        "StateChangeReason": "GENERIC_INTERNAL_ERROR: The service stopped while "
                        "the query ran",
                        "CompletionDateTime": time.time(),
                    }
                self._all[name] = execution


def _interrupt(execution: Execution) -> None:
    """Until the run is over: DuckDB forgets an interrupt that comes between two statements."""
    while (session := execution.session) is not None:
        session.interrupt()
        time.sleep(0.05)


def new_id() -> str:
    return str(uuid.uuid4())
