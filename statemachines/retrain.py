"""From files that arrived (or drift, or a person's word) to a model in service.

Input: {"run_id", "reason", "cause", "dataset"}; the run's record has the rest. Lambda states decide
and build requests; the machine itself calls Glue, Athena and SageMaker and waits for them.
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import (
    Catch,
    Chain,
    Choice,
    Parallel,
    Pass,
    Retry,
    State,
    Task,
    Wait,
)

from statemachines import asl, endpoint

COMMENT = "driftloop: crawl, convert, quality, prepare, train, evaluate, gate, register, deploy"
# Another crawl may have listed the prefix before this run's files lay there: wait, then crawl.
CRAWLER_BUSY = Retry(
    error_equals=["Glue.CrawlerRunningException"],
    interval_seconds=2,
    max_attempts=300,
    backoff_rate=1.0,
)
LONG_CRAWL_MILLISECONDS = 60_000
# A day for its work, and two weeks in which a person may decide (gate.approval_timeout_hours).
TIMEOUT_SECONDS = 15 * 24 * 3600


def compiled() -> str:
    failure = asl.failure("fail", "RunFailed")
    finish = asl.step("Finish", "finish")
    asl.guard([finish], failure)
    deploy = _deploy(failure, finish)
    learn = _learn(failure, deploy, finish)
    data = _data(failure, learn)
    begin = asl.step("Begin", "begin")
    asl.guard([begin], failure)
    new_data = Choice("HasNewData")
    new_data.add_choice(ChoiceRule.BooleanEquals("$.begin.has_new_data", True), data.steps[0])
    new_data.default_choice(learn.steps[0])
    return asl.compiled(Chain([begin, new_data]), COMMENT, TIMEOUT_SECONDS)


def _data(failure: Chain, learn: Chain) -> Chain:
    """Register the new files, cast them to Parquet, account for every row, judge them."""
    update = asl.call(
        "UpdateCrawler",
        "aws-sdk:glue:updateCrawler",
        input_path="$.begin.crawler",
        retries=(CRAWLER_BUSY,),
    )
    start = asl.call(
        "StartCrawler",
        "aws-sdk:glue:startCrawler",
        parameters={"Name.$": "$.begin.crawler.Name"},
        retries=(CRAWLER_BUSY,),
    )
    plan = asl.step("PlanConvert", "convert")
    schema = asl.step("Schema", "schema")
    count = _query("Count", "$.convert.count")
    reconcile = asl.step("Reconcile", "reconcile")
    rejects = _query("Rejects", "$.reconcile.rejects")
    check = _query("Check", "$.reconcile.check")
    asl.guard([update, start, plan, schema, count, reconcile, rejects, check], failure)
    look = _crawled(failure, schema)
    limit = Choice("RejectsWithinLimit")
    limit.add_choice(
        ChoiceRule.BooleanEquals("$.reconcile.too_many", True),
        asl.failed("TooManyRejects", "$.reconcile", failure),
    )
    limit.default_choice(check)
    has_rejects = Choice("HasRejects")
    has_rejects.add_choice(ChoiceRule.BooleanEquals("$.reconcile.has_rejects", True), rejects)
    has_rejects.default_choice(check)
    rejects.next(limit)
    schema.next(_converted(failure, count))
    Chain([count, reconcile, has_rejects])
    Chain([check, _judged(failure, learn)])
    return Chain([update, start, plan, look])


def _converted(failure: Chain, count: Task) -> Choice:
    """One INSERT; or several, where there are more partitions than one may write, which a run finds
    out from the run before, from the size of its files, or from Athena's refusal."""
    convert = _query("Convert", "$.convert.convert")
    measure = _query("MeasurePartitions", "$.convert.measure")
    plan = asl.step("PlanPart", "plan_part")
    part = _query("ConvertPart", "$.plan_part.insert")
    # https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html
    refused = Choice("TooManyPartitions")
    refused.add_choice(
        ChoiceRule.StringMatches("$.error.Cause", "*HIVE_TOO_MANY_OPEN_PARTITIONS*"), measure
    )
    refused.default_choice(failure.steps[0])
    failed = ["States.TaskFailed"]
    convert.add_catch(Catch(error_equals=failed, next_step=refused, result_path="$.error"))
    asl.guard([convert, measure, plan, part], failure)
    more = Choice("MoreParts")
    more.add_choice(ChoiceRule.BooleanEquals("$.plan_part.more", True), plan)
    more.default_choice(count)
    Chain([measure, plan, part, more])
    convert.next(count)
    in_parts = Choice("InParts")
    in_parts.add_choice(ChoiceRule.BooleanEquals("$.convert.in_parts", True), measure)
    in_parts.default_choice(convert)
    return in_parts


def _query(name: str, request: str) -> Task:
    """A query whose request gives way to its execution's id: statements are long, and the
    execution's data is passed from state to state."""
    return asl.call(name, asl.QUERY, input_path=request, result_path=request)


