"""True answers score high; another recipe, a loop, an invented ingredient and English score low."""

from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import pytest
from cases import cookbook, examiner, recipe_named, said, samples, trained_on

from koki.answers.opening import missing_in
from koki.answers.said import read_answer
from koki.book.reading import Reading
from koki.dialogue.layout import list_ingredients, list_steps
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities.capability import Scores
from koki.evaluation.capabilities.registry import CAPABILITIES, measures
from koki.evaluation.judge import judge, marks
from koki.inference.engine import Ending

MEASURES = measures()
QUESTIONS = examiner().draw(6)


def of(capability: str) -> list[Asked]:
    return [one for one in QUESTIONS if one.capability == capability]


def scores_of(asked: Asked, answer: str, *, ended_by: Ending = "stop_token") -> Scores:
    return judge(asked, said(answer, ended_by=ended_by), cookbook())


def average(scores: list[Scores], measure: str) -> float:
    return mean(score for one in scores if (score := one.get(measure)) is not None)


@pytest.mark.parametrize("capability", [capability.name for capability in CAPABILITIES])
def test_true_answers_have_the_best_score_of_every_measure(capability: str) -> None:
    scores = [scores_of(asked, asked.reference) for asked in of(capability)]
    for measure, about in (MEASURES[capability] | MEASURES["any answer"]).items():
        if measure == "names_nearest":  # nothing was read
            assert not [one for one in scores if one[measure] is not None]
        elif measure == "uses_offered":  # the best dish need not use everything
            assert average(scores, measure) > 0.9
        else:
            assert average(scores, measure) == (0 if about.lower_is_better else 1), measure


@pytest.mark.parametrize("capability", [capability.name for capability in CAPABILITIES])
def test_every_measure_of_a_capability_is_taken(capability: str) -> None:
    names = {name for asked in of(capability) for name in scores_of(asked, asked.reference)}
    assert names == set(MEASURES[capability] | MEASURES["any answer"])


RENDANG, RAWON = recipe_named("Rendang Daging"), recipe_named("Rawon")


def recipe_answer(ingredients: str, steps: str, dish: str = RENDANG.title) -> str:
    return f"Berikut resep {dish}:\n\nBahan:\n{ingredients}\n\nCara membuat:\n{steps}\n\nSelamat mencoba!"


TRUE = recipe_answer(list_ingredients(RENDANG.ingredients), list_steps(RENDANG.steps))
ASKED = Asked("1", "recall", "full recipe", "Tolong berikan resep Rendang Daging.", TRUE, RENDANG, ())


def test_another_recipe_under_the_right_name_is_the_wrong_dish() -> None:
    scores = scores_of(ASKED, recipe_answer(list_ingredients(RAWON.ingredients), list_steps(RAWON.steps)))
    assert scores["right_dish"] == 0
    assert (scores["ingredients_f1"] or 0) < 0.6
    assert (scores["invented"] or 0) > 0.2
    assert (scores["quantities"] or 0) < 0.5
    assert (scores["steps"] or 0) < 0.4
    assert scores["order"] == 0


def test_the_right_recipe_under_another_name_is_the_wrong_dish() -> None:
    answer = recipe_answer(list_ingredients(RENDANG.ingredients), list_steps(RENDANG.steps), "Rawon")
    assert scores_of(ASKED, answer)["right_dish"] == 0
    assert scores_of(ASKED, answer)["ingredients_f1"] == 1


def test_an_invented_ingredient_costs_precision_and_is_counted() -> None:
    lines = list_ingredients(RENDANG.ingredients)
    count = sum(not item.heading for item in RENDANG.ingredients)
    scores = scores_of(ASKED, recipe_answer(f"- 200 gram udang\n{lines}", list_steps(RENDANG.steps)))
    assert scores["invented"] == pytest.approx(1 / (count + 1))
    assert scores["ingredients_precision"] == pytest.approx(count / (count + 1))
    assert scores["ingredients_recall"] == 1


def test_a_forgotten_ingredient_costs_recall() -> None:
    first, *rest = list_ingredients(RENDANG.ingredients).splitlines()
    scores = scores_of(ASKED, recipe_answer("\n".join(rest), list_steps(RENDANG.steps)))
    assert scores["ingredients_recall"] == pytest.approx(1 - 1 / sum(not it.heading for it in RENDANG.ingredients))
    assert scores["ingredients_precision"] == 1
    assert first


