"""Athena's queries: the request that starts one, and its rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from chalicelib import clients

if TYPE_CHECKING:
    from chalicelib.environment import Environment


def request(run_id: str, query: str, environment: Environment) -> dict[str, Any]:
    """StartQueryExecution; the token makes a retried start the same query.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
    """
    token = hashlib.sha256(f"{run_id}\n{query}".encode()).hexdigest()
    return {
        "QueryString": query,
        "WorkGroup": environment.athena_workgroup,
        "QueryExecutionContext": {"Database": environment.glue_database},
        "ClientRequestToken": token,
    }


def rows(execution: dict[str, Any]) -> list[dict[str, str | None]]:
    """The first rows of a finished query, at most 999, each value as text.

    `execution` is what startQueryExecution.sync leaves in the machine's state.
    https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
    """
    answer = clients.client("athena").get_query_results(
        QueryExecutionId=execution["QueryExecution"]["QueryExecutionId"]
    )
    names, *values = (
        [cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]
    )
    return [dict(zip(map(str, names), row, strict=True)) for row in values]
