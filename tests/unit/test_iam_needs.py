"""What a call needs to be allowed.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_sagemaker.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
"""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam.needs import Names, Need, needs

NAMES = Names("us-east-1", "123456789012", workgroup=lambda query_id: f"group-of-{query_id}")
ROLE = "arn:aws:iam::123456789012:role/jobs"
GLUE = ["catalog", "database/lake"]


@pytest.mark.parametrize(
    ("service", "operation", "request_", "resources"),
    [
        ("sagemaker", "CreateModel", {"ModelName": "m"}, ["model/m"]),
        ("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}, ["endpoint/e"]),
        ("sagemaker", "InvokeEndpoint", {"EndpointName": "e"}, ["endpoint/e"]),
        (
            "sagemaker",
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            ["endpoint/e", "endpoint-config/c"],
        ),
        (
            "sagemaker",
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": "e"},
            ["endpoint/e"],
        ),
        ("sagemaker", "CreateTransformJob", {"TransformJobName": "t", "ModelName": "m"},
         ["transform-job/t"]),
        ("sagemaker", "StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "h"},
         ["hyper-parameter-tuning-job/h"]),
        ("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g"},
         ["model-package/g/*", "model-package-group/g"]),
        ("sagemaker", "DeleteModelBiasJobDefinition", {"JobDefinitionName": "d"},
         ["model-bias-job-definition/d"]),
        ("athena", "StartQueryExecution", {"WorkGroup": "w"}, ["workgroup/w"]),
        ("athena", "StartQueryExecution", {}, ["workgroup/primary"]),
        ("athena", "GetQueryResults", {"QueryExecutionId": "q"}, ["workgroup/group-of-q"]),
        ("athena", "GetTableMetadata", {"CatalogName": "c"}, ["datacatalog/c"]),
        ("glue", "StartCrawler", {"Name": "c"}, ["crawler/c"]),
        ("glue", "GetDatabase", {"Name": "lake"}, GLUE),
        ("glue", "GetTable", {"DatabaseName": "lake", "Name": "t"}, [*GLUE, "table/lake/t"]),
        ("glue", "GetTables", {"DatabaseName": "lake"}, [*GLUE, "table/lake/*"]),
        ("glue", "CreateTable", {"DatabaseName": "lake", "TableInput": {"Name": "t"}},
         [*GLUE, "table/lake/t"]),
    ],
)  # fmt: skip
def test_resources(
    service: str, operation: str, request_: dict[str, Any], resources: list[str]
) -> None:
    wanted = needs(service, operation, request_, NAMES)
    assert {need.action for need in wanted} == {f"{service}:{operation}"}
    found = [need.resource for need in wanted]
    assert found == [f"arn:aws:{service}:us-east-1:123456789012:{each}" for each in resources]


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sagemaker", "ListTrainingJobs"),
        ("athena", "ListWorkGroups"),
        ("glue", "CreateCrawler"),
    ],
)
def test_what_names_no_resource_is_allowed_for_all_or_not_at_all(
    service: str, operation: str
) -> None:
    assert needs(service, operation, {}, NAMES) == [Need(f"{service}:{operation}")]


def test_an_arn_may_stand_for_a_name() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/3"
    [need] = needs("sagemaker", "DescribeModelPackage", {"ModelPackageName": arn}, NAMES)
    assert need.resource == arn


def test_a_role_handed_on_and_tags_need_their_own_permissions() -> None:
    request = {
        "HyperParameterTuningJobName": "h",
        "TrainingJobDefinitions": [{"RoleArn": ROLE}],
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    wanted = needs("sagemaker", "CreateHyperParameterTuningJob", request, NAMES)
    assert [need.action for need in wanted] == [
        "sagemaker:CreateHyperParameterTuningJob", "sagemaker:AddTags", "iam:PassRole",
    ]  # fmt: skip
    assert wanted[-1] == Need(
        "iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}
    )
