"""Koki is to run on Windows: what Python lacks there is asked for before it is used.

The tests run elsewhere, so the source is read for it.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from import_graph import modules

# Modules and names that Python has on POSIX alone, and arguments and methods that fail elsewhere.
_LISTED: Final = """
crypt curses fcntl grp nis posix pty pwd readline resource spwd syslog termios tty

os.chown os.chroot os.confstr os.ctermid os.fchdir os.fchmod os.fchown os.fork os.forkpty os.getegid os.geteuid
os.getgid os.getgroups os.getloadavg os.getpgid os.getpgrp os.getpriority os.getsid os.getuid os.initgroups
os.killpg os.lchown os.lockf os.mkfifo os.mknod os.nice os.openpty os.posix_fadvise os.posix_fallocate
os.posix_spawn os.pread os.preadv os.pwrite os.pwritev os.register_at_fork os.sched_getaffinity
os.sched_setaffinity os.sched_yield os.sendfile os.setegid os.seteuid os.setgid os.setpgid os.setpriority os.setsid
os.setuid os.statvfs os.sync os.sysconf os.tcgetpgrp os.ttyname os.uname os.wait os.wait3 os.wait4 os.waitid
os.O_CLOEXEC os.O_DIRECTORY os.O_DSYNC os.O_NOATIME os.O_NOCTTY os.O_NOFOLLOW os.O_NONBLOCK os.O_SYNC
os.WIFEXITED os.WIFSIGNALED os.WNOHANG

signal.SIGALRM signal.SIGBUS signal.SIGCHLD signal.SIGCONT signal.SIGHUP signal.SIGKILL signal.SIGPIPE
signal.SIGQUIT signal.SIGSTOP signal.SIGTSTP signal.SIGTTIN signal.SIGTTOU signal.SIGUSR1 signal.SIGUSR2
signal.SIGWINCH signal.alarm signal.getitimer signal.pause signal.pthread_kill signal.pthread_sigmask
signal.setitimer signal.siginterrupt signal.sigpending signal.sigwait

socket.AF_UNIX socket.SO_REUSEPORT socket.recv_fds socket.send_fds time.tzset

dir_fd= pass_fds= preexec_fn= .add_signal_handler .remove_signal_handler
"""
POSIX_ONLY: Final = frozenset(_LISTED.split())
ASKED: Final = {"sys.platform != 'win32'", "not sys.platform == 'win32'", "os.name == 'posix'", "it may be missing"}
ASKED_OF_ONE: Final = {"sys.platform == 'linux'", "sys.platform == 'darwin'"}
MISSING: Final = ("ImportError", "ModuleNotFoundError", "AttributeError", "NotImplementedError")

Known = frozenset[str]


def unguarded(source: str) -> list[str]:
    """What a module uses of all that Windows lacks, without having asked for it."""
    return list(_in_block(ast.parse(source).body, frozenset()))


def _in_block(block: Sequence[ast.AST], known: Known) -> Iterator[str]:
    for node in block:
        yield from _in(node, known)
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue):
            known |= _false(node.test)  # or nothing behind it is reached


def _in(node: ast.AST, known: Known) -> Iterator[str]:
    """The unguarded names in a node, given what conditions around it hold there."""
    yield from (name for name in _names(node) if name in POSIX_ONLY and not _is_asked(name, known))
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            yield from _in(test, known)
            yield from _in_block(body, known | _true(test))
            yield from _in_block(orelse, known | _false(test))
        case ast.IfExp(test=test, body=one, orelse=other):
            yield from _in(test, known)
            yield from _in(one, known | _true(test))
            yield from _in(other, known | _false(test))
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _in(value, known)
                known |= _true(value)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            caught = " ".join(ast.unparse(handler.type) for handler in handlers if handler.type)
            yield from _in_block(body, known | _caught(caught))
            yield from _in_block([*handlers, *orelse, *final], known)
        case ast.With(items=items, body=body):
            caught = " ".join(ast.unparse(item) for item in items if "suppress" in ast.unparse(item))
            yield from _in_block(items, known)
            yield from _in_block(body, known | _caught(caught))
        case _:
            yield from _in_block(list(ast.iter_child_nodes(node)), known)


def _names(node: ast.AST) -> list[str]:
    """What a node by itself names, as in `POSIX_ONLY`."""
    match node:
        case ast.Import(names=names):
            return [it.name for it in names]
        case ast.ImportFrom(module=str(module), names=names):
            return [module, *(f"{module}.{it.name}" for it in names)]
        case ast.Attribute(value=value, attr=name):
            return [f"{ast.unparse(value)}.{name}", f".{name}"]
        case ast.keyword(arg=str(name)):
            return [f"{name}="]
    return []


def _is_asked(name: str, known: Known) -> bool:
    module, _, attribute = name.rpartition(".")
    return bool(known & {*ASKED, *ASKED_OF_ONE, f"hasattr({module}, '{attribute}')"})


def _true(test: ast.expr) -> Known:
    """What holds where a condition does."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return frozenset().union(*map(_true, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _false(operand)
    return frozenset({ast.unparse(test)})


