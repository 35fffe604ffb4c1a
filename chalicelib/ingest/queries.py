"""Athena's queries: the request that starts one, and its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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


def is_done(entry: Mapping[str, Any]) -> bool:
    """Whether a request in the machine's state has given way to its execution."""
    return "QueryExecutionId" in entry


def rows(execution: dict[str, Any]) -> list[dict[str, str | None]]:
    """The rows of a finished query, each value as text.

    `execution` is what the machine keeps of it: {"QueryExecutionId"}.
    https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
    """
    pages = (
        clients.client("athena")
        .get_paginator("get_query_results")
        .paginate(QueryExecutionId=execution["QueryExecutionId"])
    )
    found = (row["Data"] for page in pages for row in page["ResultSet"]["Rows"])
    lines = ([cell.get("VarCharValue") for cell in row] for row in found)
    names = [str(name) for name in next(lines)]
    return [dict(zip(names, line, strict=True)) for line in lines]
