"""Work that is done task by task in several processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import loky
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tasks_of_workers import dying, failing, greeting, process_of, processed, sleeping, surroundings, unless_two

from koki.errors import ConfigError, QuestionTooLong, WorkerError
from koki.workers import Workers, worker_count

WorkersOf = Callable[[int], Workers[str]]

SCRIPT = """\
import os, time
from koki.workers import Workers

def work(state, task):
    print("hush", state, task)
    os.system("echo hush")
    time.sleep(task)
    return os.getpid()

with Workers(str, 2) as workers:
    try:
        for process in workers.map(work, {tasks}, str):
            print(process != os.getpid(), process, flush=True)
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.fixture(scope="module")
def workers_of() -> Iterator[WorkersOf]:
    """Workers by their number; they are started once for all tests that do not end them."""
    made: list[Workers[str]] = []

    @cache
    def of(count: int) -> Workers[str]:
        made.append(Workers(greeting, count))
        return made[-1].__enter__()

    yield of
    for workers in made:
        workers.__exit__(None, None, None)


@pytest.fixture
def two(workers_of: WorkersOf) -> Workers[str]:
    return workers_of(2)


@pytest.fixture
def one(workers_of: WorkersOf) -> Workers[str]:
    return workers_of(1)


# ---------------------------------------------------------------------------------------------------- what comes out


@settings(max_examples=10, deadline=None)
@given(tasks=st.lists(st.integers(), max_size=12))
def test_any_number_of_workers_gives_the_results_in_the_order_of_the_tasks(
    workers_of: WorkersOf, tasks: list[int]
) -> None:
    for count in (1, 2, 3):
        assert list(workers_of(count).map(processed, iter(tasks), str)) == [(2 * task, "halo") for task in tasks]


def test_tasks_are_taken_a_few_ahead(two: Workers[str]) -> None:
    taken: list[int] = []
    tasks = (taken.append(number) or number for number in range(100))  # type: ignore[func-returns-value]
    for received, _ in enumerate(two.map(processed, tasks, str)):
        assert len(taken) - received <= 4


def test_a_single_worker_takes_no_task_ahead(one: Workers[str]) -> None:
    tasks = iter(range(10))
    next(one.map(processed, tasks, str))
    assert next(tasks) == 2  # whether there is a second task is looked at


def test_a_state_is_made_once_in_each_worker(two: Workers[str]) -> None:
    for process, state in two.map(process_of, range(20), str):
        assert state == f"halo dari {process}"


def test_a_map_that_is_left_early_leaves_nothing_to_the_next(two: Workers[str]) -> None:
    assert next(two.map(processed, range(100), str)) == (0, "halo")
    assert list(two.map(processed, range(2), str)) == [(0, "halo"), (2, "halo")]


# ------------------------------------------------------------------------------------------------------------- where


def test_with_one_worker_all_is_done_in_this_process(one: Workers[str]) -> None:
    assert {process for process, _ in one.map(process_of, range(3), str)} == {os.getpid()}


def test_a_single_task_is_done_in_this_process(two: Workers[str]) -> None:
    assert [process for process, _ in two.map(process_of, [1], str)] == [os.getpid()]


def test_with_more_workers_nothing_is_done_in_this_process(two: Workers[str]) -> None:
    assert os.getpid() not in {process for process, _ in two.map(process_of, range(3), str)}


def test_no_process_is_started_before_the_first_result_is_asked_for() -> None:
    before = psutil.Process().children()
    with Workers(greeting, 2) as workers:
        workers.map(processed, range(3), str)
        assert psutil.Process().children() == before