def test_swapped_steps_cost_order() -> None:
    answer = recipe_answer(list_ingredients(RENDANG.ingredients), list_steps(RENDANG.steps[::-1]))
    assert scores_of(ASKED, answer)["order"] == -1


def test_an_answer_that_goes_round_in_circles_scores_low() -> None:
    lines = list_ingredients(RENDANG.ingredients)
    loop = "\n".join(["- 2 batang serai, memarkan"] * 30)
    answer = f"Berikut resep Rendang Daging:\n\nBahan:\n{lines}\n{loop}"
    scores = scores_of(ASKED, answer, ended_by="max_new_tokens")
    assert (scores["no_loop"], scores["ended"]) == (0, 0)
    assert (scores["steps"], scores["order"]) == (0, 0)


@pytest.mark.parametrize("times", [2, 3])
def test_a_recipe_that_is_given_more_than_once_is_a_loop(times: int) -> None:
    scores = scores_of(ASKED, "\n\n".join([TRUE] * times))
    assert scores["no_loop"] == 0
    assert (scores["steps"] or 0) < 0.7


def test_a_dish_whose_name_goes_on_is_not_the_dish_asked_for() -> None:
    assert scores_of(ASKED, TRUE.replace(RENDANG.title, f"{RENDANG.title} Mars"))["right_dish"] == 0
    assert scores_of(ASKED, TRUE.replace(RENDANG.title, f"{RENDANG.title}an"))["right_dish"] == 0


INVENTED = "\n".join(f"- 1 buah {name}" for name in ("lobster", "stroberi", "apel", "keju", "salmon", "zaitun", "kiwi"))
OTHER = recipe_answer(list_ingredients(RAWON.ingredients), list_steps(RAWON.steps), RAWON.title)


@pytest.mark.parametrize(
    ("answers", "measure", "at_most"),
    [
        (lambda _: OTHER, "right_dish", 0.0),
        (lambda _: OTHER, "ingredients_f1", 0.6),
        (lambda _: OTHER, "steps", 0.4),
        (lambda asked: f"{asked.reference}\n\n{asked.reference}", "no_loop", 0.0),
        (lambda asked: asked.reference.replace("- ", f"{INVENTED}\n- ", 1), "ingredients_precision", 0.65),
        (lambda _: "Silakan dicoba sendiri, ya.", "ingredients_recall", 0.0),
    ],
    ids=["another recipe", "... its ingredients", "... its steps", "everything twice", "inventions", "no recipe"],
)
def test_a_chef_that_answers_every_request_wrongly_scores_low(
    answers: Callable[[Asked], str], measure: str, at_most: float
) -> None:
    asked = [one for one in of("full recipe") if one.recipe is not RAWON]
    true = [scores_of(one, one.reference) for one in asked]
    wrong = [scores_of(one, answers(one)) for one in asked]
    assert average(true, measure) == 1
    assert average(wrong, measure) <= at_most


@pytest.mark.parametrize(
    ("ended_by", "ended", "no_control_token"),
    [("stop_token", 1, 1), ("max_new_tokens", 0, 1), ("context", 0, 1), ("control_token", 0, 0)],
)
def test_an_answer_that_was_cut_off_did_not_end_by_itself_and_only_one_that_broke_off_shows_a_control_token(
    ended_by: Ending, ended: int, no_control_token: int
) -> None:
    scores = scores_of(ASKED, TRUE, ended_by=ended_by)
    assert (scores["ended"], scores["no_control_token"]) == (ended, no_control_token)


def test_a_control_token_in_the_text_shows() -> None:
    assert scores_of(ASKED, TRUE + "<|im_start|>")["no_control_token"] == 0


def test_nothing_said_is_nothing_right() -> None:
    scores = scores_of(ASKED, "")
    assert all(not scores[name] for name in MEASURES["full recipe"])
    assert scores["indonesian"] == 0


def test_english_is_not_indonesian() -> None:
    answer = "Here is the recipe: cook the beef slowly until tender and enjoy with your friends."
    assert (scores_of(ASKED, answer)["indonesian"] or 0) < 0.25
    lines, steps = "- 500 grams beef\n- 1 liter coconut milk", "1. Add the salt and the sugar.\n2. Stir with a spoon."
    scores = scores_of(ASKED, f"Recipe for Rendang Daging:\n\nIngredients:\n{lines}\n\nSteps:\n{steps}")
    assert (scores["indonesian"] or 0) < 0.25
    assert (scores["ingredients_f1"], scores["quantities"], scores["steps"]) == (0, 0, 0)


