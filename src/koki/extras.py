"""How to install what an extra of Koki's brings: by the names of its packages, since no index has a Koki itself."""

from typing import Final

_PACKAGES: Final = {
    "parquet": ("pyarrow",),
    "quantization": ("bitsandbytes",),
    "serve": ("fastapi", "prometheus_client", "segno", "uvicorn"),
}


def how_to_install(extra: str) -> str:
    """The command that installs the packages of an extra of ``pyproject.toml``, wherever Koki came from."""
    return f"pip install {' '.join(_PACKAGES[extra])}"