def _judged(failure: Chain, learn: Chain) -> Task:
    """The verdict, after a look at rows that break a check, where there are any; a run of a
    dataset that no model learns from ends with it. A look that fails leaves the verdict as it is.
    """
    judge = asl.step("Judge", "judge")
    offenders = _query("Offenders", "$.judge.offenders")
    quality = asl.step("Quality", "quality")
    finish = asl.step("FinishData", "finish_data")
    asl.guard([judge, quality, finish], failure)
    without = Catch(error_equals=["States.ALL"], next_step=quality, result_path="$.judge.offenders")
    offenders.add_catch(without)
    broken = Choice("HasOffenders")
    broken.add_choice(ChoiceRule.IsPresent("$.judge.offenders", True), offenders)
    broken.default_choice(quality)
    judge.next(broken)
    trains = Choice("Trains")
    trains.add_choice(ChoiceRule.BooleanEquals("$.begin.trains", True), learn.steps[0])
    trains.default_choice(finish)
    Chain([offenders, quality, trains])
    return judge


def _crawled(failure: Chain, then: Task) -> Task:
    """GetCrawler until it is ready; a crawl that failed is a failed run.

    Looks are rarer after a minute: each is nine of the 25,000 events that an execution may have.
    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html
    """
    look = asl.call(
        "GetCrawler",
        "aws-sdk:glue:getCrawler",
        parameters={"Name.$": "$.begin.crawler.Name"},
        result_path="$.crawler",
    )
    asl.guard([look], failure)
    wait, longer = Wait("WaitForCrawler", seconds=1), Wait("WaitLongerForCrawler", seconds=20)
    wait.next(look)
    longer.next(look)
    elapsed = "$.crawler.Crawler.CrawlElapsedTime"
    long = ChoiceRule.And(
        [
            ChoiceRule.IsPresent(elapsed, True),
            ChoiceRule.NumericGreaterThan(elapsed, LONG_CRAWL_MILLISECONDS),
        ]
    )
    failed = asl.failed("CrawlFailed", "$.crawler.Crawler.LastCrawl", failure)
    ready = Choice("CrawlerReady")
    idle = ChoiceRule.StringEquals("$.crawler.Crawler.State", "READY")
    status = "$.crawler.Crawler.LastCrawl.Status"
    ready.add_choice(
        ChoiceRule.And(
            [idle, ChoiceRule.IsPresent(status, True), ChoiceRule.StringEquals(status, "FAILED")]
        ),
        failed,
    )
    ready.add_choice(idle, then)
    ready.add_choice(long, longer)
    ready.default_choice(wait)
    look.next(ready)
    return look


def _learn(failure: Chain, deploy: Chain, finish: Task) -> Chain:
    """Prepare, train, evaluate and profile in SageMaker jobs, those that an earlier run has not
    done already; then decide."""
    plan = asl.step("Plan", "plan")
    prepare = _job("Prepare", "createProcessingJob", "$.plan.prepare", "$.prepared")
    plan_training = asl.step("PlanTraining", "plan_training")
    train = _job("Train", "createTrainingJob", "$.plan_training.train", "$.trained")
    evaluate = _job("Evaluate", "createProcessingJob", "$.plan_training.evaluate", None)
    baseline = _job("Baseline", "createProcessingJob", "$.plan_training.baseline", None)
    wanted = "$.plan_training.model_baselines"
    of_model = _job("ModelBaselines", "createProcessingJob", wanted, None)
    measured = Parallel("EvaluateAndBaselines", result_path=None)
    measured.add_branch(_unless_reused("Evaluate", "$.plan_training.jobs.evaluate", evaluate))
    entry = "$.plan_training.jobs.model_baselines"
    measured.add_branch(_unless_reused("ModelBaselines", entry, of_model))
    both = Parallel("TrainAndBaseline", result_path=None)
    train.next(measured)
    both.add_branch(
        _unless_reused("Train", "$.plan_training.jobs.train", _tuned(train, measured), measured)
    )
    both.add_branch(_unless_reused("Baseline", "$.plan_training.jobs.baseline", baseline))
    gate = asl.step("Gate", "gate")
    promote = Choice("Promote")
    promote.add_choice(ChoiceRule.BooleanEquals("$.gate.promote", True), deploy.steps[0])
    promote.default_choice(finish)
    asl.guard([plan, prepare, plan_training, both, gate], failure)
    Chain([plan_training, both, gate, promote])
    prepare.next(plan_training)
    plan.next(_unless_reused("Prepare", "$.plan.jobs.prepare", prepare, plan_training))
    return Chain([plan])


def _unless_reused(name: str, entry: str, work: State, then: State | None = None) -> Choice:
    """Do a job's work unless its outputs are an earlier run's; then go on, or end the branch."""
    reused = Pass(f"{name}Reused", input_path=f"{entry}.reused", result_path="$.reused")
    choice = Choice(f"Reuses{name}")
    choice.add_choice(ChoiceRule.IsPresent(f"{entry}.reused", True), reused)
    choice.default_choice(work)
    if then is not None:
        reused.next(then)
    return choice


