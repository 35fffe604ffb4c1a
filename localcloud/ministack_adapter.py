"""The only module that touches ministack: everything else in `localcloud` goes through here.

ministack is imported on first use, never before `configure`: it reads its settings while it is
imported. `check` names each inner part we rely on, so that another version fails at once and says
what moved.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from localcloud import service_models
from localcloud.config import HOST, CloudConfig
from localcloud.ministack_parts import PARTS, VERSION

log = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[Response]]
Integration = Callable[[str, Any], Any]
SdkCaller = Callable[[str, Any], Any]
Hook = Callable[[], None]

_configured: list[CloudConfig] = []
_ready: list[Hook] = []
_stopping: list[Hook] = []
_integrations: dict[str, Integration] = {}
_sdk_services: dict[str, SdkCaller] = {}
_clients: dict[tuple[str, str], Any] = {}
ROOT_KEY = "test"  # of the account itself, which may do everything
_lock = threading.RLock()
_events = threading.Condition()
_put: Counter[str] = Counter()


class StatesError(Exception):
    """A task's failure as Step Functions sees it: an error name and its cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def configure(config: CloudConfig) -> None:
    """Set ministack's settings; call this before anything else here."""
    if _configured:
        raise RuntimeError("the adapter is already configured")
    _configured.append(config)
    os.environ.update(
        BIND_HOST=HOST,
        GATEWAY_PORT=str(config.port),
        AWS_ENDPOINT_URL=config.endpoint,
        AUTH="true",
        MINISTACK_REGION=config.region,
        MINISTACK_ACCOUNT_ID=config.account,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="1",
        S3_PERSIST="1",
        STATE_DIR=str(config.services),
        S3_DATA_DIR=str(config.objects),
        LAMBDA_EXECUTOR="local",
        NO_PROXY=",".join(filter(None, [os.environ.get("NO_PROXY"), HOST, "localhost"])),
    )
    check()
    # What never leaves this machine is as private as TLS, which policies ask for.
    replace("ministack.app", "pin_request_origin", lambda pin: lambda origin, _: pin(origin, True))
    sfn = part("ministack.services.stepfunctions")
    original = sfn._invoke_aws_sdk_integration
    sfn._invoke_aws_sdk_integration = lambda arn, given: _sdk_integration(original, arn, given)
    for module in ("ministack.core.responses", "ministack.services.stepfunctions"):
        replace(module, "_service_model", lambda _: _service_model)


def config() -> CloudConfig:
    """The configuration given to `configure`."""
    if not _configured:
        raise RuntimeError("the adapter is not configured: call configure(config) first")
    return _configured[0]


def part(module: str) -> Any:
    """A module of ministack, for the few of our modules that replace parts of it."""
    config()
    return importlib.import_module(module)


def check() -> None:
    """Say at once, and by name, what a ministack of another version lacks."""
    missing = [
        f"{module}.{name}"
        for module, names in PARTS.items()
        for name in names.split()
        if not _has(module, name)
    ]
    if missing:
        raise RuntimeError(
            f"this local cloud is made for ministack {VERSION}; here it lacks: {', '.join(missing)}"
        )


