"""The Lambda functions: routes and event handlers, a few lines each; the logic is in chalicelib.

Event patterns name no bucket, queue or machine of a stack: infrastructure/template.yaml adds those.
"""

from typing import Any

from chalice import Chalice, IAMAuthorizer, Response
from chalice.app import CloudWatchEvent, SQSEvent

from chalicelib import events
from chalicelib.api import administration, cors, requests, routes

app = Chalice(app_name="driftloop", configure_logs=False)
app.register_middleware(requests.request_ids, "http")
app.register_middleware(requests.structured_errors, "http")
administrators = IAMAuthorizer()
BODIES = [requests.JSON, *requests.JSON_LINES]
CORS = cors.config()


@app.route("/predictions", methods=["POST"], content_types=BODIES, api_key_required=True, cors=CORS)
def predict() -> Response:
    return routes.predict(app.current_request)


@app.route("/feedback", methods=["POST"], content_types=BODIES, api_key_required=True, cors=CORS)
def feedback() -> Response:
    return routes.feedback(app.current_request)


@app.route("/health", methods=["GET"], cors=CORS)
def health() -> Response:
    return routes.health(app.current_request)


@app.route("/openapi.json", methods=["GET"], cors=CORS)
def openapi() -> Response:
    return routes.openapi(app.current_request)


@app.route("/docs", methods=["GET"])
def docs() -> Response:
    return routes.docs(app.current_request)


@app.route("/models", methods=["GET"], authorizer=administrators)
def models() -> Response:
    return administration.models(app.current_request)


@app.route("/runs", methods=["GET"], authorizer=administrators)
def list_runs() -> Response:
    return administration.list_runs(app.current_request)


@app.route("/runs", methods=["POST"], authorizer=administrators)
def start_run() -> Response:
    return administration.start_run(app.current_request)


@app.route("/runs/{run_id}/retry", methods=["POST"], authorizer=administrators)
def retry_run(run_id: str) -> Response:
    return administration.retry_run(app.current_request)


@app.route("/runs/{run_id}/stop", methods=["POST"], authorizer=administrators)
def stop_run(run_id: str) -> Response:
    return administration.stop_run(app.current_request)


@app.route("/drift", methods=["GET"], authorizer=administrators, name="list_drift")
def list_drift() -> Response:
    return administration.list_drift(app.current_request)


@app.route("/reviews", methods=["GET"], authorizer=administrators)
def list_reviews() -> Response:
    return administration.list_reviews(app.current_request)


@app.route("/reviews/{review_id}", methods=["POST"], authorizer=administrators)
def answer_review(review_id: str) -> Response:
    return administration.answer_review(app.current_request)


@app.route("/models/{version}/approval", methods=["POST"], authorizer=administrators)
def decide_approval(version: str) -> Response:
    return administration.decide_approval(app.current_request)


@app.route("/links/{token}", methods=["GET"])
def open_link(token: str) -> Response:
    return routes.open_link(app.current_request)


@app.route("/links/{token}", methods=["POST"], content_types=[requests.FORM])
def decide_link(token: str) -> Response:
    return routes.decide_link(app.current_request)


@app.on_cw_event(
    {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"object": {"key": [{"prefix": "incoming/"}]}},
    }
)
def intake(event: CloudWatchEvent) -> Any:
    return events.intake(event.to_dict(), event.context)


@app.on_sqs_message(queue="driftloop-coalesce", batch_size=1)
def coalesce(event: SQSEvent) -> Any:
    return events.coalesce(event.to_dict(), event.context)


@app.schedule("rate(1 minute)")
def sweep(event: CloudWatchEvent) -> Any:
    return events.sweep(event.to_dict(), event.context)


@app.lambda_function()
def run_step(event: dict[str, Any], context: Any) -> Any:
    return events.run_step(event, context)


@app.on_cw_event(
    {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"object": {"key": [{"prefix": "batch/in/"}]}},
    }
)
def batch(event: CloudWatchEvent) -> Any:
    return events.batch(event.to_dict(), event.context)


@app.lambda_function()
def batch_step(event: dict[str, Any], context: Any) -> Any:
    return events.batch_step(event, context)


@app.on_cw_event(
    {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }
)
def run_ended(event: CloudWatchEvent) -> Any:
    return events.run_ended(event.to_dict(), event.context)


@app.on_cw_event(
    {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelApprovalStatus": ["Approved", "Rejected"]},
    }
)
def approval(event: CloudWatchEvent) -> Any:
    return events.approval(event.to_dict(), event.context)


@app.lambda_function()
def monitor_step(event: dict[str, Any], context: Any) -> Any:
    return events.monitor_step(event, context)


@app.on_cw_event(
    {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"state": {"value": ["ALARM", "OK"]}},
    }
)
def drift(event: CloudWatchEvent) -> Any:
    return events.drift(event.to_dict(), event.context)


@app.lambda_function()
def webhook(event: dict[str, Any], context: Any) -> Any:
    return events.webhook(event, context)
