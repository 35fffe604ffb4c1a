"""One query in Athena, from its start to its rows."""

from __future__ import annotations

import time
from typing import Any

from cli.errors import Problem

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def rows(client: Any, **request: Any) -> list[dict[str, str | None]]:
    """Run StartQueryExecution's request and wait; the first 999 rows, none of what only writes."""
    query_id = client.start_query_execution(**request)["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] in ENDED:
            break
        time.sleep(0.1)
    if status["State"] != "SUCCEEDED":
        raise Problem(f"Athena: {status.get('StateChangeReason', status['State'])}")
    found = client.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    lines = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]
    return [dict(zip(lines[0], values, strict=True)) for values in lines[1:]] if lines else []