def test_a_question_for_ingredients_is_not_judged_by_steps() -> None:
    reference = f"Bahan-bahan Rendang Daging:\n\n{list_ingredients(RENDANG.ingredients)}"
    asked = Asked("1", "recall", "simple question", "Bahan Rendang Daging apa aja?", reference, RENDANG, ())
    scores = scores_of(asked, reference)
    assert "steps" not in scores
    assert (scores["right_dish"], scores["ingredients_f1"]) == (1, 1)


MENDOAN = recipe_named("Tempe Mendoan")
OFFER = Asked(
    "1",
    "recall",
    "recommendation",
    "Saya punya tempe, daun bawang, dan udang. Bisa dimasak jadi apa?",
    TRUE,
    MENDOAN,
    ("tempe", "daun bawang", "udang"),
)


def recommended(dish: str, missing: str) -> Scores:
    lines = list_ingredients(MENDOAN.ingredients)
    return scores_of(OFFER, f"Dengan tempe, kamu bisa membuat {dish}. {missing} Ini resepnya:\n\nBahan:\n{lines}")


def test_a_recommendation_uses_what_was_offered_as_far_as_the_dish_has_it() -> None:
    assert recommended("Tempe Mendoan", "")["uses_offered"] == pytest.approx(2 / 3)


def test_what_is_missing_is_exact_or_wrong() -> None:
    from koki.evaluation.cookbook import missing_for

    suggestion = missing_for(MENDOAN, OFFER.names)
    assert suggestion is not None
    true = ", ".join(suggestion.missing)
    assert recommended("Tempe Mendoan", f"Yang belum ada: {true}.")["missing_exact"] == 1
    assert recommended("Tempe Mendoan", f"Yang belum ada: {true}, dan santan.")["missing_exact"] == 0
    assert recommended("Tempe Mendoan", f"Yang belum ada: {true}, dan {suggestion.missing[0]}.")["missing_exact"] == 0
    vague = true.replace("bawang putih", "bawang")
    assert vague != true
    assert recommended("Tempe Mendoan", f"Yang belum ada: {vague}.")["missing_exact"] == 0
    assert recommended("Tempe Mendoan", "Bahan utamanya sudah lengkap.")["missing_exact"] == 0


def test_a_dish_that_does_not_exist_is_no_recommendation() -> None:
    scores = recommended("Tempe Mendoan Mars", "")
    assert [scores[name] for name in MEASURES["recommendation"]] == [0, 0, 0, 0]


def test_the_recipe_given_has_to_be_that_of_the_dish_named() -> None:
    assert recommended("Tempe Mendoan", "")["recipe_f1"] == 1
    assert (recommended("Rendang Daging", "")["recipe_f1"] or 0) < 0.5


def test_a_recommendation_in_other_words_is_understood() -> None:
    assert scores_of(OFFER, "Kamu bisa coba **Tempe Mendoan** yang gurih.")["dish_exists"] == 1


def test_a_recommendation_in_a_mixture_of_kokis_words_is_understood() -> None:
    answer = "Bagaimana kalau membuat Tempe Mendoan? Bahannya antara lain tempe dan daun bawang."
    assert scores_of(OFFER, answer)["dish_exists"] == 1


def test_a_dish_that_is_only_named_in_a_step_is_not_recommended() -> None:
    assert scores_of(OFFER, "Ini resepnya:\n\nCara membuat:\n1. Sajikan dengan Tempe Mendoan.")["dish_exists"] == 0


INQUIRY = Asked("1", "recall", "inquiry", "Punya tempe, bisa dibikin apa ya?", TRUE, MENDOAN, ("tempe",))


def test_each_dish_of_an_inquiry_has_to_have_the_ingredient() -> None:
    others = (
        "Masakan lain dengan tempe:\n- Kering Tempe, dengan kacang.\n- Rendang Daging, dengan santan.\n- Tempe Mars."
    )
    scores = scores_of(INQUIRY, f"Kalau ada tempe, coba bikin Tempe Mendoan. Ini resepnya:\n\n{others}")
    assert scores["dishes_right"] == pytest.approx(2 / 4)  # neither Rendang Daging nor Tempe Mars


def test_an_inquiry_that_names_no_dish_is_wrong() -> None:
    assert scores_of(INQUIRY, "Tempe bisa digoreng saja.")["dishes_right"] == 0


