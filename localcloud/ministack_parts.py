"""Every inner part of ministack that we call, read or replace, by module. Data only.

A ministack that moves one of these stops the local cloud at its start, with the names.
"""

VERSION = "1.5.33"

PARTS = {
    "ministack.app": (
        "app SERVICE_HANDLERS _state_map _loaded_modules _build_persistence_save_dict "
        "call_service_handler_sync _parse_execute_api_url pin_request_origin"
    ),
    "ministack.core.router": "_is_aws_service_name extract_access_key_id",
    "ministack.core.iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE extract_resource_arn request_tag_context"
    ),
    "ministack.core.iam_evaluator": "AuthError EvalContext evaluate resolve_principal",
    "ministack.services.sts": "register_session",
    "ministack.services.secretsmanager": "_resolve",
    "ministack.core.responses": (
        "_expected_envelope_content_type get_account_id get_region set_request_account_id "
        "set_request_region _service_model _BOTOCORE_NAME"
    ),
    "ministack.core.persistence": "_json_default _state_format_version",
    "ministack.core.lambda_runtime": (
        "_PYTHON_WORKER_SCRIPT Worker zipfile _workers _lock kill_workers"
    ),
    "ministack.services.stepfunctions": (
        "_SERVICE_DISPATCH _ExecutionError _invoke_aws_sdk_integration _invoke_resource "
        "_invoke_resource_with_timeout _run_execution _fail_execution _run_sub_machine "
        "_run_parallel_branches _execute_task _execute_pass _execute_choice _execute_wait "
        "_execute_parallel _execute_map _add_event _executions _state_machines "
        "_emit_execution_status_event _sdk_json_params _sdk_json_result _apply_input_path "
        "_apply_output_path _apply_parameters _apply_result_selector _apply_result_path "
        "_apply_state_assign _apply_jsonata_arguments _apply_jsonata_output _apply_catcher "
        "_error_matches _start_execution _start_sync_execution _send_task_success _next_or_end "
        "_fail_state_error _invoke_with_callback _task_tokens _resolve_path_or_ctx now_iso "
        "_service_model time"
    ),
    "ministack.services.apigateway_v1": "_import_rest_api _put_gateway_response",
    "ministack.services.glue": "_crawlers",
    "ministack.services.s3": "_fire_s3_event",
    "ministack.services.eventbridge": (
        "_put_events _dispatch_event _invoke_target _SCHEDULER_TICK_INTERVAL _parse_rate_seconds "
        "_parse_cron_fields _cron_next_fire"
    ),
    "ministack.services.scheduler": (
        "_SCHEDULE_TICK_INTERVAL _tick_schedules _schedules _schedule_last_fired _to_epoch "
        "_create_schedule _update_schedule _error"
    ),
    "ministack.services.cloudwatch": (
        "_metrics _alarms _composite_alarms _evaluate_alarm _evaluate_parent_alarms "
        "_dispatch_alarm_actions _put_composite_alarm _delete_alarms "
        "_record_history _history_entries _store_datum _calc_stats _stat_value _dims_key "
        "_put_metric_data _parse_ts _error"
    ),
    "ministack.services.cloudwatch_logs": (
        "_log_groups _create_log_group _create_log_stream _append_log_events _put_log_events"
    ),
    "ministack.services.lambda_svc": "_execute_function_warm _fetch_code_from_s3",
    "ministack.services.cloudformation.engine": "CfnLoader",
    "ministack.services.cloudformation.provisioners": "_RESOURCE_HANDLERS",
}
