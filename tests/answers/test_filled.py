"""Names that a form was filled with are read back."""

import pytest

from koki.answers.filled import filling, split_names
from koki.dialogue.phrasebook import load_phrasebook


def test_a_form_is_read_back_from_a_question() -> None:
    forms = load_phrasebook().recommendation
    question = "Saya punya ayam, serai, dan santan. Bisa dimasak jadi apa?"
    assert filling(question, forms) == "ayam, serai, dan santan"
    assert split_names("ayam, serai, dan santan", load_phrasebook().joining) == ["ayam", "serai", "santan"]
    assert split_names("ayam dan serai", load_phrasebook().joining) == ["ayam", "serai"]


def test_a_question_in_no_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="none of the forms"):
        filling("Halo?", load_phrasebook().inquiry)
