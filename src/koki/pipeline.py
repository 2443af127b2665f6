"""The whole of Koki from top to bottom: `train` is the mission's flowchart, one line a box."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import transformers
from peft import PeftModel
from rich.console import Console
from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerState
from transformers.trainer_callback import PrinterCallback

from koki.config import HARMLESS_ON_RESUME, RunConfig, flatten
from koki.data.build import build_dataset, data_of_run, load_template, recipe_files
from koki.errors import CheckpointError, KokiError, TrainingError
from koki.formatting import gigabytes
from koki.inference.chef import Chef
from koki.inference.transformers_engine import TransformersEngine
from koki.libraries import quiet_libraries
from koki.model.base import load_base, prepare_for_training
from koki.model.device import detect_device
from koki.model.lora import add_adapter, enable_input_gradients, load_adapter, trainable_parameters
from koki.model.lora_linear import fuse_lora
from koki.model.source import BaseSource, find_base, set_pad_token
from koki.recipes.table import require_files
from koki.runs.card import Outcome, run_card
from koki.runs.checkpoints import (
    WRITE_ERRORS,
    Checkpoint,
    Identity,
    find_best,
    find_newest,
    require_same_run,
    set_aside,
    set_unknown_files_aside,
)
from koki.runs.folder import OpenRunFolder, open_run_folder, require_seen, require_space, write_config
from koki.runs.log import held_out_losses
from koki.runs.names import CURVES, TENSORBOARD
from koki.runs.result import save_result
from koki.terminal import say
from koki.tokens.batches import StepCollator, StepSampler, VariationSampler
from koki.tokens.template import ChatTemplate
from koki.training.callbacks import (
    GracefulStop,
    ProgressCallback,
    SaveByTheClock,
    TensorBoardLog,
    quiet_tensorboard_thread,
)
from koki.training.curves import draw_curves
from koki.training.plan import Costs, Plan, Shape, Workload, free_memory, workload_of
from koki.training.processes import Processes, join_processes
from koki.training.sharding import shard_base
from koki.training.trainer import RecipeTrainer, training_arguments
from koki.training.validation import (
    SAMPLED_TOKENS,
    Evaluation,
    HeldOut,
    SampledAnswers,
    is_over,
    put_back,
    sampled_questions,
)

# What two runs must have in common in place of batch, accumulation and processes.
_STEP = "conversations in a step"


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a call of `train` left behind.

    Attributes:
        folder: the run folder.
        stopped_by: the signal that ended training early, with a checkpoint; None for a finished run.
        losses: as logged, in order.
    """

    folder: Path
    steps: int
    stopped_by: signal.Signals | None
    losses: list[float]


