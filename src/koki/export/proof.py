"""Whether a GGUF file says what the run says that it was made from: llama.cpp against transformers.

Three things are compared: what the chat template makes of conversations, the token ids of texts, and the answers to
questions. An answer of the file is given to the run's model token by token: it is the model's own greedy answer if and
only if each token is the one that the model thinks likeliest there. So no answer has to be generated twice, and where
one differs it is known by how much.

A near tie is a place where the model thinks another token likelier than the one said, by so little that rounding
decides: a file in float16 rounds each weight by up to 2^-11 of it, and llama.cpp rounds what it multiplies by them too.
"""

import importlib.util
import random
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import torch

from koki.data.recipes import shipped_recipes
from koki.errors import DataError, ProofError
from koki.evaluation.asked import Asked
from koki.evaluation.evaluate import exam_of
from koki.language import _
from koki.model.source import load_tokenizer
from koki.runs.finished import FinishedRun
from koki.tokens.sandbox import render
from koki.tokens.template import ChatTemplate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from koki.export.opened_file import OpenedFile
    from koki.export.reference import Reference

_ANSWERS: Final = 20
_MOST_TOKENS: Final = 96  # of an answer that is compared
_REFERENCES: Final = 50
_MOST_SCORED: Final = 32  # tokens of a reference answer that are scored
_SEED: Final = 17
_OF_EACH: Final = 4  # questions of each capability in each group, of which those are drawn

# By what share of the highest logit another may be below it, for rounding to have decided: four roundings to float16
# (2^-11), and 256 to float32 (2^-24), whose sums are added up in another order. Measured of 1,000 tokens: logarithms of
# probabilities are at most 0.6 (mini) and 1.0 (0.5b) roundings to float16 away, with logits up to 26 and 19, and 47 of
# float32 (mini).
_NEAR_TIE: Final = {"f16": 2**-9, "f32": 2**-16}


@dataclass(frozen=True, slots=True)
class NearTie:
    """Where rounding decided.

    Attributes:
        place: of the token in the answer, counted from 0.
        said, likelier: the file's token, and the model's.
        distance: of their logits.
    """

    question: str
    place: int
    said: str
    likelier: str
    distance: float


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answers were compared, and how many are equal to the letter."""

    compared: int
    equal: int
    tokens: int
    near_ties: tuple[NearTie, ...]


@dataclass(frozen=True, slots=True)
class Templates:
    """Conversations whose texts were compared; ``prompts`` are those whose token ids are what the run was asked."""

    compared: int
    equal: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids that were compared; ``not_composed`` are texts in which llama.cpp leaves accents apart from letters."""

    compared: int
    equal: int
    not_composed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """The mean negative logarithm of the probability of a token of the true answers, with the run's model and the file.

    Attributes:
        answers, tokens: that were scored.
    """

    answers: int
    tokens: int
    adapter: float
    file: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared and found equal.

    Attributes:
        llama_cpp: the wheel that opened the file, with its version.
    """

    llama_cpp: str
    template: Templates
    tokens: Tokens
    answers: Answers
    loss: Loss

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


NOT_INSTALLED: Final = "xllamacpp is not installed"


def prove(run: FinishedRun, file: Path, file_type: str) -> dict[str, Any]:
    """Compare what a file says with what its run says.

    Args:
        file_type: one of `koki.gguf.write.TYPES`. In float32 and float16 the answers must be equal to the letter; of
            others it is counted how many are.

    Returns:
        `Proof.as_dict`, or under ``not_proven`` why there is none.

    Raises:
        ProofError: the file says something else; at which text and place.
        ModelError: llama.cpp cannot open the file, or the base cannot be loaded.
        RunError, CheckpointError: base or adapter are not those of the run.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        return {"not_proven": NOT_INSTALLED}
    from koki.export.opened_file import OPENED_WITH, OpenedFile
    from koki.export.reference import Reference

    tokenizer = load_tokenizer(run.folder)
    template = ChatTemplate(tokenizer, run.card["system_prompt"])
    texts = tomllib.loads(resources.files(__package__).joinpath("texts.toml").read_text("utf-8"))
    with OpenedFile(file) as opened:
        compared = _compare_templates(opened, tokenizer, template, texts["conversations"])
        tokens = _compare_tokens(opened, tokenizer, template, texts["prompts"])
        questions, reference = _questions(run), Reference.load(run, template.head.tolist())
        prompts = [template.prompt(asked.question) for asked in questions]
        answers = _compare_answers(opened, reference, tokenizer, questions, prompts, _NEAR_TIE.get(file_type))
        loss = _loss(opened, reference, prompts, [_true_answer(asked, template) for asked in questions])
    return Proof(OPENED_WITH, compared, tokens, answers, loss).as_dict()


