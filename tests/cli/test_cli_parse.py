"""`koki parse`."""

import json

from commands import koki


def test_parse_gives_one_object_a_line_in_order() -> None:
    run = koki("parse", "-", "--json", stdin="2 siung bawang putih, cincang\nBumbu halus:\n½ sdt garam\n")
    first, heading, last = (json.loads(line) for line in run.stdout.splitlines())
    assert list(first) == [
        "raw",
        "name",
        "heading",
        "quantity",
        "unit",
        "preparation",
        "note",
        "optional",
        "alternatives",
        "others",
    ]
    assert (first["quantity"], first["unit"], first["name"]) == (2, "siung", "bawang putih")
    assert first["preparation"] == "cincang"
    assert (heading["name"], heading["heading"]) == (None, True)
    assert last["quantity"] == 0.5


def test_parse_gives_an_answer_for_an_empty_line_too() -> None:
    assert len(koki("parse", "-", "--json", stdin="garam\n\ngula\n").stdout.splitlines()) == 3
