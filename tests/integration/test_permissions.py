"""Who may do what: functions, tasks and jobs have the permissions of their roles, and no others.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from local_sagemaker import ACCOUNT, REGION, ROLE, LocalSageMaker, until
from roles import statement, trust

pytestmark = pytest.mark.cloud
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


@pytest.fixture
def role_that(cloud: Any) -> Callable[..., str]:
    """A role with one permission: `role_that(Action=..., Resource=...)`; its ARN."""

    def make(**allowed: Any) -> str:
        iam, name = cloud.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        document = trust("lambda", "states", "sagemaker").replace(
            '"Principal": {', '"Principal": {"AWS": "*", '
        )
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        policy = json.dumps(statement(**allowed))
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=policy)
        return str(made)

    return make


@pytest.fixture
def acting_as(cloud: Any) -> Callable[[str, str], Any]:
    """A client with a role's permissions: `acting_as(role, "sagemaker")`."""

    def client(role: str, service: str) -> Any:
        assumed = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
        keys = assumed["Credentials"]
        return boto3.client(
            service,
            endpoint_url=cloud.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return client


def test_a_role_reaches_what_its_policy_names_and_nothing_beside_it(role_that, acting_as):
    role = role_that(Action="sagemaker:DescribeEndpoint", Resource=f"{SAGEMAKER}:endpoint/mine")
    api = acting_as(role, "sagemaker")
    with pytest.raises(ClientError, match="Could not find endpoint"):  # allowed, but not there
        api.describe_endpoint(EndpointName="mine")
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:Desc") as refused:
        api.describe_endpoint(EndpointName="yours")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_job_needs_leave_to_hand_its_role_on(role_that, acting_as, sagemaker: LocalSageMaker):
    role = role_that(Action="sagemaker:CreateTrainingJob", Resource="*")
    request = sagemaker.training("print('never runs')")
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {ROLE}"):
        acting_as(role, "sagemaker").create_training_job(**request)


def test_a_query_is_its_workgroups(role_that, acting_as):
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/mine"
    role = role_that(Action="athena:*", Resource=workgroup)
    with pytest.raises(ClientError, match=r"StartQueryExecution on resource: .*/primary"):
        acting_as(role, "athena").start_query_execution(QueryString="SELECT 1")


def test_a_metric_is_put_in_the_namespaces_that_the_policy_names(role_that, acting_as):
    condition = {"StringEquals": {"cloudwatch:namespace": "mine"}}
    role = role_that(Action="cloudwatch:PutMetricData", Resource="*", Condition=condition)
    api = acting_as(role, "cloudwatch")
    data = [{"MetricName": "m", "Value": 1.0}]
    api.put_metric_data(Namespace="mine", MetricData=data)
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        api.put_metric_data(Namespace="yours", MetricData=data)


@pytest.fixture
def run_as(cloud: Any) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """Run a machine of one task with a role; the execution as it ended."""

    def run(role: str, task: dict[str, Any]) -> dict[str, Any]:
        states = cloud.client("stepfunctions")
        work = {"Type": "Task", "End": True, **task}
        made = states.create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}",
            definition=json.dumps({"StartAt": "Work", "States": {"Work": work}}),
            roleArn=role,
        )
        arn = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]

        def ended() -> dict[str, Any] | None:
            found = states.describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        return dict(until(ended))

    return run


def test_a_task_may_do_what_its_machines_role_may(role_that, run_as, make_function):
    function = make_function("def handler(event, context): return 1")
    call = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": function}}
    allowed = role_that(Action="lambda:InvokeFunction", Resource=function)
    assert run_as(allowed, call)["status"] == "SUCCEEDED"
    other = role_that(Action="lambda:InvokeFunction", Resource=f"{function}-other")
    ended = run_as(other, call)
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert f"lambda:InvokeFunction on resource: {function}" in ended["cause"]


@pytest.mark.parametrize(
    "resource",
    ["sagemaker:createTrainingJob.sync", "aws-sdk:sagemaker:createTrainingJob"],
)
def test_a_service_refuses_the_task_of_a_role_that_may_not(
    role_that, run_as, sagemaker: LocalSageMaker, resource
):
    role = role_that(Action="sagemaker:CreateModel", Resource="*")
    request = sagemaker.training("print('never runs')")
    ended = run_as(role, {"Resource": f"arn:aws:states:::{resource}", "Parameters": request})
    assert ended["status"] == "FAILED"
    assert "not authorized to perform: sagemaker:CreateTrainingJob" in ended["cause"]


def test_a_job_reads_what_its_role_may_read(role_that, sagemaker: LocalSageMaker):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"""
    role = role_that(Action="s3:ListBucket", Resource=f"arn:aws:s3:::{sagemaker.bucket}")
    request = sagemaker.training("print('never runs')", RoleArn=role)
    sagemaker.api.create_training_job(**request)
    job = until(
        lambda: (
            found := sagemaker.describe("Training", request["TrainingJobName"])
        )["TrainingJobStatus"] == "Failed" and found
    )  # fmt: skip
    assert "ClientError" in job["FailureReason"]
    assert "403" in job["FailureReason"] or "Forbidden" in job["FailureReason"]


def test_a_secrets_ref_is_its_arn_so_that_a_policy_can_name_it(cloud: Any) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html"""
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}}
    template = {
        "Resources": {"Secret": secret},
        "Outputs": {"Secret": {"Value": {"Ref": "Secret"}}},
    }
    stacks, name = cloud.client("cloudformation"), f"stack-{uuid.uuid4().hex[:8]}"
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    [output] = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    arn = output["OutputValue"]
    assert arn.startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:")
    found = cloud.client("secretsmanager").get_secret_value(SecretId=arn)
    assert found["ARN"] == arn
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match="can't find"):
        cloud.client("secretsmanager").get_secret_value(SecretId=arn)
