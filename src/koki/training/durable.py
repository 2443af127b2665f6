"""A transformers.Trainer that loses nothing: its checkpoints are whole, and no bad number reaches the weights."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import torch
from peft import PeftModel
from transformers import (
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback

from koki.config import RunConfig
from koki.errors import CheckpointError, TrainingError
from koki.language import _
from koki.model.lora import save_adapter
from koki.runs import checkpoints
from koki.runs.checkpoints import Identity
from koki.runs.log import held_out_losses
from koki.training.processes import Processes

TRAINER_INTERNALS: Final = {
    "_get_output_dir": "overridden: a checkpoint is written in the staging folder",
    "_save_checkpoint": "overridden: a checkpoint is sealed and published, or done without",
    "_save": "overridden: adapter and tokenizer are saved, and no pickle",
    "_save_rng_state": "overridden: there is none to save",
    "_load_rng_state": "overridden: there is none to load",
    "_get_grad_norm": "overridden: the last place before the optimizer's step",
    "_tr_loss": "read and set: the sum of losses since the last log, where steps are left out and where a run goes on",
    "_globalstep_last_logged": "read and set, with it",
    "_prepare_inputs": "called: a batch goes to its device",
}
"""What Koki relies on of transformers.Trainer that is private to it, and what for. A test fails when one is gone."""

_RUNNING_LOSS: Final = "running loss"
_QUESTIONS_SHOWN: Final = 16


class DurableTrainer(Trainer):
    """A Trainer with sealed checkpoints that go on mid-interval, and steps left out whose loss is not finite.

    Args:
        run_folder: where checkpoints are published.
        config: says how many checkpoints are kept, whether the one with the lowest held-out loss is kept beside them,
            and after how many steps in a row that are not finite training stops.
        identity: what the result depends on, kept in every checkpoint.
        questions_in: the questions of the conversations in a batch's ids, to name them when their loss is not finite.
        say: prints a line to the user.
        processes: that train together; the first writes the checkpoints.
        arguments: everything that transformers.Trainer takes.
    """

    def __init__(
        self,
        *,
        run_folder: Path,
        config: RunConfig,
        identity: Identity,
        questions_in: Callable[[torch.Tensor], list[str]],
        say: Callable[[str], None],
        processes: Processes,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._run_folder = run_folder
        self._identity = identity
        self._keep = config.training.save_total_limit
        self._keep_best = config.evaluation.load_best_model_at_end
        self._max_nonfinite_steps = config.training.max_nonfinite_steps
        self._questions_in = questions_in
        self._say = say
        self._processes = processes
        self._nonfinite_steps = 0
        self._speed_since = (time.perf_counter(), 0)
        self._loss_before = torch.zeros(())
        self._step_batches: list[dict[str, Any]] = []
        self.remove_callback(PrinterCallback)  # Koki prints the log itself
        self.add_callback(_LossAcrossSteps(self))

    # checkpoints

    def _get_output_dir(self, trial: Any) -> str:
        """Let transformers write a checkpoint in the staging folder, from which it is published when it is whole."""
        return str(self._run_folder / checkpoints.STAGING)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save a checkpoint; where that fails, training goes on with the earlier ones and says so."""
        with self._processes.failing_together():
            if self._processes.is_main:
                self._save_or_do_without(model, trial)

    def _save_or_do_without(self, model: torch.nn.Module, trial: Any) -> None:
        _kept(self.state)[_RUNNING_LOSS] = {
            "since_log": self._tr_loss.item(),
            "last_log": self._globalstep_last_logged,
        }
        try:
            with checkpoints.staging(self._run_folder) as staging:
                super()._save_checkpoint(model, trial)
                staged = staging / f"checkpoint-{self.state.global_step}"
                newest = checkpoints.publish(self._run_folder, staged, self._identity)
                checkpoints.rotate(self._run_folder, newest, self._keep, self._best())
        except (*checkpoints.WRITE_ERRORS, CheckpointError) as error:
            self._do_without_checkpoint(error)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Save adapter and tokenizer, without transformers' pickle of its arguments: the settings are in the seal."""
        folder = Path(cast(str, output_dir))
        save_adapter(cast(PeftModel, self.model), folder, state_dict)
        cast(PreTrainedTokenizerBase, self.processing_class).save_pretrained(str(folder))

    def _best(self) -> Path | None:
        """The checkpoint that no rotation may delete."""
        if not self._keep_best:
            return None
        return next(iter(checkpoints.by_loss(self._run_folder, held_out_losses(self.state.log_history))), None)

    def _do_without_checkpoint(self, error: Exception) -> None:
        there = self._what_is_there()
        what = _("Saving a checkpoint at step {step} failed: {error}", step=self.state.global_step, error=error)
        if self.control.should_training_stop and self.state.global_step < self.state.max_steps:
            raise CheckpointError(what, _("Training was to stop here; {there}.", there=there)) from error
        self._say(_("{what}; training goes on, {there}", what=what, there=there))

    def _what_is_there(self) -> str:
        if not self._run_folder.is_dir():
            return _("{folder} was removed, with what was saved in it", folder=self._run_folder)
        newest = checkpoints.find_newest(self._run_folder).newest
        if newest is None:
            return _("there is no checkpoint yet")
        return _("the newest whole checkpoint is {folder}", folder=newest.folder)

    def _save_rng_state(self, output_dir: str) -> None:
        """Save nothing: what a step draws follows from its number."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Load nothing, as nothing is saved: see `_save_rng_state`."""

    def store_flos(self) -> None:
        """Count nothing: transformers' own would have all processes meet, of which the first alone saves."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log as transformers does, with tokens and speed, but without its summary of the last session at the end."""
        if "train_runtime" not in logs:
            tokens: dict[str, float] = {"num_input_tokens_seen": int(self.state.num_input_tokens_seen)}
            speed = {"tokens_per_second": self._tokens_per_second()} if "loss" in logs else {}
            super().log({**logs, **tokens, **speed}, start_time)

    @contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        """Keep what is done meanwhile out of the training speed."""
        started = time.perf_counter()
        try:
            yield
        finally:
            since, tokens = self._speed_since
            self._speed_since = (since + time.perf_counter() - started, tokens)

    def _tokens_per_second(self) -> float:
        """The training speed since it was last asked for, or training began."""
        now, tokens = time.perf_counter(), int(self.state.num_input_tokens_seen)
        (before, tokens_before), self._speed_since = self._speed_since, (now, tokens)
        return round((tokens - tokens_before) / (now - before), 1)

    # losses that are not finite

    def get_batch_samples(self, *arguments: Any, **options: Any) -> Any:
        """Fetch batches as transformers does, and keep those of the step, whose questions an error names."""
        self._step_batches, tokens = super().get_batch_samples(*arguments, **options)
        return self._step_batches, tokens

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: Any = None) -> Any:
        """Leave the step out where loss or gradient are not finite; transformers asks for the norm right before it."""
        if grad_norm is None:  # nothing is clipped; to be asked for the norm unscales fp16's gradients, before they go
            grad_norm = self.accelerator.clip_grad_norm_(model.parameters(), math.inf)
        grad_norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[no-untyped-call]
        loss = self._tr_loss - self._loss_before
        # with fp16 a gradient that overflows is the loss scaler's business: it skips the step and lowers its scale
        judged = loss if self.accelerator.scaler is not None else loss + grad_norm
        if bool(torch.isfinite(judged)):
            self._nonfinite_steps = 0
        else:
            numbers = _("loss {loss}, gradient norm {norm}", loss=loss.item(), norm=float(grad_norm))
            self._leave_out(model, numbers)
        return grad_norm

    def _leave_out(self, model: torch.nn.Module, numbers: str) -> None:
        model.zero_grad()  # to None: AdamW passes over a parameter without a gradient, moments and decay included
        self._tr_loss.copy_(self._loss_before)
        self._globalstep_last_logged += 1  # the mean of the next log is over the steps that count
        self._nonfinite_steps += 1
        step = self.state.global_step + 1
        self._say(_("Step {step} is left out, its numbers are not finite: {numbers}", step=step, numbers=numbers))
        if self._nonfinite_steps >= self._max_nonfinite_steps:
            questions = self._questions_of_step()
            with self._processes.failing_together():
                raise TrainingError(
                    _(
                        "{steps} steps in a row, up to step {step}, were not finite ({numbers}); "
                        "the last one's questions:\n{questions}",
                        steps=self._nonfinite_steps,
                        step=step,
                        numbers=numbers,
                        questions="\n".join(f"  {question}" for question in questions),
                    ),
                    _("Try a lower training.learning_rate, or training.mixed_precision=no (or bf16), with --fresh."),
                )

    def _questions_of_step(self) -> list[str]:
        ours = [
            question
            for step in self._step_batches
            for batch in step["micro_batches"]
            for question in self._questions_in(batch["input_ids"].cpu())
        ]
        questions = [question for share in self._processes.all_gather(ours) for question in share]
        more = len(questions) - _QUESTIONS_SHOWN
        return [*questions[:_QUESTIONS_SHOWN], *([_("and {more} more", more=more)] if more > 0 else [])]


class _LossAcrossSteps(TrainerCallback):
    """Keeps the sum of losses since the last log, which transformers holds in memory alone."""

    def __init__(self, trainer: DurableTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        state.compute_steps(args, state.max_steps)  # the intervals of this session, not those of the checkpoint
        if kept := _kept(state).get(_RUNNING_LOSS):
            self._trainer._tr_loss.fill_(kept["since_log"])
            self._trainer._globalstep_last_logged = kept["last_log"]
        self._trainer._speed_since = (time.perf_counter(), int(state.num_input_tokens_seen))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        self._trainer._loss_before = self._trainer._tr_loss.clone()


def _kept(state: TrainerState) -> dict[str, dict[str, Any]]:
    """The values that a checkpoint keeps beside transformers' own state, by name."""
    return cast(dict[str, dict[str, Any]], state.stateful_callbacks)
