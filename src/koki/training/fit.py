"""Training from where a run starts to its end, and what came of it."""

from peft import PeftModel
from transformers import TrainerState

from koki.errors import CheckpointError, KokiError, TrainingError
from koki.runs.checkpoints import Checkpoint, find_best
from koki.runs.log import held_out_losses
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
    saved = _state_of(run.checkpoint) if run.checkpoint else None
    if saved is not None and is_over(saved, run.config.evaluation):
        trainer.state = saved
        run.say("Training", f"already finished at step {saved.global_step}; --fresh starts over")
    else:
        _train(run, trainer)
    return is_over(trainer.state, run.config.evaluation)


def take_the_best(run: Run, model: PeftModel, state: TrainerState) -> int:
    """Give the model the adapter with the lowest held-out loss, where the configuration wants it.

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


def _state_of(checkpoint: Checkpoint) -> TrainerState:
    """The trainer's state in a checkpoint.

    Raises:
        CheckpointError: it is not that of the checkpoint's step.
    """
    file = checkpoint.folder / "trainer_state.json"
    try:
        state: TrainerState = TrainerState.load_from_json(str(file))
        if not checkpoint.step == state.global_step <= state.max_steps:
            raise ValueError(f"it is of step {state.global_step!r:.40}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{file} cannot be used: {error}.", "Rename the checkpoint, and the next older one is used; or --fresh."
        ) from error
    return state
