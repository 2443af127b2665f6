"""What may be asked, in OpenAI's form, and what a chef is asked then.

What OpenAI knows and Koki does not do is an error, unless it asks for nothing: `n` may be 1, `tools` may be empty.
"""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from koki.inference.chef import Chef, Turn
from koki.inference.engine import MAX_NEW_TOKENS
from koki.inference.streaming import Ask
from koki.serving.errors import ApiError

_MOST_MESSAGES: Final = 256
_LONGEST: Final = 65_536  # characters of a message: more than a context of 8,192 tokens holds


def _asks_for_nothing(value: Any) -> Any:
    if value:
        raise ValueError("this is not supported")
    return value


_Text = Annotated[str, StringConstraints(max_length=_LONGEST)]
# What is there in OpenAI's API and may be named as long as nothing is wanted of it.
_Unused = Annotated[Any, AfterValidator(_asks_for_nothing), Field(default=None, description="Not supported.")]
_Whatever = Annotated[Any, Field(default=None, description="Taken, and makes no difference.")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(_Strict):
    """A part of a message."""

    type: Literal["text"]
    text: _Text


class Message(_Strict):
    """A message; what it holds is text, whatever it looks like.

    An answer may be sent back as it came.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: _Text | Annotated[list[TextPart], Field(max_length=_MOST_MESSAGES)]
    name: _Whatever
    koki: _Whatever
    refusal: _Unused
    annotations: _Unused
    audio: _Unused
    function_call: _Unused
    tool_calls: _Unused

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


class StreamOptions(_Strict):
    """What a stream has besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: _Unused


class ResponseFormat(_Strict):
    """The form of an answer."""

    type: Literal["text"]


class ChatRequest(_Strict):
    """`POST /v1/chat/completions`."""

    model: Annotated[str, StringConstraints(max_length=256)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=_MOST_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: (
        Annotated[str, StringConstraints(min_length=1, max_length=256)]
        | Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=256)]], Field(max_length=4)]
        | None
    ) = None
    n: Literal[1] | None = None
    response_format: ResponseFormat | None = None
    book: Annotated[bool | None, Field(description="Look in the book first; null leaves it to the chef.")] = None
    strict: Annotated[bool | None, Field(description="Lists are the book's own, put in by program.")] = None
    user: _Whatever
    metadata: _Whatever
    service_tier: _Whatever
    safety_identifier: _Whatever
    prompt_cache_key: _Whatever
    parallel_tool_calls: _Whatever
    presence_penalty: _Unused
    frequency_penalty: _Unused
    logit_bias: _Unused
    logprobs: _Unused
    top_logprobs: _Unused
    tools: _Unused
    functions: _Unused
    store: _Unused
    audio: _Unused
    modalities: _Whatever
    prediction: _Unused
    reasoning_effort: _Unused
    verbosity: _Unused
    web_search_options: _Unused

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts before which the answer ends."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def is_strict(self) -> bool:
        """Whether lists shall be the book's own: unless it is asked otherwise."""
        return self.strict is not False

    @property
    def wants_usage(self) -> bool:
        """Whether the stream ends with the number of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class Conversation(NamedTuple):
    """Messages as a chef takes them."""

    instructions: str
    history: list[Turn]
    question: str


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """Messages as turns: what somebody says in several of them is said at once.

    Raises:
        ApiError: the last word is not the user's.
    """
    instructions = "\n\n".join(it.text for it in messages if it.role in ("system", "developer"))
    said = [it for it in messages if it.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise ApiError(400, "The last message should be the user's.", param="messages", code="invalid_value")
    blocks = [
        (role, "\n\n".join(it.text for it in block)) for role, block in groupby(said, key=lambda message: message.role)
    ]
    if blocks[0][0] == "assistant":  # a greeting
        blocks.insert(0, ("user", ""))
    texts = [text for _, text in blocks]
    return Conversation(instructions, list(zip(texts[:-1:2], texts[1::2], strict=True)), texts[-1])


def ask_of(request: ChatRequest, chef: Chef, *, book: bool | None) -> Ask:
    """What asks the chef.

    Args:
        book: as `koki.Chef.ask`, where the request does not say it.

    Raises:
        ApiError: it cannot be asked so.
    """
    instructions, history, question = conversation_of(request.messages)
    most = request.max_completion_tokens or request.max_tokens or MAX_NEW_TOKENS
    if most > chef.context:
        message = f"The model reads {chef.context:,} tokens, question and answer together."
        raise ApiError(400, message, param="max_tokens", code="invalid_value")
    return partial(
        chef.ask,
        question,
        history=history,
        instructions=instructions,
        max_new_tokens=most,
        temperature=request.temperature or 0.0,
        top_p=1.0 if request.top_p is None else request.top_p,
        seed=request.seed,
        book=book if request.book is None else request.book,
        strict=request.is_strict,
    )
