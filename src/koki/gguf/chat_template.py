"""A chat template with a system prompt in it."""

from typing import Final

# What a string may not have in it as it is; other escapes, such as those of JSON, llama.cpp's Jinja does not know.
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def with_system_prompt(template: str, system: str) -> str:
    """The template, for conversations that start without a system message as if they started with this one.

    Of a base that can think before it answers (Qwen3), it asks for an answer without, as the run was trained to give.

    Args:
        template: Jinja, as Hugging Face's tokenizers and llama.cpp read it.
    """
    thinking = "{%- set enable_thinking = false %}" if "enable_thinking" in template else ""
    first = "{%- if messages[0]['role'] != 'system' %}"
    message = f"{{'role': 'system', 'content': \"{system.translate(_ESCAPES)}\"}}"
    return f"{thinking}{first}{{%- set messages = [{message}] + messages %}}{{%- endif %}}{template}"
