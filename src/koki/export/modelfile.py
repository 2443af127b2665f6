"""How Ollama runs a GGUF file of a run: its Modelfile.

The grammar of a Modelfile has no escapes: a value between triple quotes ends with the first line that ends so, and what
Go does not print is dropped. Go's templates do have escapes. So the system prompt stands in TEMPLATE too, where any
survives, for conversations that bring none of their own.
"""

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from koki.errors import ModelError
from koki.language import _
from koki.tokens.sandbox import render

if TYPE_CHECKING:  # it takes a second to import
    from transformers import PreTrainedTokenizerBase

    from koki.tokens.file_tokenizer import FileTokenizer

# The words that stand for messages when the chat template is rendered.
_SYSTEM: Final = "KOKISYSTEM"
_QUESTIONS: Final = ("KOKIFIRST", "KOKISECOND", "KOKITHIRD")
_ANSWERS: Final = ("KOKIREPLY", "KOKIANSWER", "KOKIEND")
_NO_SYSTEM: Final = "# No SYSTEM: a Modelfile cannot hold this system prompt. It stands in TEMPLATE."
_LONGEST_NAME: Final = 80  # characters that Ollama allows


@dataclass(frozen=True, slots=True)
class _Forms:
    """What a chat template writes around messages.

    Attributes:
        before_system, after_system: the system prompt.
        before_question: any question.
        before_answer, after_answer: an answer that a question follows.
        before_new_answer: the answer that is asked for.
    """

    before_system: str
    after_system: str
    before_question: str
    before_answer: str
    after_answer: str
    before_new_answer: str

    def text(self, system: str, turns: list[tuple[str, str]]) -> str:
        """A conversation up to the end of its last answer."""
        *earlier, (question, answer) = turns
        told = (self.before_question + asked + self.before_answer + said + self.after_answer for asked, said in earlier)
        opening = self.before_system + system + self.after_system + "".join(told)
        return opening + self.before_question + question + self.before_new_answer + answer


def modelfile(
    file: str, tokenizer: "PreTrainedTokenizerBase | FileTokenizer", system: str, *, stop: str, context: int
) -> str:
    """The Modelfile of a GGUF file that lies beside it.

    Args:
        file: its name.
        tokenizer: whose chat template is written out, in the words of Go's text/template.
        system: the system prompt of the run.
        stop: the text of the token that ends an answer.
        context: tokens that the model reads.

    Raises:
        ModelError: the chat template cannot be written so, or the file has a name that a Modelfile cannot hold.
    """
    if not file.isprintable():
        raise ModelError(_("A Modelfile cannot name the file {file!r}.", file=file), _("Rename the run folder."))
    lines = [
        f"FROM ./{file}",
        f'TEMPLATE """{template_of(tokenizer, system)}"""',
        f'SYSTEM """{system}"""' if survives(system) else _NO_SYSTEM,
        f'PARAMETER stop "{stop}"',
        "PARAMETER temperature 0",
        f"PARAMETER num_ctx {context}",
    ]
    return "\n".join(lines) + "\n"


def template_of(tokenizer: "PreTrainedTokenizerBase | FileTokenizer", system: str) -> str:
    """The chat template as Ollama's TEMPLATE; a conversation without a system message starts with ``system``.

    Raises:
        ModelError: it writes messages in a way that this cannot say.
    """
    forms = _forms(tokenizer)
    told = f"{{{{ if .System }}}}{{{{ .System }}}}{{{{ else }}}}{_go(system)}{{{{ end }}}}"
    opening = f"{_go(forms.before_system)}{told}{_go(forms.after_system)}"
    new_answer = _go(forms.before_new_answer)
    question = f"{_go(forms.before_question)}{{{{ .Content }}}}{{{{ if $last }}}}{new_answer}{{{{ end }}}}"
    answer = (
        f"{{{{ if $last }}}}{new_answer}{{{{ .Content }}}}"
        f"{{{{ else }}}}{_go(forms.before_answer)}{{{{ .Content }}}}{_go(forms.after_answer)}{{{{ end }}}}"
    )
    return (
        f"{opening}{{{{ range $i, $_ := .Messages }}}}{{{{ $last := eq (len (slice $.Messages $i)) 1 }}}}"
        f'{{{{ if eq .Role "user" }}}}{question}{{{{ else if eq .Role "assistant" }}}}{answer}{{{{ end }}}}'
        "{{ end }}"
    )


def survives(text: str) -> bool:
    """Whether a Modelfile gives a text between triple quotes back as it is."""
    *lines, _ = text.split("\n")
    ends_early = any(line.rstrip().endswith('"""') for line in lines)
    return text.replace("\n", "").isprintable() and not ends_early


def ollama_name(folder: str) -> str:
    """A name that Ollama takes, after that of a folder."""
    bare = re.sub(r"[^a-z0-9._-]+", "-", folder.lower()).strip("._-")
    return bare[:_LONGEST_NAME] or "koki"


def _forms(tokenizer: "PreTrainedTokenizerBase | FileTokenizer") -> _Forms:
    """What the chat template writes around messages, taken from a conversation of marker words.

    Raises:
        ModelError: it does not write every turn alike.
    """
    turns = list(zip(_QUESTIONS, _ANSWERS, strict=True))
    messages = [{"role": "system", "content": _SYSTEM}]
    for question, answer in turns:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    (rendered,) = render(tokenizer, [messages])
    said = rendered.rpartition(_ANSWERS[-1])[0]
    markers = (_SYSTEM, *(text for turn in turns for text in turn))
    parts = re.split("|".join(markers), rendered)
    if len(parts) == len(markers) + 1:
        before_question = _common_end(parts[1], parts[3])
        forms = _Forms(
            before_system=parts[0],
            after_system=parts[1].removesuffix(before_question),
            before_question=before_question,
            before_answer=parts[2],
            after_answer=parts[3].removesuffix(before_question),
            before_new_answer=parts[6],
        )
        if forms.text(_SYSTEM, turns) == said + _ANSWERS[-1]:
            return forms
    raise ModelError(
        _("The chat template of the base does not write every turn alike, so Ollama's TEMPLATE cannot say it."),
        _("Use an instruct model of the Qwen2 or Qwen3 family."),
    )


def _common_end(one: str, other: str) -> str:
    """The longest end that two texts share."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(reversed(one), reversed(other), strict=False))
    return "".join(character for character, _ in alike)[::-1]


# What a template or a Modelfile would take for something else, or drop.
_NOT_PLAIN: Final = re.compile(r'\{+|"{3,}|(?!\n)[^ -~]')


def _go(text: str) -> str:
    """A text as Go's text/template writes it, where need be as string literals of Go's."""
    return _NOT_PLAIN.sub(lambda found: found[0] if _is_plain(found[0]) else f'{{{{ "{_escaped(found[0])}" }}}}', text)


def _is_plain(text: str) -> bool:
    return text[0] not in '{"' and text.isprintable()


def _escaped(text: str) -> str:
    return "".join(rf"\{c}" if c == '"' else c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