def train(config: RunConfig, console: Console, *, fresh: bool = False) -> TrainResult:
    """Fine-tune a base model on recipes; go on from the newest checkpoint of the run folder where there is one.

    Args:
        config: what to train, on what, how.
        console: where progress is printed.
        fresh: set an earlier run in the folder aside and start over.

    Raises:
        KokiError: one of its kinds; whatever was saved before is untouched.
        SystemExit: in all but the first of several processes, where one of them fails.
    """
    with ExitStack() as opened:
        # environment, processes and devices; what can be wrong is looked at before anything expensive or written
        processes = join_processes()
        opened.enter_context(processes.failing_together())
        console.quiet |= not processes.is_main
        files = recipe_files(config)
        require_files(files, config.data.columns)
        quiet_libraries()
        transformers.set_seed(config.seed)
        device = detect_device(config.training.mixed_precision, processes.world_size)
        say(console, "Device", device.describe())
        source = find_base(config.model)
        costs = Costs(config, Shape.of(source.config), device)
        # memory may be short for one of the processes alone, and is less once the base is loaded
        costs = costs.decided(checkpointing=any(processes.all_gather(costs.checkpointing)))
        _say_if_memory_is_short(console, costs)

        # output folder; checkpoint or base
        folder = processes.broadcast(lambda: opened.enter_context(open_run_folder(config.output, fresh=fresh)))
        run_folder = folder.path
        require_seen(run_folder)
        processes.broadcast(lambda: require_space(run_folder, costs.disk))
        _say_how_it_opened(console, folder)
        checkpoint = processes.broadcast(lambda: _newest_checkpoint(run_folder, console))
        identity = _settings_identity(config, source, processes, checkpoint)
        if checkpoint is not None:
            require_same_run(checkpoint, identity)
        _say_where_it_starts(console, source, checkpoint)
        tensorboard = opened.enter_context(_tensorboard(run_folder, checkpoint)) if processes.is_main else None

        # tokenizer, chat template, pad token
        tokenizer, template = load_template(str(checkpoint.folder) if checkpoint else source.location, config)
        set_pad_token(tokenizer, template.stop_id)

        # base model, k-bit preparation, its settings for training
        base = load_base(source, config.model, device, share=processes.share_base)
        prepare_for_training(base, config.model, gradient_checkpointing=costs.checkpointing)

        # LoRA: the checkpoint's or a new one, once; input gradients
        transformers.set_seed(config.seed)  # a new adapter does not depend on what was drawn before it
        model = load_adapter(base, checkpoint.folder, trainable=True) if checkpoint else add_adapter(base, config.lora)
        if costs.checkpointing:
            enable_input_gradients(model)
        fuse_lora(model)
        trainable, parameters = trainable_parameters(model)
        if processes.share_base:
            shard_base(model, device.kind)
        say(console, "Adapter", f"{trainable:,} of {parameters:,} parameters are trained")

        # recipe CSV: structure, cleaning; split; conversations; chat template; tokens
        data, held_out_dataset = processes.main_here_first(
            lambda: data_of_run(config, template, len(tokenizer), console)
        )
        dataset = data.dataset
        identity |= {"recipes": data.recipes, "conversations": dataset.digest()[:16]}
        processes.require_same(identity)
        if checkpoint is not None:
            require_same_run(checkpoint, identity)
        processes.broadcast(lambda: write_config(run_folder, config))

        # collator, training arguments
        arguments = training_arguments(config, device, run_folder, gradient_checkpointing=costs.checkpointing)
        order = VariationSampler(dataset, config.data.variations, config.seed)
        sampler = StepSampler(order, identity[_STEP], dataset.lengths(), processes.rank, processes.world_size)
        collator = StepCollator(costs.config.tokens_per_micro_batch)
        _say_the_plan(console, costs, lambda: workload_of(dataset, order, arguments))

        # Trainer
        warn = partial(say, console, "Warning")
        progress, stop = ProgressCallback(console), GracefulStop(console, processes)
        tensorboard_log = TensorBoardLog(tensorboard, warn)
        callbacks = [progress, stop, tensorboard_log]
        callbacks += [SaveByTheClock(config.training.save_minutes, processes)] if config.training.save_minutes else []
        trainer = RecipeTrainer(
            model=model,
            args=arguments,
            train_dataset=dataset,
            data_collator=collator,
            processing_class=tokenizer,
            callbacks=callbacks,
            sampler=sampler,
            held_out=HeldOut.of(held_out_dataset, tokenizer, costs.config) if held_out_dataset else None,
            run_folder=run_folder,
            identity=identity,
            keep=config.training.save_total_limit,
            keep_best=config.evaluation.load_best_model_at_end,
            max_nonfinite_steps=config.training.max_nonfinite_steps,
            questions_in=template.questions_in,
            say=warn,
            processes=processes,
        )
        trainer.remove_callback(PrinterCallback)
        if config.evaluation.every_steps is not None:
            questions = sampled_questions(held_out_dataset or dataset, config.seed)
            ask = partial(_first_words, model, tokenizer, template)
            trainer.add_callback(SampledAnswers(questions, ask, console, tensorboard_log.add_text, warn))
            trainer.add_callback(Evaluation(trainer, config.evaluation, partial(say, console, "Early stop")))

        # train; on failure a clear error and nothing lost
        opened.enter_context(stop)  # until the result is saved: a signal then lets that be finished
        started = time.perf_counter()
        saved = _state_of(checkpoint) if checkpoint is not None else None
        if saved is not None and is_over(saved, config.evaluation):
            trainer.state = saved
            say(console, "Training", f"already finished at step {saved.global_step}; --fresh starts over")
        else:
            _run(trainer, run_folder, checkpoint, progress, processes)
        finished = is_over(trainer.state, config.evaluation)
        result_step = _take_the_best(model, run_folder, trainer.state, config, console) if finished else 0
        outcome = Outcome(
            steps=trainer.state.global_step,
            tokens=int(trainer.state.num_input_tokens_seen),
            log_history=trainer.state.log_history,
            seconds=time.perf_counter() - started,
            trainable=trainable,
            parameters=parameters,
            result_step=result_step,
        )

        # save model, tokenizer and metadata
        if finished and processes.is_main:
            held_out = len(data.held_out)
            card = run_card(config, source, device, template.system, data.report, held_out, dataset, outcome)
            with _the_result_or_an_error(run_folder):
                save_result(run_folder, model, tokenizer, card)
                write_config(run_folder, config)  # once more: the folder may have been removed meanwhile
                draw_curves(outcome.log_history, run_folder / CURVES)
    if not finished:
        processes.barrier()
    return TrainResult(run_folder, outcome.steps, None if finished else stop.received, outcome.losses)


