"""Athena's query API over the executions; every other action stays with the service beneath.

https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

from localcloud.athena import dialect, results
from localcloud.athena.engine import Query
from localcloud.athena.errors import ApiError, invalid
from localcloud.athena.executions import Executions, new_id
from localcloud.glue.objects import Objects

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[Response]]


class Service:
    """Requests in, answers out. `beneath` serves workgroups, data catalogs and named queries."""

    def __init__(
        self,
        executions: Executions,
        objects: Objects,
        workgroup: Callable[[str], dict[str, Any]],
        beneath: Handler,
    ) -> None:
        self._executions, self._objects = executions, objects
        self._workgroup, self._beneath = workgroup, beneath
        self._read = lru_cache(maxsize=4)(self._rows)
        self._actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self.start,
            "GetQueryExecution": self.get,
            "BatchGetQueryExecution": self.batch_get,
            "ListQueryExecutions": self.ids,
            "StopQueryExecution": self.stop,
            "GetQueryResults": self.results,
            "GetQueryRuntimeStatistics": self.runtime,
        }

    async def handle(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
    ) -> Response:
        """One request. Queries touch S3 and the catalog of this same server: never on its loop."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in self._actions:
            told = await self._beneath(method, path, headers, body, query_params)
            return _complete(told) if action == "GetWorkGroup" else told
        try:
            request = json.loads(body or b"{}")
            answer, status = await asyncio.to_thread(self._actions[action], request), 200
        except json.JSONDecodeError:
            answer, status = {"__type": "SerializationException", "Message": "Invalid JSON"}, 400
        except ApiError as error:
            answer, status = {"__type": error.code, "Message": error.message, **error.extra}, 400
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html"""
        submitted = time.time()
        sql = request.get("QueryString") or ""
        if len(sql.encode()) > 262144:
            raise invalid("queryString: size must be at most 262144 bytes")
        group = self._workgroup(request.get("WorkGroup") or "primary")
        if group.get("State") == "DISABLED":
            raise invalid(f"WorkGroup {group['Name']} is disabled.")
        bound = _bound(sql, request.get("ExecutionParameters") or [])
        statement = dialect.classify(bound)
        given = request.get("ResultConfiguration") or {}
        enforced, output = _output(group, given)
        context = {
            k.capitalize(): v for k, v in (request.get("QueryExecutionContext") or {}).items()
        }
        database = (context.get("Database") or "default").strip("`").lower()
        query = Query(new_id(), statement, database, output, enforced)
        suffix = ".csv" if statement.kind == "select" else ".txt"
        settings = group["Configuration"]["ResultConfiguration"]
        encryption = (settings if enforced else given).get("EncryptionConfiguration")
        record = {
            "QueryExecutionId": query.id,
            "Query": statement.sql,
            "StatementType": statement.type,
            "SubstatementType": statement.substatement,
            "ResultConfiguration": {
                "OutputLocation": f"{output}{query.id}{suffix}",
                **({"EncryptionConfiguration": encryption} if encryption else {}),
            },
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {"Catalog": "awsdatacatalog", **context},
            "Statistics": {
                "EngineExecutionTimeInMillis": 0,
                "DataScannedInBytes": 0,
                "TotalExecutionTimeInMillis": 0,
                "QueryQueueTimeInMillis": 0,
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
            "WorkGroup": group["Name"],
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
            **({"ExecutionParameters": p} if (p := request.get("ExecutionParameters")) else {}),
        }
        token = request.get("ClientRequestToken") or ""
        return {"QueryExecutionId": self._executions.start(query, record, token, submitted)}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"QueryExecution": self._executions.record(_id(request))}

    def batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        found, missing = [], []
        for name in request.get("QueryExecutionIds") or []:
            try:
                found.append(self._executions.record(name))
            except ApiError as error:
                missing.append(
                    {
                        "QueryExecutionId": name,
                        "ErrorCode": "INVALID_QUERY_EXECUTION_ID",
                        "ErrorMessage": error.message,
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def ids(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._workgroup(request.get("WorkGroup") or "primary")["Name"]
        start, limit = _token(request), int(request.get("MaxResults") or 50)
        every = self._executions.ids(group)
        more = {"NextToken": str(start + limit)} if start + limit < len(every) else {}
        return {"QueryExecutionIds": every[start : start + limit], **more}

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._executions.stop(_id(request))
        return {}

    def results(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html"""
        execution = self._executions.get(_id(request))
        state = execution.state
        if state in ("QUEUED", "RUNNING"):
            raise invalid(
                f"Query has not yet finished. Current state: {state}", "QUERY_NOT_FINISHED"
            )
        if state != "SUCCEEDED":
            raise invalid(
                f"Query did not finish successfully. Final query state: {state}",
                "INVALID_QUERY_STATE",
            )
        limit = int(request.get("MaxResults") or 1000)
        if not 1 <= limit <= 1000:
            raise invalid("MaxResults is more than maximum allowed length 1000.")
        output = execution.record["ResultConfiguration"]["OutputLocation"]
        rows = self._read(output) if output.endswith((".csv", ".txt")) else []
        token = str(_token(request)) if request.get("NextToken") else None
        answer = results.page(rows, execution.columns, token, limit)
        if execution.record["StatementType"] == "DML" and not output.endswith(".csv"):
            answer["UpdateCount"] = execution.rows
        return answer

    def _rows(self, output: str) -> list[list[str | None]]:
        try:
            body = self._objects.read(output)
        except self._objects.s3.exceptions.NoSuchKey as error:
            raise invalid(f"Could not find results. The file {output} is not there") from error
        if output.endswith(".csv"):
            return results.read_csv(body)
        return [[line] for line in body.decode().splitlines()]

    def runtime(self, request: dict[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryRuntimeStatistics.html"""
        execution = self._executions.get(_id(request))
        told = execution.record["Statistics"]
        names = ("QueryQueueTimeInMillis", "QueryPlanningTimeInMillis",
                 "EngineExecutionTimeInMillis", "ServiceProcessingTimeInMillis",
                 "TotalExecutionTimeInMillis")  # fmt: skip
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {name: told[name] for name in names},
                "Rows": {
                    "InputBytes": told["DataScannedInBytes"],
                    "OutputRows": execution.rows,
                },
            }
        }


def _complete(told: Response) -> Response:
    """A workgroup with the settings that hold unless it says otherwise.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
    """
    status, headers, body = told
    if status != 200:
        return told
    answer = json.loads(body)
    group = answer["WorkGroup"]
    defaults = {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": group["Name"] != "primary",
        "RequesterPaysEnabled": False,
    }
    group["Configuration"] = defaults | (group.get("Configuration") or {})
    headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
    return status, headers, json.dumps(answer).encode()


def _id(request: dict[str, Any]) -> str:
    found = request.get("QueryExecutionId")
    if not found:
        raise invalid("queryExecutionId is required")
    return str(found)


def _token(request: dict[str, Any]) -> int:
    token = str(request.get("NextToken") or 0)
    if not token.isdigit():
        raise invalid("Malformed NextToken")
    return int(token)


def _output(group: dict[str, Any], given: dict[str, Any]) -> tuple[bool, str]:
    """Where results go: the workgroup decides when it enforces, or when the request is silent.

    https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """
    settings = group["Configuration"]
    own = settings["ResultConfiguration"].get("OutputLocation") or ""
    enforced = settings["EnforceWorkGroupConfiguration"]
    enforced = str(enforced).lower() == "true" and bool(own)
    output = own if enforced else given.get("OutputLocation") or own
    if not output:
        raise invalid(
            "No output location provided. An output location is required either through the "
            "Workgroup result configuration setting or as an API input."
        )
    if not re.match(r"s3://[^/]+", output):
        raise invalid("outputLocation is not a valid S3 path.")
    return enforced, output.rstrip("/") + "/"


def _bound(sql: str, parameters: list[str]) -> str:
    """Put execution parameters in place of `?` outside quotes.

    https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
    """
    if not parameters:
        return sql
    given = iter(parameters)

    def put(match: re.Match[str]) -> str:
        if match[0] != "?":
            return match[0]
        try:
            return next(given)
        except StopIteration:
            raise invalid("Incorrect number of parameters") from None

    bound = re.sub(
        r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\?", put, sql, flags=re.S
    )
    if next(given, None) is not None:
        raise invalid("Incorrect number of parameters")
    return bound
