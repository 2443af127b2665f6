"""A chat template with a system prompt in it."""

import json


def with_system_prompt(template: str, system: str) -> str:
    """The template, for conversations that start without a system message as if they started with this one.

    Args:
        template: Jinja, as Hugging Face's tokenizers and llama.cpp read it.
    """
    # written in ASCII, the prompt can neither end the block nor the string, and every reader of Jinja takes it
    literal = json.dumps(system).replace("{", "\\u007b").replace("}", "\\u007d").replace("%", "\\u0025")
    first = "{%- if messages[0]['role'] != 'system' %}"
    added = f"{{%- set messages = [{{'role': 'system', 'content': {literal}}}] + messages %}}"
    return f"{first}{added}{{%- endif %}}{template}"
