"""A chat template with a system prompt in it."""

from typing import Final

# What a string may not have in it as it is; other escapes, such as those of JSON, llama.cpp's Jinja does not know.
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def with_system_prompt(template: str, system: str) -> str:
    """The template, for conversations that start without a system message as if they started with this one.

    Args:
        template: Jinja, as Hugging Face's tokenizers and llama.cpp read it.
    """
    first = "{%- if messages[0]['role'] != 'system' %}"
    message = f"{{'role': 'system', 'content': \"{system.translate(_ESCAPES)}\"}}"
    return f"{first}{{%- set messages = [{message}] + messages %}}{{%- endif %}}{template}"
