"""The template that deploys: chalice's, merged with infrastructure/template.yaml."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import serving_package
from cli.package import MACHINES, Package

FUNCTIONS = {
    "APIHandler", "Intake", "Coalesce", "Sweep", "RunStep", "RunEnded", "Approval", "MonitorStep",
    "Drift", "Webhook", "Batch", "BatchStep",
}  # fmt: skip
OUTPUTS = {
    "DataBucket", "ApiUrl", "RestApiId", "ApiKeyId", "RunsTable", "ArrivalsTable", "TopicArn",
    "RetrainMachineArn", "MonitorMachineArn", "BatchMachineArn", "RolloutMachineArn", "ModelGroup",
    "EndpointName",
    "GlueDatabase", "AthenaWorkGroup", "DriftAlarmName", "MonitorScheduleName", "CodePrefix",
}  # fmt: skip
# What IAM offers no narrower resource for.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
WITHOUT_RESOURCE = {"cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"}


@pytest.fixture(scope="module")
def template(packaged: Package) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(packaged.template)
    return found


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {k: r["Properties"] for k, r in template["Resources"].items() if r["Type"] == kind}


def statements(template: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, statement)
        for name, role in of_type(template, "AWS::IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_cfn_lint_finds_nothing_wrong(packaged: Package, tmp_path: Path):
    path = tmp_path / "template.json"
    path.write_bytes(packaged.template)
    lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(lint), "--regions", "us-east-1", "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_function_has_its_own_role_and_the_one_zip(template: dict[str, Any]):
    functions = of_type(template, "AWS::Serverless::Function")
    assert set(functions) == FUNCTIONS
    for name, function in functions.items():
        assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        assert set(function["CodeUri"]) == {"Bucket", "Key"}
        assert function["Runtime"] == f"python3.{sys.version_info.minor}"


def test_the_model_has_a_function_only_where_it_is_asked_for(template: dict[str, Any]):
    for name in ("Serve", "ServeRole"):
        assert template["Resources"][name]["Condition"] == "ServesInLambda"
    assert template["Conditions"]["ServesInLambda"] == {
        "Fn::Equals": [{"Ref": "Serving"}, "lambda"]
    }
    served = template["Resources"]["Serve"]["Properties"]
    assert served["Runtime"] == f"python{serving_package.RUNTIME}"
    actions = {a for name, s in statements(template) if name == "ServeRole" for a in s["Action"]}
    assert {a for a in actions if not a.startswith("logs:")} == {"s3:GetObject", "s3:PutObject"}


def test_each_role_acts_on_named_resources_only(template: dict[str, Any]):
    for name, statement in statements(template):
        actions = statement["Action"]
        assert not any("*" in action for action in actions), name
        if "*" in statement["Resource"]:
            assert set(actions) <= WITHOUT_RESOURCE, (name, actions)


def test_roles_are_passed_to_sagemaker_only(template: dict[str, Any]):
    passed = [s for _, s in statements(template) if "iam:PassRole" in s["Action"]]
    assert passed
    for statement in passed:
        assert statement["Resource"] == [{"Fn::GetAtt": ["JobRole", "Arn"]}]
        condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert statement["Condition"] == condition


def test_the_machines_may_call_what_they_call(template: dict[str, Any], packaged: Package):
    for machine in MACHINES:
        role = f"{machine.title()}MachineRole"
        allowed = {a for name, s in statements(template) if name == role for a in s["Action"]}
        text = packaged.definitions[machine].decode()
        for service, operation in re.findall(
            r'"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\.sync|\.waitForTaskToken)?"', text
        ):
            action = f"{service}:{operation[0].upper()}{operation[1:]}"
            assert {"lambda:Invoke": "lambda:InvokeFunction"}.get(action, action) in allowed


def test_every_substitution_of_a_definition_is_given(template: dict[str, Any], packaged: Package):
    for machine in MACHINES:
        given = template["Resources"][f"{machine.title()}Machine"]["Properties"]
        asked = set(re.findall(r"\$\{(\w+)\}", packaged.definitions[machine].decode()))
        assert asked == set(given["DefinitionSubstitutions"])


def test_buckets_are_closed_and_every_object_there_is_an_event(template: dict[str, Any]):
    (bucket,) = of_type(template, "AWS::S3::Bucket").values()
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"]
    (policy,) = of_type(template, "AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_events_are_those_of_this_stack(template: dict[str, Any]):
    functions = of_type(template, "AWS::Serverless::Function")

    def detail(name: str) -> dict[str, Any]:
        (event,) = functions[name]["Events"].values()
        return event["Properties"]["Pattern"]["detail"]

    assert detail("Intake")["bucket"]["name"] == [{"Ref": "DataBucket"}]
    assert detail("Intake")["object"]["key"] == [{"prefix": "incoming/"}]
    assert detail("RunEnded")["stateMachineArn"]
    assert detail("Drift")["alarmName"]
    assert detail("Approval")["ModelPackageGroupName"] == [{"Ref": "PipelineName"}]


def test_who_signs_links_may_read_the_secret(template: dict[str, Any]):
    functions = of_type(template, "AWS::Serverless::Function")
    signing = {
        f"{name}Role"
        for name, function in functions.items()
        if "API_URL" in function.get("Environment", {}).get("Variables", {})
    }
    reading = {name for name, s in statements(template) if s["Resource"] == [{"Ref": "LinkSecret"}]}
    assert reading == signing | {"APIHandlerRole"}


def test_the_outputs_the_command_reads_are_there(template: dict[str, Any]):
    assert set(template["Outputs"]) >= OUTPUTS


def test_tables_can_be_brought_back(template: dict[str, Any]):
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert set(tables) == {"RunsTable", "ArrivalsTable", "IdempotencyTable"}
    for table in tables.values():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert table["BillingMode"] == "PAY_PER_REQUEST"
