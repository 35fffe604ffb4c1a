"""Which versions get the traffic: the champion alone, or another beside it as its shadow or in an
A/B test; and how a person's word changes that. Pure decisions.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS = {"shadow": "a shadow", "ab": "an A/B test"}


class RefusedError(Exception):
    """What is asked for cannot be done as things stand; the words say why."""


@dataclass(frozen=True)
class Serving:
    """What serves: `beside` gets a copy of `share` of the requests (shadow), or answers it (ab)."""

    champion: int
    kind: str | None = None
    beside: int | None = None
    share: float = 0.0

    @classmethod
    def of(cls, champion: int, experiment: Mapping[str, Any] | None) -> Serving:
        """The champion's version, and the record of an experiment if one runs."""
        if not experiment:
            return cls(champion)
        return cls(champion, experiment["kind"], experiment["model_version"], experiment["share"])

    @property
    def words(self) -> str:
        if self.kind == "shadow":
            return (
                f"Version {self.beside} shadows {self.champion}: it gets a copy of "
                f"{self.share:.0%} of the requests and answers nobody"
            )
        if self.kind == "ab":
            return f"Version {self.beside} answers {self.share:.0%}, {self.champion} the rest"
        return f"Model version {self.champion} is in service"

    def document(self) -> dict[str, Any]:
        return asdict(self)


def decide(request: Mapping[str, Any], now: Serving, previous: int | None) -> Serving:
    """What serves after {"action": rollback | start | promote | stop, "kind", "version", "share"}.

    `previous`: the version to go back to where a rollback names none. RefusedError says why not.
    """
    action, version = request["action"], request.get("version")
    if action == "rollback":
        return _rollback(now, version if version is not None else previous)
    if action == "start":
        return _start(now, request["kind"], version, float(request["share"]))
    if action not in ("promote", "stop"):
        raise RefusedError(f"there is no action {action!r}")
    if now.kind is None or now.kind != request["kind"]:
        raise RefusedError(f"{KINDS[request['kind']]} does not run")
    return Serving(int(now.beside or 0) if action == "promote" else now.champion)


def reweighs(before: Serving, after: Serving) -> bool:
    """Whether the same versions serve and only their weights change."""
    return before.kind == after.kind == "ab" and before.beside == after.beside


def unservable(parameters: Mapping[str, str], transformers: bool) -> str:
    """Why the function that serves cannot hold the model of a training with these parameters.

    Empty where it can. `transformers`: whether ONNX Runtime was deployed with it.
    """
    from chalicelib.learning import OURS

    kind, export = parameters.get("model", "linear"), parameters.get("export", "none")
    if parameters.get("sagemaker_program", OURS) != OURS:
        return "it is of a script of your own, which needs an endpoint"
    if kind == "linear":
        return ""
    if kind != "transformer" or not export.startswith("onnx"):
        return f"a {kind} model that is not in ONNX needs an endpoint"
    if not transformers:
        return "it is a transformer: deploy with its [training] first, which brings ONNX Runtime"
    return ""


def _rollback(now: Serving, target: int | None) -> Serving:
    if target is None:
        raise RefusedError("no earlier version is there to go back to")
    if target == now.champion:
        raise RefusedError(f"version {target} is in service already")
    return Serving(target)


def _start(now: Serving, kind: str, version: int | None, share: float) -> Serving:
    if kind not in KINDS:
        raise RefusedError(f"there is no experiment {kind!r}")
    if version is None:
        raise RefusedError("say which version")
    if version == now.champion:
        raise RefusedError(f"version {version} is in service already")
    if not 0 < share <= 1 or (kind == "ab" and share == 1):
        raise RefusedError(f"a share of {share:g} cannot be: more than 0, and no more than all")
    if now.kind and (now.kind, now.beside) != (kind, version):
        raise RefusedError(
            f"{KINDS[now.kind]} of version {now.beside} runs: promote or stop it first"
        )
    return Serving(now.champion, kind, version, share)
