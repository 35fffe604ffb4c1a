"""Which permissions a call to SageMaker, Athena or Glue needs, and on which resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_sagemaker.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ANY = "*"
ROLES = ("RoleArn", "ExecutionRoleArn", "Role")
VERB = re.compile(r"(Create|Describe|Delete|Update|Stop|Start|Invoke)(.+)")
WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Need:
    """One permission: an action on a resource, with the condition keys of the request."""

    action: str
    resource: str = ANY
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Names:
    """Turns names into ARNs. `workgroup` knows the workgroup of a query's id."""

    region: str
    account: str
    workgroup: Callable[[str], str] = lambda query_id: "primary"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def needs(service: str, operation: str, request: Mapping[str, Any], names: Names) -> list[Need]:
    """All permissions that a call needs; each must be allowed."""
    resources = RESOURCES[service](operation, request, names) or [ANY]
    actions = [operation]
    if service == "sagemaker" and request.get("Tags") and operation.startswith("Create"):
        actions.append("AddTags")
    wanted = [Need(f"{service}:{action}", one) for action in actions for one in resources]
    if operation.startswith(("Create", "Update")):
        passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
        wanted += [Need("iam:PassRole", role, passed) for role in sorted(_roles(request))]
    return wanted


def _roles(request: Mapping[str, Any]) -> set[str]:
    """The roles that a request hands to the service, at any depth."""
    found = {v for k, v in request.items() if k in ROLES and isinstance(v, str)}
    for value in request.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                found |= _roles(inner)
    return found


# --- SageMaker ----------------------------------------------------------------------------------


def _sagemaker(operation: str, request: Mapping[str, Any], names: Names) -> list[str]:
    if "ResourceArn" in request:
        return [request["ResourceArn"]]
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        return [
            _named(names, "endpoint", request.get("EndpointName")),
            _named(names, "endpoint-config", request.get("EndpointConfigName")),
        ]
    if operation == "CreateModelPackage":
        group = request.get("ModelPackageGroupName")
        own = f"{group}/{ANY}" if group else request.get("ModelPackageName")
        groups = [_named(names, "model-package-group", group)] if group else []
        return [_named(names, "model-package", own), *groups]
    if operation == "ListModelPackages":
        group = request.get("ModelPackageGroupName")
        return [_named(names, "model-package-group", group)] if group else []
    if operation == "ListTrainingJobsForHyperParameterTuningJob":
        name = request.get("HyperParameterTuningJobName")
        return [_named(names, "hyper-parameter-tuning-job", name)]
    found = VERB.fullmatch(operation)
    if found is None:  # ListTrainingJobs and their kind take no resource
        return []
    noun = found[2].removesuffix("WeightsAndCapacities")
    kind = WORD.sub("-", noun).lower()
    members = (f"{noun}Arn", f"{noun}Name", "JobDefinitionName", "MonitoringScheduleName")
    name = next((request[member] for member in members if member in request), None)
    return [_named(names, kind, name)]


def _named(names: Names, kind: str, name: object) -> str:
    """A name, or an ARN in a name's place."""
    text = str(name)
    return text if text.startswith("arn:") else names.arn("sagemaker", f"{kind}/{text}")


# --- Athena -------------------------------------------------------------------------------------

NO_RESOURCE = {"ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"}
CATALOGS = re.compile(r".*(DataCatalog|Database|Databases|TableMetadata)")


def _athena(operation: str, request: Mapping[str, Any], names: Names) -> list[str]:
    if operation in NO_RESOURCE:
        return []
    if "ResourceARN" in request:
        return [request["ResourceARN"]]
    if CATALOGS.fullmatch(operation):
        name = request.get("CatalogName") or request.get("Name")
        return [names.arn("athena", f"datacatalog/{name}")]
    ids = request.get("QueryExecutionIds") or [request.get("QueryExecutionId")]
    groups: set[Any]
    if ids != [None]:
        groups = {names.workgroup(query_id) for query_id in ids}
    elif operation in ("CreateWorkGroup", "UpdateWorkGroup", "GetWorkGroup", "DeleteWorkGroup"):
        groups = {request.get("Name") or request.get("WorkGroup")}
    else:
        groups = {request.get("WorkGroup") or "primary"}
    return sorted(names.arn("athena", f"workgroup/{group}") for group in groups)


# --- Glue ---------------------------------------------------------------------------------------

CATALOG_OBJECT = re.compile(r".*(Database|Databases|Table|Tables|Partitions?|TableVersions?)")
ONE_CRAWLER = {"StartCrawler", "StopCrawler", "GetCrawler", "UpdateCrawler", "DeleteCrawler"}


def _glue(operation: str, request: Mapping[str, Any], names: Names) -> list[str]:
    if operation in ONE_CRAWLER:
        return [names.arn("glue", f"crawler/{request.get('Name')}")]
    if operation == "BatchGetCrawlers":
        return [names.arn("glue", f"crawler/{name}") for name in request.get("CrawlerNames", [])]
    if not CATALOG_OBJECT.fullmatch(operation):
        return []
    of_databases = operation.endswith(("Database", "Databases"))
    database = request.get("DatabaseName") or (request.get("DatabaseInput") or {}).get("Name")
    if of_databases and not database:
        database = request.get("Name", ANY)
    resources = ["catalog", f"database/{database}"]
    if not of_databases:
        tables = request.get("TablesToDelete") or [_table(request)]
        resources += [f"table/{database}/{table}" for table in tables]
    return [names.arn("glue", resource) for resource in resources]


def _table(request: Mapping[str, Any]) -> str:
    given = request.get("TableName") or request.get("Name")
    return str(given or (request.get("TableInput") or {}).get("Name") or ANY)


RESOURCES: dict[str, Callable[[str, Mapping[str, Any], Names], list[str]]] = {
    "sagemaker": _sagemaker,
    "athena": _athena,
    "glue": _glue,
}
