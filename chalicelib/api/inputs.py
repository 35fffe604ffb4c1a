"""A record to predict, held against the dataset's schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chalicelib.settings import Settings

Record = dict[str, Any]


class Inputs:
    """What the model of these settings takes."""

    def __init__(self, settings: Settings) -> None:
        self.names = settings.model.inputs
        self.schema = schema(settings)
        self._others = {column.name for column in settings.dataset.columns} - set(self.names)

    def read(self, entry: Any, where: str = "") -> Record:
        """The inputs of a record, those that are missing left out; the dataset's other columns are
        passed over. ApiError names the field, `where` the record.
        """
        import pydantic

        if not isinstance(entry, dict):
            raise ApiError(400, "invalid_record", f"{where or 'a record'} must be an object", where)
        wanted = {name: value for name, value in entry.items() if name not in self._others}
        try:
            model = self.schema.model_validate(wanted)
        except pydantic.ValidationError as error:
            raise self._refusal(error, where) from error
        return model.model_dump(mode="json", exclude_none=True)

    def _refusal(self, error: Any, where: str) -> ApiError:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        field = f"{where}.{name}" if where else name
        if first["type"] == "missing":
            return ApiError(400, "missing_field", f"{field} is missing", field)
        if first["type"] == "extra_forbidden":
            inputs = ", ".join(self.names)
            words = f"{field} is not a field of this model; its fields are: {inputs}"
            return ApiError(400, "unknown_field", words, field)
        if first["type"] in {"string_too_short", "string_pattern_mismatch"}:
            return ApiError(400, "invalid_field", f"{field} is empty", field)
        number = len(first["loc"]) > 1  # an integer or a fraction: the first alternative spoke
        words = "Input should be a valid number" if number else first["msg"]
        return ApiError(400, "invalid_field", f"{field}: {words}", field)


def schema(settings: Settings) -> type[BaseModel]:
    """A record as a pydantic model, from the dataset's columns."""
    types = {column.name: str(column.type) for column in settings.dataset.columns}
    fields = tuple(
        (name, types.get(name, "string"), name in settings.model.required)
        for name in settings.model.inputs
    )
    return _schema(fields)


@cache
def _schema(fields: tuple[tuple[str, str, bool], ...]) -> type[BaseModel]:
    import datetime as dt
    from typing import Annotated, Optional

    import pydantic

    text = Annotated[str, pydantic.StringConstraints(min_length=1, pattern=r"\S")]
    kinds: dict[str, Any] = {
        "string": str,
        "integer": pydantic.StrictInt,
        "number": pydantic.StrictInt | pydantic.StrictFloat,
        "float": pydantic.StrictInt | pydantic.StrictFloat,
        "double": pydantic.StrictInt | pydantic.StrictFloat,
        "boolean": pydantic.StrictBool,
        "date": dt.date,
        "timestamp": dt.datetime,
    }
    members: dict[str, Any] = {}
    for name, kind, required in fields:
        base = text if required and kind == "string" else kinds[kind]
        members[name] = (base, ...) if required else (Optional[base], None)  # noqa: UP045
    config = pydantic.ConfigDict(extra="forbid", protected_namespaces=())
    return pydantic.create_model("Record", __config__=config, **members)
