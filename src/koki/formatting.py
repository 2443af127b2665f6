"""Sizes and times in the unit that suits them."""

from typing import Final, Literal

from koki.language import N_, _, number

TimeUnit = Literal["seconds", "minutes", "hours", "days"]

_FORMS: Final[dict[TimeUnit, str]] = {
    "seconds": N_("{time} s"),
    "minutes": N_("{time} min"),
    "hours": N_("{time} h"),
    "days": N_("{time} days"),
}


def in_its_unit(seconds: float) -> tuple[float, int, TimeUnit]:
    """A time as a number, how many decimals of it to print, and its unit."""
    if seconds < 90:
        return seconds, 0, "seconds"
    if seconds < 90 * 60:
        return seconds / 60, 0, "minutes"
    return (seconds / 3600, 1, "hours") if seconds < 48 * 3600 else (seconds / 86400, 1, "days")


def duration(seconds: float) -> str:
    """A time as text: "40 s", "12 min", "3.5 h" or "2.1 days"."""
    time, digits, unit = in_its_unit(seconds)
    return _(_FORMS[unit], time=number(time, f".{digits}f"))


def file_size(count: int) -> str:
    """A number of bytes, of a small file too, as text: "371 B", "842 kB", "5.4 MB" or "1.2 GB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{number(count / size, ',.1f')} {unit}"
    return f"{number(count / 1e3, ',.0f')} kB" if count >= 1e3 else f"{count} B"


def gigabytes(count: float) -> str:
    """A number of bytes as text: "850 MB" or "4.2 GB"."""
    return f"{number(count / 1e6, ',.0f')} MB" if count < 1e9 else f"{number(count / 1e9, ',.1f')} GB"