def plan_run(config: RunConfig) -> Plan:
    """What a run with this configuration would take; the data are read, the model's weights are not.

    Raises:
        KokiError: as `train`.
    """
    quiet_libraries()
    device = detect_device(config.training.mixed_precision)
    costs = Costs(config, Shape.of(find_base(config.model).config), device)
    costs = costs.decided(checkpointing=costs.checkpointing)
    dataset = build_dataset(config)
    sampler = VariationSampler(dataset, config.data.variations, config.seed)
    arguments = training_arguments(config, device, Path(config.output), gradient_checkpointing=costs.checkpointing)
    return costs.plan(workload_of(dataset, sampler, arguments))


def _first_words(
    model: PeftModel, tokenizer: PreTrainedTokenizerBase, template: ChatTemplate, questions: Sequence[str]
) -> list[str]:
    """How the model, in training, begins to answer."""
    engine = TransformersEngine(cast(PreTrainedModel, model), tokenizer, template.stop_id)
    answers = Chef(engine, template).ask(list(questions), max_new_tokens=SAMPLED_TOKENS)
    return [answer.answer for answer in answers]


def _settings_identity(
    config: RunConfig, source: BaseSource, processes: Processes, checkpoint: Checkpoint | None
) -> Identity:
    settings = {name: value for name, value in flatten(config).items() if name not in HARMLESS_ON_RESUME}
    accumulated = settings.pop("training.gradient_accumulation_steps")  # with more processes fewer make the same step
    step = settings["training.per_device_train_batch_size"] * accumulated * processes.world_size
    if checkpoint is not None and checkpoint.identity.get("base model") == source.revision:
        settings["model.name"] = checkpoint.identity["model.name"]  # the same model, wherever it lies now
    return {**settings, _STEP: step, "base model": source.revision}


def _say_how_it_opened(console: Console, folder: OpenRunFolder) -> None:
    if folder.set_aside is not None:
        say(console, "Fresh", f"the earlier run is kept as {folder.set_aside}")
    if folder.unlocked is not None:
        say(console, "Warning", folder.unlocked)


def _newest_checkpoint(run_folder: Path, console: Console) -> Checkpoint | None:
    """The newest whole checkpoint; newer ones that are damaged are set aside, and what was not saved with it."""
    search = find_newest(run_folder)
    for damaged in search.damaged:
        say(console, "Damaged", f"{damaged.folder.name}: {damaged.flaw}; kept as {set_aside(damaged.folder).name}")
    if search.newest is not None:
        unknown, aside = set_unknown_files_aside(search.newest)
        if aside is not None:
            what = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            say(console, "Unknown", f"not saved with {search.newest.folder.name}: {what}; kept in {aside.name}")
    return search.newest