def _has(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name in PARTS:  # another one of them, which is told by its own name
            return error.name != module
        raise


def replace(module: str, name: str, make: Callable[[Any], Any]) -> None:
    """Put `make(the original)` in place of a part listed in PARTS."""
    if name not in PARTS[module].split():
        raise ValueError(f"list {module}.{name} in PARTS before replacing it")
    target = part(module)
    setattr(target, name, make(getattr(target, name)))


def _service_model(service: str) -> Any:
    """The model of a service as ministack names it; None where botocore has none."""
    from botocore.exceptions import UnknownServiceError

    names = part("ministack.core.responses")._BOTOCORE_NAME
    try:
        return service_models.service_model(names.get(service, service))
    except UnknownServiceError:
        return None


# --- API Gateway --------------------------------------------------------------------------------


def put_gateway_response(api_id: str, kind: str, response: dict[str, Any]) -> None:
    """ValueError where API Gateway refuses it."""
    put = part("ministack.services.apigateway_v1")._put_gateway_response
    status, _, body = put(api_id, kind, response)
    if status >= 400:
        raise ValueError(f"{kind}: {json.loads(body)['message']}")


# --- Services -----------------------------------------------------------------------------------


def register_service(name: str, handler: Handler) -> None:
    """Answer all requests signed for this service; in place of ministack's where it has one."""
    part("ministack.app").SERVICE_HANDLERS[name] = handler
    # Asked about a name it does not know, ministack reads every model botocore has: 3 s, 390 MB.
    known = "_is_aws_service_name"
    replace("ministack.core.router", known, lambda ask: lambda asked: asked == name or ask(asked))


def register_state(name: str, get: Callable[[], Any], set_: Callable[[Any], None]) -> None:
    """Save what `get` gives with the rest of the state, and hand it to `set_` at the next start."""
    app = part("ministack.app")
    key = f"localcloud_{name}"
    app._state_map[key] = key
    app._loaded_modules[key] = _Saved(get, set_)


class _Saved:
    """A state of ours in the shape of a ministack service module."""

    def __init__(self, get: Callable[[], Any], set_: Callable[[Any], None]) -> None:
        self.get_state = get
        self.load_persisted_state = set_


def register_resource_type(
    cfn_type: str,
    create: Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]],
    delete: Callable[[str, dict[str, Any]], None],
    update: Callable[[str, dict[str, Any], dict[str, Any], str], tuple[str, dict[str, Any]]]
    | None = None,
) -> None:
    """Add a CloudFormation type.

    `create(logical_id, properties, stack) -> (physical_id, attributes)`,
    `delete(physical_id, properties)`,
    `update(physical_id, old_properties, new_properties, stack) -> (physical_id, attributes)`.
    """
    handlers: dict[str, Any] = {"create": create, "delete": delete}
    if update:
        handlers["update"] = update
    part("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS[cfn_type] = handlers


def amend_resource_type(cfn_type: str, **amended: Callable[[Any], Any]) -> None:
    """Put `make(the original)` in place of how ministack creates, updates or deletes a type."""
    handlers = part("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS[cfn_type]
    handlers.update({action: make(handlers[action]) for action, make in amended.items()})


# --- Step Functions -----------------------------------------------------------------------------


def register_integration(prefix: str, handler: Integration) -> None:
    """Serve `arn:aws:states:::` resources that begin with `prefix`; `.sync` is in the ARN given."""
    _integrations[prefix] = handler
    dispatch = part("ministack.services.stepfunctions")._SERVICE_DISPATCH
    dispatch[prefix] = lambda arn, given: _translated(handler, arn, given)


def register_sdk_service(name: str, caller: SdkCaller) -> None:
    """Serve `arn:aws:states:::aws-sdk:<name>:<action>` by `caller(Action, input) -> result`."""
    _sdk_services[name] = caller


def _sdk_integration(original: Integration, arn: str, given: Any) -> Any:
    words = arn.split(":")
    caller = _sdk_services.get(words[6].lower()) if len(words) > 7 else None
    if caller is None:
        return original(arn, given)
    action = words[7].split(".")[0]
    return _translated(caller, action[:1].upper() + action[1:], given)


def _translated(function: Callable[[str, Any], Any], name: str, given: Any) -> Any:
    """Run a handler of ours and turn its StatesError into ministack's own."""
    try:
        return function(name, given)
    except StatesError as error:
        sfn = part("ministack.services.stepfunctions")
        raise sfn._ExecutionError(error.error, error.cause) from error


# --- IAM ----------------------------------------------------------------------------------------


def authorise_here(service: str) -> None:
    """Leave the calls of a service to our own check; ministack still verifies who calls."""
    part("ministack.core.iam_actions").SERVICE_TO_IAM_NAMESPACE.pop(service, None)


def refusal(
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    action: str,
    resource: str,
    context: Mapping[str, str],
) -> str:
    """Why the caller of a request may not do this, in AWS's words; "" when it may."""
    key = part("ministack.core.router").extract_access_key_id(headers, query)
    return key_refusal(key, action, resource, context)


def key_refusal(key: str, action: str, resource: str, context: Mapping[str, str] = {}) -> str:
    """Why the holder of an access key may not do this; "" when it may."""
    iam = part("ministack.core.iam_evaluator")
    here = config()
    principal = iam.resolve_principal(key, here.account)
    if isinstance(principal, iam.AuthError):
        return str(principal.message)
    if principal.policies is None:  # the account's root
        return ""
    asked = iam.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=here.region,
        service_context={name.lower(): value for name, value in context.items()},
        principal_keys=principal.keys,
    )
    decision = iam.evaluate(asked, principal.policies, *principal.limits).decision
    if decision == "Allow":
        return ""
    why = (
        "with an explicit deny in an identity-based policy"
        if decision == "Deny"
        else f"because no identity-based policy allows the {action} action"
    )
    asked_for = f"{action} on resource: {resource}"
    return f"User: {principal.arn} is not authorized to perform: {asked_for} {why}"


def role_session(role: str, name: str) -> dict[str, Any]:
    """Credentials of a role, as a service that assumed it has them."""
    digest = hashlib.sha256(f"{role}:{name}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:56], digest
    role_name = role.rsplit("/", 1)[-1]
    part("ministack.services.sts").register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{config().account}:assumed-role/{role_name}/{name}",
            "UserId": f"{role_name}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


# --- Calls into the running cloud ---------------------------------------------------------------


def client(service: str, role: str = "") -> Any:
    """A boto3 client of this cloud, as the account's root or as a role of it.

    It blocks: from a coroutine, use it in a thread.
    """
    with _lock:
        if (service, role) not in _clients:
            import boto3
            from botocore.config import Config

            here = config()
            root = {"aws_access_key_id": ROOT_KEY, "aws_secret_access_key": "test"}
            keys: dict[str, Any] = role_session(role, "service") if role else root
            session = boto3.session.Session(region_name=here.region, **keys)
            _clients[service, role] = session.client(
                service,
                endpoint_url=here.endpoint,
                config=Config(max_pool_connections=32, s3={"addressing_style": "path"}),
            )
        return _clients[service, role]


def call_json(
    service: str, target: str, document: Any, key: str = ROOT_KEY
) -> tuple[int, dict[str, Any]]:
    """Call a JSON-protocol service inside this process; from a worker thread only."""
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
    body = json.dumps(document).encode()
    status, answer = _call(service, "POST", "/", headers, body, key)
    return status, json.loads(answer) if answer else {}


def put_object(bucket: str, key: str, content: bytes) -> None:
    """Write an object from a worker thread, also while the cloud stops; OSError if S3 refuses."""
    path = f"/{bucket}/{quote(key)}"
    status, answer = _call("s3", "PUT", path, {}, content, ROOT_KEY)
    if status >= 400:
        raise OSError(f"s3://{bucket}/{key}: {status}: {answer.decode('utf-8', 'replace')[:500]}")


def _call(
    service: str, method: str, path: str, headers: dict[str, str], body: bytes, key: str
) -> tuple[int, bytes]:
    here = config()
    app = part("ministack.app")
    signed = {
        "host": f"{service}.{here.region}.amazonaws.com",
        "authorization": (
            f"AWS4-HMAC-SHA256 Credential={key}/20260101/{here.region}/{service}/aws4_request"
        ),
    }
    handler = app.SERVICE_HANDLERS[service]
    status, _, answer = app.call_service_handler_sync(
        handler, method, path, signed | headers, body, {}
    )
    return status, answer


def put_event(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Iterable[str] = ()
) -> None:
    """Put an event of an AWS service (`aws.sagemaker`, ...) on the default bus."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": list(resources),
    }
    eventbridge = part("ministack.services.eventbridge")
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    with _events:
        _put[source] += 1
        _events.notify_all()


def events_put(source: str) -> int:
    """How many events of an AWS service were put so far."""
    return _put[source]


def await_event(source: str, after: int, timeout: float) -> None:
    """Return when more than `after` events of the service were put, or when time is up."""
    with _events:
        _events.wait_for(lambda: _put[source] > after, timeout)


def put_metric(
    namespace: str,
    name: str,
    value: float,
    dimensions: Mapping[str, str] | None = None,
    unit: str = "None",
    timestamp: float | None = None,
) -> None:
    """Put one value of a metric, in any namespace, AWS's own among them."""
    put_metrics(namespace, name, [value], dimensions, unit, timestamp)


def put_metrics(
    namespace: str,
    name: str,
    values: list[float],
    dimensions: Mapping[str, str] | None = None,
    unit: str = "None",
    timestamp: float | None = None,
) -> None:
    """Put several values of a metric, at one time."""
    when = time.time() if timestamp is None else timestamp
    cloudwatch = part("ministack.services.cloudwatch")
    with _lock:
        cloudwatch._store_datum(
            namespace, name, dict(dimensions or {}), when, unit, None, values, None, None
        )


def log_events(group: str, stream: str, messages: Iterable[str | tuple[int, str]]) -> None:
    """Append lines, or (milliseconds, line) pairs, to a log stream; made where it is absent."""
    logs = part("ministack.services.cloudwatch_logs")
    now = int(time.time() * 1000)
    pairs = [(now, entry) if isinstance(entry, str) else entry for entry in messages]
    events = [{"timestamp": when, "message": line} for when, line in pairs]
    where = {"logGroupName": group, "logStreamName": stream}
    with _lock:
        if group not in logs._log_groups:
            logs._create_log_group({"logGroupName": group})
        if stream not in logs._log_groups[group]["streams"]:
            logs._create_log_stream(where)
        logs._put_log_events({**where, "logEvents": events})


# --- The life of the cloud ----------------------------------------------------------------------


def on_ready(hook: Hook) -> None:
    """Call `hook` in a thread once saved state is read and requests are answered."""
    _ready.append(hook)


def on_stop(hook: Hook) -> None:
    """Call `hook` in a thread when the cloud stops, before its state is saved for the last time."""
    _stopping.append(hook)


def application() -> Any:
    """The ASGI application: ministack's, with our hooks about its start and its stop."""
    inner = part("ministack.app").app

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await inner(scope, receive, send)
            return

        async def heard() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(_run_hooks, reversed(_stopping))
            return message

        async def said(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                threading.Thread(target=_run_hooks, args=(_ready,), daemon=True).start()

        await inner(scope, heard, said)

    return app


def _run_hooks(hooks: Iterable[Hook]) -> None:
    for hook in hooks:
        try:
            hook()
        except Exception:
            log.exception("a hook of the local cloud failed: %s", hook)


def saved_services() -> dict[str, Callable[[], Any]]:
    """The services that hold state, and how to get it."""
    services: dict[str, Callable[[], Any]] = part("ministack.app")._build_persistence_save_dict()
    return services


def encode_state(service: str, state: Any) -> bytes:
    """A service's state as ministack reads it back."""
    persistence = part("ministack.core.persistence")
    version = persistence._state_format_version(service)
    wrapped = {"__ministack_format__": version, "payload": state}
    return json.dumps(wrapped, default=persistence._json_default).encode()
