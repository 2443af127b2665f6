"""Training from where a run starts to its end, and what came of it."""

import math

from peft import PeftModel
from transformers import TrainerState

from koki.errors import KokiError, TrainingError
from koki.language import _
from koki.runs.checkpoints import find_best
from koki.runs.log import held_out_losses
from koki.training.earlier import state_of
from koki.training.run import Run
from koki.training.trainer import RecipeTrainer
from koki.training.validation import is_over, restore_adapter


def fit(run: Run, trainer: RecipeTrainer) -> bool:
    """Train until all steps are done, an early stop or a signal; a checkpoint may say that there is nothing to do.

    Returns:
        Whether the run is over; it is not where a signal ended it.

    Raises:
        KokiError: training failed; the earlier checkpoints are untouched.
    """
    saved = state_of(run.checkpoint) if run.checkpoint else None
    if saved is not None and is_over(saved, run.config.evaluation):
        trainer.state = saved
        run.say(
            _("Training"),
            _("was over at step {step} before its result was saved, which is done now", step=saved.global_step),
        )
    else:
        _train(run, trainer)
    return is_over(trainer.state, run.config.evaluation)


def take_the_best(run: Run, model: PeftModel, state: TrainerState) -> int:
    """Give the model the adapter with the lowest held-out loss, where the configuration wants it.

    Where no step has a lower one than the base, it is the lowest of those trained, and that is said.

    Returns:
        The step that the model's adapter is of.
    """
    if not run.config.evaluation.load_best_model_at_end:
        return state.global_step
    losses = held_out_losses(state.log_history)
    best = find_best(run.folder, losses)
    if best is None:
        run.warn(_("no checkpoint with a held-out loss is whole: the result is the last adapter"))
        return state.global_step
    run.say(
        _("Best"),
        _(
            "the result is the adapter of {folder}, held-out loss {loss:.4f}",
            folder=best.folder,
            loss=losses[best.step],
        ),
    )
    if (base := losses.get(0, math.inf)) <= losses[best.step]:
        run.warn(_("the base alone has {loss:.4f}: on recipes that it has not seen, no step does better", loss=base))
    restore_adapter(model, best.folder)
    return best.step


def _train(run: Run, trainer: RecipeTrainer) -> None:
    run.processes.all_gather(None)  # all are ready
    try:
        with run.processes.failing_alone():
            trainer.train(resume_from_checkpoint=str(run.checkpoint.folder) if run.checkpoint else None)
    except KokiError:
        raise
    except Exception as error:
        raise TrainingError(
            _(
                "Training stopped at step {step}: {kind}: {error}",
                step=trainer.state.global_step,
                kind=type(error).__name__,
                error=error,
            ),
            run.how_to_go_on(),
        ) from error
    finally:
        run.progress.close()
