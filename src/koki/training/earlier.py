"""What an earlier session left in a run folder: whether it is of the run that is asked for, and if that is over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from peft.utils import SAFETENSORS_WEIGHTS_NAME
from transformers import TrainerState

from koki.config import HARMLESS_ON_RESUME, EvaluationConfig, RunConfig, flatten
from koki.data.recipes import RecipesOfRun
from koki.errors import CheckpointError, RunError
from koki.language import _
from koki.recipes import digests
from koki.runs.card import read_card
from koki.runs.checkpoints import Checkpoint, Identity, differences, find_newest
from koki.runs.folder import kept_recipes
from koki.training.validation import is_over

_CONVERSATIONS: Final = "conversations"  # in an identity: a digest, which tells a user nothing


@dataclass(frozen=True, slots=True)
class FinishedBefore:
    """A run that an earlier session has trained to its end.

    Attributes:
        card: see `koki.runs.card.run_card`.
        checkpoint: of its last step; None where that is not there any more.
    """

    folder: Path
    card: dict[str, Any]
    checkpoint: Checkpoint | None

    def unused(self, asked: RunConfig) -> dict[str, Any]:
        """The settings, of those that may change, that are asked for and were others: there is no use for them now."""
        then = self.card["settings"]
        return {
            name: value
            for name, value in flatten(asked).items()
            if name in HARMLESS_ON_RESUME and not _is_a_place(name) and name in then and then[name] != value
        }


def find_finished(folder: Path, evaluation: EvaluationConfig) -> FinishedBefore | None:
    """The finished run in a folder; nothing is changed.

    There is none where something is left to do: where it is given more patience than it had, or its result is not there
    and can be saved again from the last checkpoint.
    """
    try:
        card = read_card(folder)
    except RunError:
        return None
    newest, steps = find_newest(folder).newest, card["training"]["steps"]
    if not (folder / SAFETENSORS_WEIGHTS_NAME).is_file():
        return None
    if newest is None or newest.step < steps:
        return FinishedBefore(folder, card, None)
    is_its_last = newest.step == steps and is_over(state_of(newest), evaluation)
    return FinishedBefore(folder, card, newest) if is_its_last else None


def require_same_finished(finished: FinishedBefore, identity: Identity, recipes: RecipesOfRun) -> None:
    """Check that a finished run is the one that is asked for, as far as its folder says it.

    Raises:
        CheckpointError: names all that differs.
    """
    # a card does not say where the base lay
    settings = {name: value for name, value in finished.card["settings"].items() if name != "model.name"}
    changed = differences(finished.checkpoint.identity if finished.checkpoint else settings, identity)
    data = [] if _reads_the_same(finished.card, recipes) else _other_recipes(finished.folder, recipes)
    if data is None:
        data = [_("recipes: {what}", what=_("the files are not those that it was trained on"))]
    if changed or data:
        how = _("It is finished: train in another folder (--output), or --fresh.")
        raise _another_run(finished.folder, [*changed, *data], how)


def require_same_run(checkpoint: Checkpoint, identity: Identity, recipes: RecipesOfRun) -> None:
    """Check that a checkpoint was made by the very run that wants to go on from it.

    Raises:
        CheckpointError: names all that differs: settings and base by old and new value, recipes by what became of them.
    """
    compared = {name: value for name, value in identity.items() if name != _CONVERSATIONS}
    listed = differences(checkpoint.identity, compared)
    there = checkpoint.identity.get(_CONVERSATIONS)
    if listed or identity.get(_CONVERSATIONS, there) != there:
        if others := _other_recipes(checkpoint.folder.parent, recipes):
            compared.pop("recipes", None)
            listed = differences(checkpoint.identity, compared) + others
        raise _another_run(
            checkpoint.folder,
            listed or [_("conversations: others are made of the recipes now")],
            _("Use the old ones to go on from it, --fresh to start over, or another --output."),
        )


def state_of(checkpoint: Checkpoint) -> TrainerState:
    """The trainer's state in a checkpoint.

    Raises:
        CheckpointError: it is not that of the checkpoint's step.
    """
    file = checkpoint.folder / "trainer_state.json"
    try:
        state: TrainerState = TrainerState.load_from_json(str(file))
        if not checkpoint.step == state.global_step <= state.max_steps:
            raise ValueError(_("it is of step {step!r:.40}", step=state.global_step))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            _("{file} cannot be used: {error}.", file=file, error=error),
            _("Rename the checkpoint, and the next older one is used; or --fresh."),
        ) from error
    return state


def _is_a_place(name: str) -> bool:
    """Whether a setting says where the run lies, or where in which files its recipes are."""
    return name == "output" or name.startswith("data.")


def _reads_the_same(card: dict[str, Any], recipes: RecipesOfRun) -> bool:
    """Whether the recipe files are those of a finished run, byte by byte, and read as it read them."""
    then, now = card["settings"], flatten(recipes.config)
    how = [name for name in now if name.startswith("data.") and name != "data.files"]
    files = [file["sha256"] for file in card["data"]["files"]]
    return all(then.get(name) == now[name] for name in how) and files == [file.sha256 for file in recipes.digests]


def _other_recipes(folder: Path, recipes: RecipesOfRun) -> list[str] | None:
    """In which recipes those of now are not those that a run folder is of; None where no digests were kept there."""
    kept = kept_recipes(folder)
    found = digests.differences(kept, recipes.read) if kept is not None else None
    return None if found is None else [_("recipes: {what}", what=what) for what in found]


def _another_run(folder: Path, differing: list[str], how: str) -> CheckpointError:
    listed = "\n".join(f"  {difference}" for difference in differing)
    return CheckpointError(
        _("{folder} was made with other data or settings:\n{listed}", folder=folder, listed=listed), how
    )