@pytest.mark.parametrize("program", [None, "/tidak/ada", "/bin/false"])
def test_where_no_process_can_be_started_all_is_done_in_this_one(
    monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with Workers(greeting, 2) as workers:
        assert {process for process, _ in workers.map(process_of, range(3), str)} == {os.getpid()}


def test_workers_find_the_modules_that_this_process_finds_and_none_in_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pickle.py").write_text("raise ImportError")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [Path("/tidak/ada"), *sys.path])
    with Workers(greeting, 2) as workers:
        assert os.getpid() not in {process for process, _ in workers.map(process_of, range(2), str)}


# ---------------------------------------------------------------------------------------------- what surrounds a task


@pytest.mark.usefixtures("indonesian")
def test_a_worker_speaks_the_chosen_language_and_leaves_the_other_cores_alone(two: Workers[str]) -> None:
    for found in two.map(surroundings, range(2), str):
        assert found == {
            "number": "1.234,5",
            "collects garbage": False,
            "threads": "1",
            "workers": 1,
            "torch": False,
        }


@pytest.mark.usefixtures("indonesian")
def test_a_task_that_is_done_here_finds_the_same(one: Workers[str]) -> None:
    (found, _) = one.map(surroundings, range(2), str)
    assert (found["number"], found["collects garbage"]) == ("1.234,5", False)


@pytest.mark.slow
def test_a_script_without_a_guard_is_run_once_and_what_workers_print_is_not_in_its_output(tmp_path: Path) -> None:
    script, runs = tmp_path / "resep.py", tmp_path / "runs"
    script.write_text(f"open({str(runs)!r}, 'a').write('once')\n" + SCRIPT.format(tasks=[0] * 9))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert runs.read_text() == "once"
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["True"] * 9
    assert done.stderr == ""


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_comes_in_its_turn_as_it_is(workers_of: WorkersOf, count: int) -> None:
    results = workers_of(count).map(unless_two, range(9), str)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(QuestionTooLong, match="has 9 tokens") as raised:
        next(results)
    assert (raised.value.how, raised.value.tokens) == ("Ask a shorter one.", 9)


def test_an_error_that_cannot_be_sent_is_told(two: Workers[str]) -> None:
    with pytest.raises(RuntimeError, match="TwoPartError: dua bagian"):
        list(two.map(failing, range(2), str))


@pytest.mark.parametrize("size", [0, 3_000_000], ids=["small", "more than a pipe holds"])
def test_the_death_of_a_worker_is_an_error_that_names_its_task(two: Workers[str], size: int) -> None:
    tasks = [(number, bytes(size)) for number in range(9)]
    with pytest.raises(WorkerError, match=r"died.*row 2") as raised:
        list(two.map(dying, tasks, lambda task: f"row {task[0]}"))
    assert "KOKI_WORKERS=1" in raised.value.how


def test_after_a_death_the_next_map_has_new_workers(two: Workers[str]) -> None:
    with pytest.raises(WorkerError):
        list(two.map(dying, [(2, b""), (3, b"")], str))
    assert os.getpid() not in {process for process, _ in two.map(process_of, range(2), str)}


# ------------------------------------------------------------------------------------------------------------- the end


def is_gone(process: int) -> bool:
    """Whether it ends within seconds."""
    until = time.monotonic() + 10
    while psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_workers_end_at_once_with_what_they_work_for() -> None:
    processes: list[int] = []
    started = time.monotonic()

    def is_stopped() -> None:
        with Workers(greeting, 2) as workers:
            processes.extend(process for process, _ in workers.map(process_of, range(3), str))
            next(workers.map(sleeping, [0, *[60] * 9], str))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        is_stopped()
    assert all(map(is_gone, processes))
    assert time.monotonic() - started < 30


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_when_the_process_that_started_them_is_killed(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(tasks="[0] * 4 + [60] * 9")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as script:
        assert script.stdout is not None
        process = int(script.stdout.readline().split()[1])
        script.send_signal(number)
    assert is_gone(process)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Ctrl+C is sent to a group of processes")
def test_at_ctrl_c_workers_say_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(tasks="[0] * 4 + [60] * 9")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as script:
        assert script.stdout is not None
        script.stdout.readline()
        os.killpg(script.pid, signal.SIGINT)
        out, err = script.communicate(timeout=30)
    assert out.splitlines()[-1] == "stopped"
    assert err == ""


# ------------------------------------------------------------------------------------------------------------ how many


def pretend(monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, limit: Path) -> None:
    """As if this machine had so many cores and so much free memory, and the limit of a container in this file."""

    class Memory:
        available = int(gigabytes * 1e9)

    monkeypatch.delenv("KOKI_WORKERS", raising=False)
    monkeypatch.setattr(loky, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    monkeypatch.setattr("koki.workers._LIMIT_OF_CONTAINER", limit)


@pytest.mark.parametrize(("cores", "gigabytes", "count"), [(2, 100, 2), (64, 7, 10), (64, 0.5, 1)])
def test_there_are_as_many_workers_as_cores_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, gigabytes: float, count: int
) -> None:
    pretend(monkeypatch, cores, gigabytes, tmp_path / "memory.max")
    assert worker_count() == count


@pytest.mark.parametrize(("limit", "count"), [("2100000000", 3), ("max", 16), ("", 16)])
def test_a_container_has_no_more_workers_than_its_memory_allows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, count: int
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    pretend(monkeypatch, 16, 64, tmp_path / "memory.max")
    assert worker_count() == count


def test_the_number_of_workers_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOKI_WORKERS", "12")
    assert worker_count() == 12


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "dua", "²", " "])
def test_what_is_no_number_of_workers_is_an_error(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("KOKI_WORKERS", given)
    with pytest.raises(ConfigError, match="KOKI_WORKERS"):
        worker_count()