def _false(test: ast.expr) -> Known:
    """What holds where a condition does not."""
    match test:
        case ast.BoolOp(op=ast.Or(), values=values):
            return frozenset().union(*map(_false, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _true(operand)
    return frozenset({f"not {ast.unparse(test)}"})


def _caught(kinds: str) -> Known:
    return frozenset({"it may be missing"} if any(kind in kinds for kind in MISSING) else ())


@pytest.mark.parametrize("module", sorted(modules()))
def test_what_windows_lacks_is_asked_for_before_it_is_used(module: str) -> None:
    assert unguarded(modules()[module].read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("os.fork()", ["os.fork"]),
        ("import fcntl, resource", ["fcntl", "resource"]),
        ("from os import getuid", ["os.getuid"]),
        ("from pwd import getpwnam", ["pwd"]),
        ("x = [signal.SIGINT, signal.SIGHUP]", ["signal.SIGHUP"]),
        ("run(a, preexec_fn=f)", ["preexec_fn="]),
        ("self.loop.add_signal_handler(2, f)", [".add_signal_handler"]),
        ("if sys.platform == 'win32':\n    os.fork()", ["os.fork"]),
        ("if sys.platform != 'win32':\n    pass\nelse:\n    os.fork()", ["os.fork"]),
        ("if sys.platform == 'win32':\n    pass\nos.fork()", ["os.fork"]),
        ("if sys.platform == 'win32' and x:\n    raise E\nos.fork()", ["os.fork"]),
        ("if hasattr(os, 'getuid'):\n    os.fork()", ["os.fork"]),
        ("try:\n    import fcntl\nexcept OSError:\n    pass", ["fcntl"]),
        ("try:\n    pass\nexcept ImportError:\n    import fcntl", ["fcntl"]),
        ("hasattr(os, 'fork') or os.fork()", ["os.fork"]),
        ("with suppress(OSError):\n    import readline", ["readline"]),
    ],
)
def test_what_is_used_unasked_is_found(source: str, found: list[str]) -> None:
    assert unguarded(source) == found


@pytest.mark.parametrize(
    "source",
    [
        "if sys.platform != 'win32':\n    import fcntl\n    fcntl.flock(f, 2)",
        "if sys.platform == 'win32':\n    pass\nelse:\n    os.fork()",
        "def f():\n    if sys.platform == 'win32':\n        return\n    with a:\n        os.getuid()",
        "def f():\n    if sys.platform == 'win32' or x:\n        raise E\n    import resource",
        "if hasattr(os, 'register_at_fork'):\n    os.register_at_fork(after_in_child=f)",
        "x = os.getuid() if hasattr(os, 'getuid') else 0",
        "hasattr(os, 'geteuid') and os.geteuid() == 0",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
        "with suppress(ImportError):\n    import readline",
        "os.kill(p, signal.SIGTERM)",
    ],
)
def test_what_is_asked_for_first_is_not(source: str) -> None:
    assert unguarded(source) == []