TIP = Asked(
    "1",
    "recall",
    "tip",
    "Gimana caranya supaya santan tidak pecah?",
    "Aduk santan terus dengan api kecil. Panas yang terlalu tinggi merusak protein, jadi santannya pecah.",
    None,
    (),
)


def test_a_tip_on_something_else_is_off_the_topic() -> None:
    scores = scores_of(TIP, "Cuci ikan dengan jeruk nipis supaya tidak amis.")
    assert (scores["on_topic"], scores["reason"], scores["key_words"]) == (0, 1, 0)


def test_a_tip_without_a_reason_gives_none() -> None:
    scores = scores_of(TIP, "Aduk santan terus.")
    assert (scores["on_topic"], scores["reason"]) == (1, 0)


def test_a_recipe_is_no_tip() -> None:
    scores = scores_of(TIP, TRUE + "\nsantan pecah supaya")
    assert (scores["on_topic"], scores["reason"], scores["key_words"]) == (0, 0, 0)


def test_only_an_answer_that_declines_and_gives_no_recipe_is_a_refusal() -> None:
    (asked, *_) = of("refusal")
    assert scores_of(asked, "Maaf, saya tidak mengikuti berita.")["declined"] == 1
    assert scores_of(asked, "Besok cerah berawan.")["declined"] == 0
    assert scores_of(asked, "Maaf, saya tidak tahu.\n\n" + TRUE)["declined"] == 0
    assert scores_of(asked, "saya tidak tahu " * 8)["declined"] == 0


@pytest.mark.parametrize(
    ("opening", "missing"),
    [
        ("Coba bikin Soto. Yang belum ada: serai, kunyit, dan jahe. Ini resepnya:", ["serai", "kunyit", "jahe"]),
        ("Kamu masih perlu serai dan kunyit.", ["serai", "kunyit"]),
        ("Bahan utamanya sudah lengkap.", []),
        ("", []),
    ],
)
def test_what_an_answer_says_is_missing_is_read(opening: str, missing: list[str]) -> None:
    assert missing_in(opening) == missing


def test_marks_say_of_each_ingredient_whether_it_is_right_and_what_is_missing() -> None:
    first, *rest = [item for item in RENDANG.ingredients if item.name]
    found = marks(ASKED, said(recipe_answer(f"- 200 gram udang\n{list_ingredients(rest)}", "1. Masak.")), cookbook())
    assert found is not None
    assert found.lines == (("200 gram udang", "invented", ""), *((item.raw, "right", "") for item in rest))
    assert found.missing == (first.name,)


def test_marks_agree_with_the_scores_they_explain() -> None:
    for asked in of("full recipe") + of("recommendation") + of("inquiry"):
        found = marks(asked, said(asked.reference), cookbook())
        if found is not None:
            assert found.is_right


def test_an_answer_that_need_not_give_ingredients_has_no_marks() -> None:
    (asked, *_) = of("tip")
    assert marks(asked, said(asked.reference), cookbook()) is None


def test_what_koki_says_of_any_recipe_is_read_as_it_was_written() -> None:
    recipes = {recipe.title.lower(): recipe for recipe in samples()[0]}
    requests = [one for one in trained_on() if one.kind in ("standard", "simple")]
    for conversation in requests:
        text = "\n\n".join(segment.text for segment in conversation.answer)
        read = read_answer(text)
        titles = [title for title in recipes if title in conversation.question.lower()]
        recipe = recipes[max(titles, key=len)]
        lines = [item.raw for item in recipe.ingredients if not item.heading]
        assert [item.raw for item in read.ingredients if not item.heading] in ([], lines)
        assert read.steps in ((), recipe.steps)
        assert read.ingredients or read.steps


def test_a_dish_that_is_not_there_is_declined_with_what_is_nearest_and_without_a_recipe() -> None:
    (asked, *_) = of("absent")
    reading = Reading("recipe", absent=asked.names[0], nearest=("Rawon", "Rendang Daging"))

    def scores(answer: str) -> list[float | None]:
        found = judge(asked, replace(said(answer), reading=reading), cookbook())
        return [found[name] for name in ("said_absent", "nothing_invented", "names_nearest")]

    assert scores(f"{asked.reference} Yang paling mirip: Rawon.") == [1, 1, 1]
    assert scores("Maaf, resepnya belum ada di buku saya.") == [1, 1, 0]
    assert scores("Saya suka memasak.") == [0, 1, 0]
    assert scores(recipe_answer("- 1 ekor ayam", "1. Rebus.", "Rawon")) == [0, 0, 0]
