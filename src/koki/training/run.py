"""One run, opened and closed: what it holds on to, what was decided for it, and what it says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import transformers
from rich.console import Console
from transformers import TrainerCallback

from koki.config import HARMLESS_ON_RESUME, ModelConfig, ResolvedConfig, RunConfig, flatten, from_anywhere
from koki.data.recipes import RecipesOfRun, check_files
from koki.data.token_cache import TrainingData
from koki.errors import TrainingError
from koki.formatting import gigabytes
from koki.hub import is_commit
from koki.language import N_, _
from koki.libraries import quiet_libraries
from koki.model.device import Device, detect_device, in_words
from koki.model.source import ALIASES, BaseSource, find_base
from koki.notices import WARNING
from koki.recipes.sources import FileDigest
from koki.runs.card import versions
from koki.runs.checkpoints import (
    WRITE_ERRORS,
    Checkpoint,
    Identity,
    find_newest,
    newest_identity,
    set_aside,
    set_unknown_files_aside,
)
from koki.runs.folder import (
    OpenRunFolder,
    open_run_folder,
    require_seen,
    require_space,
    write_config,
    write_recipes,
)
from koki.runs.names import TENSORBOARD
from koki.terminal import say
from koki.tokens.batches import StepSampler, VariationSampler
from koki.training.callbacks import (
    GracefulStop,
    OnProgress,
    ProgressCallback,
    SaveEveryMinutes,
    TensorBoardLog,
    quiet_tensorboard_thread,
)
from koki.training.costs import Costs, Shape, Workload
from koki.training.earlier import FinishedBefore, find_finished, require_same_finished, require_same_run
from koki.training.plan import BY_HEART, plan_of
from koki.training.processes import Processes, join_processes
from koki.training.resolve import resolve
from koki.training.speed import free_memory

_PER_STEP: Final = N_("conversations in a step")
_PRECISION: Final = N_("precision, as training.mixed_precision was resolved")
_VERSIONS: Final = "versions"
# Their next version may round in another way, or draw other numbers.
_LIBRARIES: Final = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class Run:
    """A run that is open: its folder is locked, its processes fail together, and nothing of its settings is undecided.

    Attributes:
        files: the recipe files as they were checked.
        base: where the base model comes from.
        processes: those that train together; by default one.
        costs: what the run takes by formula, for its configuration and device.
        folder: the run folder, locked.
        checkpoint: where training goes on from; None where it starts from the base.
        console: where the run says what it does.
        progress: the bar while it trains.
        tensorboard: the curves, which the first process alone writes.
        stop: while entered, a signal ends training after the current step.
    """

    files: Sequence[FileDigest]
    base: BaseSource
    processes: Processes
    costs: Costs
    folder: Path
    checkpoint: Checkpoint | None
    console: Console
    progress: ProgressCallback
    tensorboard: TensorBoardLog
    stop: GracefulStop
    _asked: RunConfig = field(repr=False)
    _identity: Identity = field(repr=False)

    @classmethod
    @contextmanager
    def open(
        cls, asked: RunConfig, console: Console, *, fresh: bool, on_progress: OnProgress | None = None
    ) -> Iterator["Run | FinishedBefore"]:
        """Look at all that can be wrong, then open the folder; both before anything expensive is done or written.

        A run that is over already is not opened: nothing in its folder is touched.

        Args:
            asked: the configuration, of which some may be left open.
            console: where the run says what it does; quiet in all processes but the first.
            fresh: set an earlier run in the folder aside.
            on_progress: told how far training is, by the first process.

        Raises:
            KokiError: one of its kinds; whatever was saved before is untouched.
            SystemExit: in all but the first of several processes, where one of them fails.
        """
        with ExitStack() as opened:
            processes = join_processes()
            opened.enter_context(processes.failing_together())
            console.quiet |= not processes.is_main
            files = check_files(asked)
            quiet_libraries()
            transformers.set_seed(asked.seed)
            device = detect_device(asked.training.mixed_precision, processes.world_size)
            say(console, _("Device"), in_words(device.describe()))
            base = find_base(asked.model if fresh else _as_recorded(asked.model, Path(asked.output).expanduser()))
            shape = Shape.of(base.config)
            costs = Costs(resolve(asked, shape, device, processes), shape, device)

            if not fresh:
                where = Path(asked.output).expanduser()
                finished = processes.broadcast(lambda: find_finished(where, asked.evaluation))
                if finished is not None:
                    identity = _identity_of(flatten(asked), base, processes, finished.checkpoint)
                    require_same_finished(finished, identity, RecipesOfRun(asked, files))
                    _say_that_it_is_over(console, finished, asked)
                    yield finished
                    return

            _say_if_memory_is_short(console, costs)
            folder = processes.broadcast(lambda: opened.enter_context(open_run_folder(asked.output, fresh=fresh)))
            require_seen(folder.path)
            processes.broadcast(lambda: require_space(folder.path, costs.disk))
            _say_how_it_opened(console, folder)
            checkpoint = processes.broadcast(lambda: _newest_checkpoint(folder.path, console))
            identity = _identity_of(flatten(asked), base, processes, checkpoint)
            identity |= {_PRECISION: device.mixed_precision}
            if checkpoint is not None:
                require_same_run(checkpoint, identity, RecipesOfRun(asked, files))
                _say_if_versions_differ(console, checkpoint)
            _say_where_it_starts(console, base, checkpoint)
            writer = opened.enter_context(_tensorboard(folder.path, checkpoint)) if processes.is_main else None
            yield cls(
                files=files,
                base=base,
                processes=processes,
                costs=costs,
                folder=folder.path,
                checkpoint=checkpoint,
                console=console,
                progress=ProgressCallback(console, on_progress if processes.is_main else None),
                tensorboard=TensorBoardLog(writer, partial(say, console, WARNING)),
                stop=GracefulStop(console, processes),
                _asked=asked,
                _identity=identity,
            )

    @property
    def config(self) -> ResolvedConfig:
        """The configuration with all decided; the one that was asked for is only recorded."""
        return self.costs.config

    @property
    def device(self) -> Device:
        """Where the model is trained."""
        return self.costs.device

    @property
    def asked(self) -> dict[str, Any]:
        """The settings that were asked for, by dotted name, for the record."""
        return flatten(self._asked)

    @property
    def start(self) -> Path:
        """The folder that the tokenizer is loaded from: that of the checkpoint or of the base."""
        return self.checkpoint.folder if self.checkpoint else self.base.folder

    def callbacks(self) -> list[TrainerCallback]:
        """What happens beside the steps of training."""
        minutes = self.config.training.save_minutes
        clock = [SaveEveryMinutes(minutes, self.processes)] if minutes else []
        return [self.progress, self.stop, self.tensorboard, *clock]

    def steps_of(self, order: VariationSampler, lengths: npt.NDArray[np.integer[Any]]) -> StepSampler:
        """This process's share of each optimizer step.

        Args:
            order: the numbers of an epoch's conversations.
            lengths: the tokens of each conversation.
        """
        conversations = int(self._identity[_PER_STEP])
        return StepSampler(order, conversations, lengths, self.processes.rank, self.processes.world_size)

    def say(self, label: str, text: str) -> None:
        """Print a line of the report."""
        say(self.console, label, text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.say(_(WARNING), text)

    def say_if_no_instruct_model(self, ended_with: str | None) -> None:
        """Warn of a base that ends its texts with another token than its chat template does; None where it does not."""
        if ended_with is not None:
            self.warn(
                _(
                    "{base} ends with {token}, not as its chat template does: it is no instruct model",
                    base=self.base.name,
                    token=ended_with,
                )
            )
            names = ", ".join(ALIASES)
            more = N_("It has more to learn, and takes more steps; instruct models are {names}.")
            self.say("", _(more, names=names))

    def require_same_data(self, data: TrainingData) -> Identity:
        """Check that all processes, and the run that the checkpoint is of, train on the same; then keep what it is.

        Returns:
            What the result depends on, to be kept in every checkpoint.

        Raises:
            KokiError: the processes see other data, or the checkpoint was made with other data.
        """
        identity = self._identity | {"recipes": data.recipes, "conversations": data.dataset.digest()[:16]}
        self.processes.require_same(identity)
        if self.checkpoint is not None:
            require_same_run(self.checkpoint, identity, RecipesOfRun(self._asked, self.files))
        self.processes.broadcast(lambda: self._keep(data))
        return identity | {_VERSIONS: versions(_LIBRARIES)}

    def _keep(self, data: TrainingData) -> None:
        self.keep_config()
        write_recipes(self.folder, data.digests)

    def keep_config(self) -> None:
        """Write the configuration that was asked for, enough to run it again from any folder."""
        here = from_anywhere(self._asked)
        is_named = self.base.name == "mini" or not self.base.is_folder
        model = here.model if is_named else here.model.model_copy(update={"name": self.base.location})
        write_config(self.folder, here.model_copy(update={"model": model}))

    def say_the_plan(self, workload: Callable[[], Workload]) -> None:
        """Print what the run will take, and where it is too short: for its warm-up, or to know recipes by heart.

        Where nothing is printed nothing is measured: in all processes but the first.
        """
        if self.console.quiet:
            return
        plan, warmup = plan_of(self.costs, workload()), self.config.training.warmup_steps
        self.console.print(plan.render())
        if warmup >= plan.steps:
            self.say(
                _("Short run"),
                _(
                    "{steps} steps, all of them in the warm-up of {warmup}: little will be learned",
                    steps=plan.steps,
                    warmup=warmup,
                ),
            )
            self.say(
                "", _("--set training.warmup_steps=... is shorter, --set training.num_train_epochs=... trains longer")
            )
        data = self.config.data  # the base that ships knows the recipes that ship, and who reads need not know any
        if data.files and not data.book_share and plan.seen.mean < BY_HEART:
            times = N_("each recipe {mean:.0f} times; to know a new one by heart takes about {by_heart}")
            self.say(_("Seldom seen"), _(times, mean=plan.seen.mean, by_heart=BY_HEART))
            self.say(
                "",
                _(
                    "Longer: --max-steps, or --set training.num_train_epochs=...; "
                    "more of each: --set data.variations=..."
                ),
            )

    def how_to_go_on(self) -> str:
        """What a user can do after a failure: where the newest whole checkpoint lies, if there is one."""
        if not self.folder.is_dir():
            return _("{folder} was removed, with the checkpoints in it.", folder=self.folder)
        saved = find_newest(self.folder).newest
        if saved is None:
            return _("There is no checkpoint to go on from.")
        return _("The same command without --fresh goes on from {folder}.", folder=saved.folder)

    @contextmanager
    def saving_the_result(self) -> Iterator[None]:
        """Tell a disk that fails apart from a training that does.

        Raises:
            TrainingError: the result cannot be written.
        """
        try:
            yield
        except WRITE_ERRORS as error:
            raise TrainingError(
                _(
                    "Training is finished, but the result cannot be saved in {folder}: {error}",
                    folder=self.folder,
                    error=error,
                ),
                _("See that it has room and can be written to.") + f" {self.how_to_go_on()}",
            ) from error


def _as_recorded(asked: ModelConfig, run_folder: Path) -> ModelConfig:
    """The base at the commit that the run was begun with, where the same is asked for: the hub may have a newer one."""
    recorded = newest_identity(run_folder) or {}
    commit = recorded.get("base model")
    is_same = (asked.name, asked.revision) == (recorded.get("model.name"), recorded.get("model.revision"))
    return asked.model_copy(update={"revision": commit}) if is_same and is_commit(commit) else asked


def _identity_of(
    settings: Mapping[str, Any], base: BaseSource, processes: Processes, checkpoint: Checkpoint | None
) -> Identity:
    """What the result depends on, as far as settings and base say it."""
    identity = {name: value for name, value in settings.items() if name not in HARMLESS_ON_RESUME}
    accumulated = identity.pop("training.gradient_accumulation_steps")  # with more processes fewer make the same step
    per_step = identity["training.per_device_train_batch_size"] * accumulated * processes.world_size
    if checkpoint is not None and checkpoint.identity.get("base model") == base.revision:
        identity["model.name"] = checkpoint.identity["model.name"]  # the same model, wherever it lies now
    return {**identity, _PER_STEP: per_step, N_("base model"): base.revision}


def _newest_checkpoint(run_folder: Path, console: Console) -> Checkpoint | None:
    """The newest whole checkpoint; newer ones that are damaged are set aside, and files that are not of it."""
    search = find_newest(run_folder)
    for damaged in search.damaged:
        say(
            console,
            _("Damaged"),
            _(
                "{folder}: {flaw}; kept as {aside}",
                folder=damaged.folder.name,
                flaw=damaged.flaw,
                aside=set_aside(damaged.folder).name,
            ),
        )
    if search.newest is not None:
        unknown, aside = set_unknown_files_aside(search.newest)
        if aside is not None:
            what = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            say(
                console,
                _("Unknown"),
                _(
                    "not saved with {folder}: {what}; kept in {aside}",
                    folder=search.newest.folder.name,
                    what=what,
                    aside=aside.name,
                ),
            )
    return search.newest


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


def _say_if_memory_is_short(console: Console, costs: Costs) -> None:
    needed, free = costs.memory, free_memory(costs.device)
    if needed > free:
        say(
            console,
            _(WARNING),
            _(
                "training takes about {needed} of memory; {free} are free",
                needed=gigabytes(needed),
                free=gigabytes(free),
            ),
        )
        advice = _("Less: --set training.tokens_per_micro_batch=512, a smaller --model, or model.quantization=4bit")
        say(console, "", advice)


def _say_how_it_opened(console: Console, folder: OpenRunFolder) -> None:
    if folder.set_aside is not None:
        say(console, _("Fresh"), _("the earlier run is kept as {folder}", folder=folder.set_aside))
    if folder.unlocked is not None:
        say(console, _(WARNING), folder.unlocked)


def _say_that_it_is_over(console: Console, finished: FinishedBefore, asked: RunConfig) -> None:
    steps, date = finished.card["training"]["steps"], finished.card["created"][:10]
    say(
        console,
        _("Finished"),
        _(
            "{folder} was finished at step {steps} on {date}; nothing in it is changed",
            folder=finished.folder,
            steps=steps,
            date=date,
        ),
    )
    if unused := finished.unused(asked):
        say(console, _("Not used"), ", ".join(f"{name}={value}" for name, value in unused.items()))
    say(console, "", _("--fresh starts over and keeps this run under another name, another --output keeps it as it is"))


def _say_if_versions_differ(console: Console, checkpoint: Checkpoint) -> None:
    now, then = versions(_LIBRARIES), checkpoint.identity.get(_VERSIONS, {})
    if others := [
        _("{name} {old} there, {new} now", name=name, old=then[name], new=now[name])
        for name in now
        if then.get(name, now[name]) != now[name]
    ]:
        say(
            console,
            _(WARNING),
            _(
                "{folder} was made with other versions: {versions}",
                folder=checkpoint.folder.name,
                versions=", ".join(others),
            ),
        )
        say(console, "", _("The result may differ in its last digits from that of a run without a break."))


def _say_where_it_starts(console: Console, base: BaseSource, checkpoint: Checkpoint | None) -> None:
    where = f"{base.name} ({base.location})" if base.name != base.location else base.name
    if checkpoint is not None:
        say(
            console,
            _("Start"),
            _("{folder}, the newest whole checkpoint, on base {where}", folder=checkpoint.folder, where=where),
        )
    else:
        say(console, _("Start"), _("base {where}: no checkpoint in the run folder", where=where))
