"""Training from where a run starts to its end, and what came of it."""

import math

from peft import PeftModel
from transformers import TrainerState

from koki.errors import KokiError, TrainingError
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
        run.say("Training", f"was over at step {saved.global_step} before its result was saved, which is done now")
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
        run.warn("no checkpoint with a held-out loss is whole: the result is the last adapter")
        return state.global_step
    run.say("Best", f"the result is the adapter of {best.folder}, held-out loss {losses[best.step]:.4f}")
    if (base := losses.get(0, math.inf)) <= losses[best.step]:
        run.warn(f"the base alone has {base:.4f}: on recipes that it has not seen, no step does better")
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
            f"Training stopped at step {trainer.state.global_step}: {type(error).__name__}: {error}",
            run.how_to_go_on(),
        ) from error
    finally:
        run.progress.close()
