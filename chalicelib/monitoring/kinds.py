"""The four kinds of look, in the order in which they look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.monitoring import attribution, bias, data_quality, model_quality
from chalicelib.monitoring.kind import Kind

if TYPE_CHECKING:
    from chalicelib.settings import Settings

KINDS = {
    kind.name: kind for kind in (data_quality.KIND, model_quality.KIND, bias.KIND, attribution.KIND)
}
OF_DATA = data_quality.KIND.name  # its baseline needs no model


def unfit(kind: Kind, settings: Settings) -> str:
    """Why a pipeline is not judged so; "" where it is."""
    if kind.name not in settings.monitor.kinds:
        return f"monitor.kinds leaves {kind.name} out"
    return kind.unfit(settings)


def of_model(settings: Settings) -> list[str]:
    """The kinds whose baseline a new model makes."""
    return [name for name, kind in KINDS.items() if name != OF_DATA and not unfit(kind, settings)]
