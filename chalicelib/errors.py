"""What the API answers when it refuses: a status, a code, words, and the field at fault."""

from __future__ import annotations


class ApiError(Exception):
    """Becomes {"error": {"code", "message", "field"?}} with its status."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field

    def body(self) -> dict[str, dict[str, str]]:
        error = {"code": self.code, "message": self.message}
        return {"error": error | ({"field": self.field} if self.field else {})}