def _tuned(train: Task, then: State) -> Choice:
    """A search for hyper-parameters in place of one training, and the best of it kept."""
    tune = _job("Tune", "createHyperParameterTuningJob", "$.plan_training.train", "$.tuned")
    keep = asl.step("KeepBest", "keep_best")
    Chain([tune, keep, then])
    searches = Choice("Searches")
    searches.add_choice(ChoiceRule.BooleanEquals("$.plan_training.searches", True), tune)
    searches.default_choice(train)
    return searches


def _deploy(failure: Chain, finish: Task) -> Chain:
    """Register the model, then put it into service: a new endpoint, or an update of the old."""
    register = asl.step("Register", "register")
    plan = asl.step("PlanDeploy", "plan_deploy")
    model = asl.call(
        "CreateModel", "sagemaker:createModel", input_path="$.plan_deploy.create_model"
    )
    config = asl.call(
        "CreateEndpointConfig",
        "sagemaker:createEndpointConfig",
        input_path="$.plan_deploy.create_endpoint_config",
    )
    create = asl.call(
        "CreateEndpoint", "sagemaker:createEndpoint", input_path="$.register.endpoint"
    )
    update = asl.call(
        "UpdateEndpoint", "sagemaker:updateEndpoint", input_path="$.plan_deploy.update"
    )
    asl.guard([register, plan, model, config, create, update], failure)
    before = _before(failure, plan)
    after = endpoint.in_service(failure, finish, "$.register")
    create.next(after)
    update.next(after)
    in_lambda = Choice("ServedInLambda")  # which needs no endpoint; batches need the model
    in_lambda.add_choice(ChoiceRule.BooleanEquals("$.register.in_lambda", True), finish)
    in_lambda.default_choice(config)
    exists = Choice("EndpointExists")
    exists.add_choice(ChoiceRule.IsPresent("$.plan_deploy.update", True), update)
    exists.default_choice(create)
    Chain([plan, model, in_lambda])
    Chain([config, exists])
    by_hand = Choice("NeedsApproval")
    by_hand.add_choice(
        ChoiceRule.BooleanEquals("$.register.needs_approval", True),
        _approval(failure, before, finish),
    )
    by_hand.default_choice(before)
    return Chain([register, by_hand])


def _approval(failure: Chain, approved: Task, rejected: Task) -> Task:
    """Hand out a token and wait until a person sends it back, or the time is over.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
    """
    wait = Task(
        "AwaitApproval",
        resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
        parameters={
            "FunctionName": "${RunStepArn}",
            "Payload": {"step": "ask", "run.$": "$", "task_token.$": "$$.Task.Token"},
        },
        timeout_seconds_path="$.register.approval.timeout_seconds",
        result_path="$.approval",
        retry=[asl.retry("lambda")],
    )
    expire = asl.step("ExpireApproval", "expire", result_path="$.approval")
    wait.add_catch(Catch(error_equals=["States.Timeout"], next_step=expire, result_path=None))
    asl.guard([wait, expire], failure)
    decided = Choice("Approved")
    decided.add_choice(ChoiceRule.BooleanEquals("$.approval.approved", True), approved)
    decided.default_choice(rejected)
    wait.next(decided)
    expire.next(decided)
    return wait


def _before(failure: Chain, then: Task) -> Task:
    """What serves when nothing changes it any more. An endpoint whose first creation failed cannot
    be updated: it is made anew."""
    status = "$.endpoint_before.EndpointStatus"
    look = endpoint.describe("DescribeEndpointFirst", "$.register", "$.endpoint_before")
    # SageMaker's answer to an unknown endpoint is a ValidationException, which is no error name
    # of its own here. https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
    unknown = ["SageMaker.SageMakerException"]
    look.add_catch(Catch(error_equals=unknown, next_step=then, result_path="$.endpoint_before"))
    delete = asl.call(
        "DeleteFailedEndpoint",
        "aws-sdk:sagemaker:deleteEndpoint",
        parameters={"EndpointName.$": "$.register.endpoint.EndpointName"},
    )
    asl.guard([look, delete], failure)
    wait = Wait("WaitForEndpointFirst", seconds_path="$.register.poll_seconds")
    wait.next(look)
    delete.next(wait)
    idle = Choice("EndpointIdle")
    idle.add_choice(ChoiceRule.StringEquals(status, "Failed"), delete)
    busy = [ChoiceRule.StringEquals(status, each) for each in endpoint.BUSY]
    idle.add_choice(ChoiceRule.Or(busy), wait)
    idle.default_choice(then)
    look.next(idle)
    return look


def _job(name: str, operation: str, request: str, result_path: str | None) -> Task:
    return asl.call(
        name, f"sagemaker:{operation}.sync", input_path=request, result_path=result_path
    )
