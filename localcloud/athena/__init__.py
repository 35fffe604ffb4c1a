"""An Athena on DuckDB and sqlglot, over the local Glue catalog and the local S3."""

from __future__ import annotations

import shutil
import threading
from typing import Any

from localcloud.config import CloudConfig

STOP_SECONDS = 5.0  # that the warm-up has to end


def install(config: CloudConfig) -> None:
    """Serve Athena's queries; workgroups and the like stay with the service that is there."""
    from localcloud import ministack_adapter as adapter
    from localcloud.athena.engine import Engine
    from localcloud.athena.errors import invalid
    from localcloud.athena.executions import Executions
    from localcloud.athena.service import Service
    from localcloud.glue.catalog import Catalog
    from localcloud.glue.objects import Objects
    from localcloud.iam import door

    scratch = config.state / "athena"
    shutil.rmtree(scratch, ignore_errors=True)
    clients = adapter.client
    objects = Objects(clients("s3"), config.objects / config.account, scratch)
    engine = Engine(Catalog(clients("glue")), objects)

    def workgroup(name: str) -> dict[str, Any]:
        status, answer = adapter.call_json(
            "athena", "AmazonAthena.GetWorkGroup", {"WorkGroup": name}
        )
        if status != 200:
            raise invalid(f"WorkGroup is not found: {name}")
        found: dict[str, Any] = answer["WorkGroup"]
        return found

    def announce(record: dict[str, Any], before: str | None) -> None:
        """https://docs.aws.amazon.com/athena/latest/ug/athena-events.html"""
        detail = {
            "versionId": "0",
            "currentState": record["Status"]["State"],
            "previousState": before,
            "statementType": record["StatementType"],
            "queryExecutionId": record["QueryExecutionId"],
            "workgroupName": record["WorkGroup"],
        }
        detail = {name: value for name, value in detail.items() if value is not None}
        adapter.put_event("aws.athena", "Athena Query State Change", detail)

    executions = Executions(engine, announce)
    beneath = adapter.part("ministack.app").SERVICE_HANDLERS["athena"]
    service = Service(executions, objects, workgroup, beneath)
    adapter.register_service("athena", door.guarded("athena", service.handle, executions.workgroup))
    adapter.register_state("athena_queries", executions.saved, executions.restore)
    warm_up = threading.Thread(target=engine.warm_up, name="athena-warm-up", daemon=True)
    adapter.on_ready(warm_up.start)
    adapter.on_stop(executions.close)
    adapter.on_stop(lambda: _await(warm_up))


def _await(warm_up: threading.Thread) -> None:
    """The interpreter's end aborts the process while a thread is inside DuckDB."""
    if warm_up.is_alive():
        warm_up.join(STOP_SECONDS)