def _say_where_it_starts(console: Console, source: BaseSource, checkpoint: Checkpoint | None) -> None:
    where = f"{source.name} ({source.location})" if source.name != source.location else source.name
    if checkpoint is not None:
        say(console, "Start", f"{checkpoint.folder}, the newest whole checkpoint, on base {where}")
    else:
        say(console, "Start", f"base {where}: no checkpoint in the run folder")


def _say_if_memory_is_short(console: Console, costs: Costs) -> None:
    needed, free = costs.memory, free_memory(costs.device)
    if needed > free:
        say(console, "Warning", f"training takes about {gigabytes(needed)} of memory; {gigabytes(free)} are free")
        say(
            console,
            "",
            "Less: --set training.tokens_per_micro_batch=512, a smaller --model, or model.quantization=4bit",
        )


def _say_the_plan(console: Console, costs: Costs, workload: Callable[[], Workload]) -> None:
    if console.quiet:  # in all processes but the first: what nobody reads is not measured
        return
    plan, warmup = costs.plan(workload()), costs.config.training.warmup_steps
    console.print(plan.render())
    if warmup >= plan.steps:
        say(console, "Short run", f"{plan.steps} steps, all of them in the warm-up of {warmup}: little will be learned")
        say(
            console, "", "--set training.warmup_steps=... is shorter, --set training.num_train_epochs=... trains longer"
        )


@contextmanager
def _tensorboard(run_folder: Path, checkpoint: Checkpoint | None) -> Iterator[Any]:
    from torch.utils.tensorboard import SummaryWriter

    # points that a killed session logged after its last checkpoint, or before its first, would otherwise show twice
    purge_step = checkpoint.step + 1 if checkpoint else 0
    with quiet_tensorboard_thread():
        writer = SummaryWriter(str(run_folder / TENSORBOARD), purge_step=purge_step)
        try:
            yield writer
        finally:
            with suppress(OSError):  # what it could not write was said when it was logged
                writer.close()


@contextmanager
def _the_result_or_an_error(run_folder: Path) -> Iterator[None]:
    try:
        yield
    except WRITE_ERRORS as error:
        raise TrainingError(
            f"Training is finished, but the result cannot be saved in {run_folder}: {error}",
            f"See that it has room and can be written to. {_how_to_go_on(run_folder)}",
        ) from error


def _how_to_go_on(run_folder: Path) -> str:
    if not run_folder.is_dir():
        return f"{run_folder} was removed, with the checkpoints in it."
    saved = find_newest(run_folder).newest
    if saved is None:
        return "There is no checkpoint to go on from."
    return f"The same command without --fresh goes on from {saved.folder}."


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


def _take_the_best(model: PeftModel, run_folder: Path, state: TrainerState, config: RunConfig, console: Console) -> int:
    """Where it is wanted, give the model the adapter with the lowest held-out loss; the step that its adapter is of."""
    if not config.evaluation.load_best_model_at_end:
        return state.global_step
    losses = held_out_losses(state.log_history)
    best = find_best(run_folder, losses)
    if best is None:
        say(console, "Warning", "no checkpoint with a held-out loss is whole: the result is the last adapter")
        return state.global_step
    say(console, "Best", f"the result is the adapter of {best.folder}, held-out loss {losses[best.step]:.4f}")
    put_back(model, best.folder)
    return best.step


def _run(
    trainer: RecipeTrainer,
    run_folder: Path,
    checkpoint: Checkpoint | None,
    progress: ProgressCallback,
    processes: Processes,
) -> None:
    processes.all_gather(None)  # all are ready
    try:
        with processes.apart():
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
    except KokiError:
        raise
    except Exception as error:
        raise TrainingError(
            f"Training stopped at step {trainer.state.global_step}: {type(error).__name__}: {error}",
            _how_to_go_on(run_folder),
        ) from error
    finally:
        progress.close()
