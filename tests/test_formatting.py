"""Sizes and times read well."""

import pytest

from koki.formatting import duration, file_size, gigabytes


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "40 s"), (600, "10 min"), (4 * 3600, "4.0 h"), (72 * 3600, "3.0 days")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (371, "371 B"), (42_569, "43 kB"), (5_393_024, "5.4 MB"), (1_234_000_000, "1.2 GB")]
)
def test_sizes_of_files_read_well(count: int, text: str) -> None:
    assert file_size(count) == text


def test_sizes_read_well() -> None:
    assert gigabytes(850e6) == "850 MB"
    assert gigabytes(4.23e9) == "4.2 GB"