# ------------------------------------------------------------------------------------------------- template and tokens


def _compare_templates(
    opened: "OpenedFile",
    tokenizer: "PreTrainedTokenizerBase",
    template: ChatTemplate,
    conversations: Sequence[Sequence[Sequence[str]]],
) -> Templates:
    """The text of each conversation, and of those that a chef can be asked the ids: those that it was trained with."""
    talks = [[{"role": role, "content": text} for role, text in conversation] for conversation in conversations]
    begun = [_with_system(talk, template.system) for talk in talks]
    prompts = 0
    for talk, expected in zip(talks, render(tokenizer, begun, before_answer=True), strict=True):
        found = opened.rendered(talk)
        if found != expected:
            what = _("the chat template makes another text of {question!r}", question=talk[-1]["content"])
            raise _differs(what, found, expected)
        if talk[0]["role"] == "user" and not any(control in str(talk) for control in template.control_tokens):
            asked = [message["content"] for message in talk]
            ids = template.prompt(asked[-1], list(zip(asked[:-1:2], asked[1::2], strict=True)))
            if opened.tokenize(found, control_tokens=True) != ids:
                what = _("the prompt of {question!r} has other tokens", question=asked[-1])
                raise _differs(what, found, tokenizer.decode(ids))
            prompts += 1
    return Templates(len(talks), len(talks), prompts)


def _with_system(talk: Sequence[dict[str, str]], system: str) -> list[dict[str, str]]:
    begins = talk[0]["role"] == "system"
    return list(talk) if begins else [{"role": "system", "content": system}, *talk]


def _compare_tokens(
    opened: "OpenedFile", tokenizer: "PreTrainedTokenizerBase", template: ChatTemplate, prompts: Sequence[str]
) -> Tokens:
    """The ids of each text, with its control tokens as such and as text."""
    not_composed: list[str] = []
    for text in prompts:
        for as_such, expected in ((True, tokenizer.encode(text)), (False, template.encode([text])[0])):
            if (found := opened.tokenize(text, control_tokens=as_such)) == expected:
                continue
            composed = opened.tokenize(unicodedata.normalize("NFC", text), control_tokens=as_such)
            if composed != expected:
                what = (
                    _("the text {text!r}, control tokens taken as such, has other tokens", text=text)
                    if as_such
                    else _("the text {text!r}, control tokens taken as text, has other tokens", text=text)
                )
                raise _differs(what, *map(tokenizer.convert_ids_to_tokens, (found, expected)))
            not_composed.append(text)
    equal = 2 * len(prompts) - len(not_composed)
    return Tokens(2 * len(prompts), equal, tuple(dict.fromkeys(not_composed)))


