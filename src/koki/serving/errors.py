"""What is told where something cannot be answered, in OpenAI's form; never a path, nor where in Koki it happened."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from koki.errors import EmptyQuestion, KokiError, QuestionTooLong
from koki.serving.waiting_line import LineFull
from koki.terminal import harmless

_LOG: Final = logging.getLogger("koki.serving")
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 503: "server_overloaded"}
_CODES: Final = {404: "not_found", 405: "method_not_allowed", 408: "request_timeout", 413: "request_too_large"}
_MOST_NAMED: Final = 100  # characters of what a client called something


class ApiError(Exception):
    """What a client is told.

    Args:
        status: of HTTP.
        param: the part of the request that is wrong.
        code: for programs.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        otherwise = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = _TYPES.get(self.status, otherwise)
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The answer that says it."""
        return JSONResponse(self.as_dict(), self.status, self.headers)


def error_of(error: Exception) -> ApiError:
    """What a client is told of an error; of one that is not its own, only that there was one."""
    match error:
        case ApiError():
            return error
        case LineFull():
            headers = {"Retry-After": str(error.retry_after)}
            message = f"The kitchen is full. Ask again in {error.retry_after} s."
            return ApiError(503, message, code="server_overloaded", headers=headers)
        case EmptyQuestion():
            return ApiError(400, str(error), param="messages", code="empty_question")
        case QuestionTooLong():
            message = f"The question has {error.tokens:,} tokens; the model reads {error.context:,}."
            return ApiError(400, message, param="messages", code="context_length_exceeded")
        case HTTPException():
            return ApiError(error.status_code, str(error.detail), code=_CODES.get(error.status_code))
        case RequestValidationError():
            return _of_request(error.errors())
        case _:
            return ApiError(500, "Something went wrong in the server; its log has more.", code="internal_error")


def tell_errors(app: FastAPI) -> None:
    """Have all errors of an app told in this form."""

    async def told(_: Request, error: Exception) -> JSONResponse:
        answer = error_of(error)
        if answer.status == 500 and isinstance(error, KokiError):  # of others the server itself writes more
            _LOG.error("%s", harmless(str(error)))
        return answer.response()

    for kind in (ApiError, LineFull, KokiError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, told)


def _of_request(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """What is wrong with a request, of several things the first; what it holds is not repeated."""
    if not errors:
        return ApiError(400, "The request cannot be read.")
    first = errors[0]
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    param = as_text(".".join(where))[:_MOST_NAMED] or None
    if first["type"] == "json_invalid":
        return ApiError(400, "The body is no JSON.", code="invalid_json")
    if tuple(first["loc"]) == ("body",):
        return ApiError(400, "The body should be an object, of Content-Type application/json.", code="invalid_value")
    if first["type"] == "extra_forbidden":
        return ApiError(400, f"Koki knows no {param}.", param=param, code="unknown_parameter")
    said = as_text(str(first["msg"])).removeprefix("Value error, ")
    if where[:1] == ["messages"] and first["type"] in ("string_too_long", "too_long"):
        return ApiError(400, f"{param}: {said}", param=param, code="context_length_exceeded")
    code = "unsupported_parameter" if "not supported" in said else "invalid_value"
    return ApiError(400, f"{param}: {said}" if param else said, param=param, code=code)


def as_text(text: str) -> str:
    """Half characters, which JSON may carry, become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
