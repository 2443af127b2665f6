"""Koki turns a CSV of Indonesian recipes into a chef that answers in Indonesian."""

from typing import TYPE_CHECKING, Any

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
