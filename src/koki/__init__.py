"""Koki turns a file of Indonesian recipes into a chef that answers in Indonesian."""

import os
from typing import TYPE_CHECKING, Any

# Threads that wait for their next piece of work shall sleep: by default they spin, and beside another busy program each
# of torch's many small operations then waits for a thread that is not on a core. OpenMP reads these once, when torch is
# imported, so they stand here, before everything; what the user has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # GNU's, on Linux
os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM's and Intel's, on macOS and Windows: milliseconds to spin

if TYPE_CHECKING:
    from koki.inference.chef import Answer, Chef

__version__ = "0.1.0"
__all__ = ["Answer", "Chef", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `Answer` and `Chef` only when they are first used: they bring numpy and pydantic along."""
    if name in ("Answer", "Chef"):
        from koki.inference import chef

        return getattr(chef, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
