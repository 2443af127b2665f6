"""Which hosts nobody else reaches, and the address that a phone opens."""

import pytest

from koki.serving.network import address_in_network, is_loopback, qr_code, url_of


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_nobody_else_reaches_this_machine_by_its_own_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "dapur.local"])
def test_others_may_reach_it_by_all_else(host: str) -> None:
    assert not is_loopback(host)


def test_the_key_is_in_the_part_of_the_address_that_a_browser_sends_nobody() -> None:
    assert url_of("192.168.1.7", 8000, "rahasia") == "http://192.168.1.7:8000/#key=rahasia"
    assert url_of("::1", 8000) == "http://[::1]:8000/"
    assert url_of("0.0.0.0", 80) == f"http://{address_in_network()}:80/"


def test_a_qr_code_is_a_square_of_characters() -> None:
    lines = qr_code("http://192.168.1.7:8000/#key=rahasia").splitlines()
    assert len(lines) > 10