def _differs(what: str, found: Sequence[str], expected: Sequence[str]) -> ProofError:
    """The error for two texts, or lists of tokens, that should be equal; it shows where they part."""
    place = next((at for at, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
    place = min(len(found), len(expected)) if place is None else place
    part = slice(max(0, place - 10), place + 30)
    return ProofError(
        _("The file is not proven: {what}, from place {place} on.", what=what, place=place),
        _("llama.cpp has ... {found!r}, the run ... {expected!r}.", found=found[part], expected=expected[part]),
    )


# --------------------------------------------------------------------------------------------------- answers and loss


def _questions(run: FinishedRun) -> list[Asked]:
    """The same ones each time; where the recipes of the run are not here, of the recipes that ship."""
    try:
        exam = exam_of(run, _OF_EACH, seed=_SEED)
    except DataError:
        exam = exam_of(run, _OF_EACH, seed=_SEED, data=[str(shipped_recipes())])
    drawn = list(exam.questions)
    return random.Random(_SEED).sample(drawn, min(_REFERENCES, len(drawn)))


def _compare_answers(
    opened: "OpenedFile",
    reference: "Reference",
    tokenizer: "PreTrainedTokenizerBase",
    questions: Sequence[Asked],
    prompts: Sequence[Sequence[int]],
    near: float | None,
) -> Answers:
    """Whether each token that the file says to the first questions is the one that the model would say there.

    Args:
        near: the share of the highest logit that rounding may take; None where other tokens are counted, not refused.
    """
    said = opened.answers(prompts[:_ANSWERS], _MOST_TOKENS)
    equal, ties = 0, list[NearTie]()
    for asked, prompt, answer in zip(questions, prompts, said, strict=False):
        logits = reference.logits(prompt, answer)
        highest, likelier = logits.max(dim=-1)
        distances = highest - logits.gather(1, torch.tensor(answer)[:, None])[:, 0]
        places = distances.nonzero()[:, 0].tolist()
        equal += not places
        if near is None:
            continue
        for place in places:
            says, would = (str(tokenizer.decode([token])) for token in (answer[place], int(likelier[place])))
            tie = NearTie(asked.question, place, says, would, round(float(distances[place]), 6))
            if tie.distance > near * float(highest[place]):
                raise _says_another(tie, str(tokenizer.decode(answer[:place])))
            ties.append(tie)
    return Answers(len(said), equal, sum(map(len, said)), tuple(ties))


def _says_another(tie: NearTie, before: str) -> ProofError:
    return ProofError(
        _(
            "The file is not proven: asked {question!r}, it says {said!r} at place {place} of its answer, and "
            "the run {likelier!r}; their logits differ by {distance:.3f}, which rounding does not explain.",
            question=tie.question,
            said=tie.said,
            place=tie.place,
            likelier=tie.likelier,
            distance=tie.distance,
        ),
        _("Both began with: {before!r}.", before=before[-60:]),
    )


def _loss(
    opened: "OpenedFile",
    reference: "Reference",
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
) -> Loss:
    file = [number for scored in opened.log_probabilities(prompts, answers) for number in scored]
    adapter = [
        float(number)
        for prompt, answer in zip(prompts, answers, strict=True)
        for number in reference.logits(prompt, answer).log_softmax(-1).gather(1, torch.tensor(answer)[:, None])[:, 0]
    ]
    return Loss(len(answers), len(file), round(-fmean(adapter), 5), round(-fmean(file), 5))


def _true_answer(asked: Asked, template: ChatTemplate) -> list[int]:
    """The first tokens of the answer that was, or would have been, trained on."""
    ids = [token for piece in template.encode(template.cut_answer(asked.reference)) for token in piece]
    return [*ids[template.answer_start :], template.stop_id][:_MOST_SCORED]


# ---------------------------------------------------------------------------------------------------------------- card


def proof_table(proof: Mapping[str, Any]) -> str:
    """What was proven of a file, as a table in Markdown.

    Args:
        proof: what `prove` returned.
    """
    if "not_proven" in proof:
        return f"This file was not proven: {proof['not_proven']}.\n"
    template, tokens, answers, loss = (proof[name] for name in ("template", "tokens", "answers", "loss"))
    rows = (
        ("Chat template, texts of conversations", f"{template['equal']} of {template['compared']} equal"),
        ("Prompts, token ids", f"{template['prompts']} of {template['prompts']} equal"),
        ("Texts, token ids", f"{tokens['equal']} of {tokens['compared']} equal{_apart(tokens['not_composed'])}"),
        ("Greedy answers", f"{answers['equal']} of {answers['compared']} equal{_ties(answers['near_ties'])}"),
        (f"Loss on {loss['answers']} true answers", f"{loss['file']:.4f}; the run's own {loss['adapter']:.4f}"),
    )
    lines = [f"| Compared with the run ({proof['llama_cpp']}) | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]
    return "\n".join(lines) + "\n"


def _apart(texts: Sequence[str]) -> str:
    return "; llama.cpp does not put accents together with letters" if texts else ""


def _ties(ties: Sequence[Mapping[str, Any]]) -> str:
    return f"; near ties: {len(ties)}" if ties else ""
