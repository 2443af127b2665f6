"""What koki-mini reads: recipes in several layouts, and short cooking prose around them.

The sentences around the recipes are in ``mini_texts.toml``, beside this file.
"""

import hashlib
import random
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import islice, zip_longest
from pathlib import Path

from koki.book.kitchen import inquiry_subjects, unrelated_names
from koki.book.naming import names_of
from koki.book.pantry import Pantry, Suggestion
from koki.book.reading import Page, Reading
from koki.dialogue.altered import altered
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.pages import asked_after_reading, reading_texts, recipe_blocks, suggestion_line
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_tips
from koki.dialogue.shelf import shelf_of
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

OWN_REPEATS = 8  # times that each of Koki's own recipes and tips is read in an epoch, in every way
POSTS_READ = 0.5  # a share of the others' recipes: those that are read in an epoch
STOCKS = 5  # a recipe of Koki's own: times that some of its ingredients are at hand, each of those times
POSTS_STOCKED = 0.2  # a share of the others' recipes: those of which some ingredients are at hand, in an epoch
RECIPE_FOLLOWS = 6
MENUS = 0.15  # a share of the others' recipes: menus in an epoch
OWN_LOOKED_UP = 3  # times in an epoch that each of Koki's own recipes is looked up, with other amounts than it has
RUNS = 0.2  # a share of the others' recipes: runs of words in an epoch
RECIPES_OF_WORDS = 500  # whose words those are
BOOK_OF_POSTS = 2000  # of the others' recipes: those that stand in the book of an epoch
ASKED_OF_POST = 6  # questions about each of them
ASKED_OF_OWN = 12  # questions about each of Koki's own recipes, with other amounts than it has
ASKED_OF_TIP = 3
ROOM = 3000  # characters of a conversation, which is about the length of a row

# Kinds of characters, by Unicode, that no text keeps.
_NOISE = {"Cc", "Cf", "Cn", "Co", "Me", "Mn", "Sk", "So"}


@dataclass(frozen=True)
class Document:
    """One text to read, after some prose that leads to it.

    Attributes:
        turn: the text stands between the chat template's special tokens, as an answer would; the prose before it.
        asked: what a user says; the text is the answer, in a conversation under the chef's system prompt.
    """

    text: str
    before: str = ""
    turn: bool = False
    asked: str = ""


@dataclass(frozen=True)
class Corpus:
    """What there is to read: others' recipes in two parts, and Koki's own recipes and tips, none of them held out."""

    train: list[Recipe]
    held_out: list[Recipe]
    own: list[Recipe]
    tips: list[Tip]

    @cached_property
    def pantry(self) -> Pantry:
        """What can be cooked of Koki's own recipes."""
        return Pantry(self.own)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every text, in order."""
        texts = [chef_layout(recipe) for recipe in (*self.train, *self.held_out, *self.own)]
        return hashlib.sha256("\0".join(texts + [tip_layout(tip) for tip in self.tips]).encode()).hexdigest()


def read_corpus(posts: Sequence[Path], own: Sequence[Path], held_out_share: float) -> Corpus:
    """Read all recipe files; hold out a share of ``posts``, chosen by a hash of the recipe's text."""
    parts: tuple[list[Recipe], list[Recipe]] = ([], [])
    for recipe in read_recipes(*posts):
        draw = int(hashlib.sha256(chef_layout(recipe).encode()).hexdigest()[:8], 16) / 2**32
        parts[draw < held_out_share].append(recipe)
    own_recipes = list(read_recipes(*own)) if own else []
    return Corpus(*parts, own_recipes, list(load_tips()) if own else [])


@dataclass(frozen=True)
class Prose:
    """The sentences of mini_texts.toml."""

    introductions: list[str]
    closings: list[str]
    stocks: list[str]
    topics: list[str]
    amount: str
    step: str
    menu: str
    index: str
    advice: str


@cache
def prose() -> Prose:
    """Read mini_texts.toml, which lies beside this file."""
    return Prose(**tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))


def clean(text: str) -> str:
    """Take out pictures and control characters, blanks at the end of lines, and runs such as ``!!!!``."""
    kept = "".join(c for c in text if c == "\n" or c == "°" or unicodedata.category(c) not in _NOISE)
    return re.sub(r"[^\S\n]+(?=\n|$)", "", re.sub(r"([.!?,~*=_-])\1{2,}", r"\1", kept))


def chef_layout(recipe: Recipe) -> str:
    """Title, ingredients under their headings, numbered steps: the recipe as the chef will write it."""
    blocks = recipe_blocks(Page(recipe.title, recipe), "recipe", load_phrasebook())
    return clean("\n\n".join([recipe.title, *blocks]))


def prose_layout(recipe: Recipe) -> str:
    """The same in running text: ingredients after each other, steps as a paragraph."""
    headings = load_phrasebook().headings
    ingredients = ", ".join(item.raw.strip() for item in recipe.ingredients).replace(":,", ":")
    steps = " ".join(step if step.endswith((".", "!", "?")) else f"{step}." for step in recipe.steps)
    return clean(f"{recipe.title}\n\n{headings.ingredients} {ingredients}.\n\n{headings.steps} {steps}")


def pantry_layout(recipe: Recipe, draw: random.Random) -> str:
    """A few of the main ingredients first, then the recipe that they make."""
    main = recipe.main_ingredients
    names = ", ".join(draw.sample(main, min(len(main), draw.randint(3, 8))))
    return clean(f"{load_phrasebook().headings.ingredients} {names}\n\n") + chef_layout(recipe)


def told(recipe: Recipe, draw: random.Random) -> Document:
    """Prose that names the dish, then the recipe, or a part of it, under a sentence that names it again.

    A name that comes back teaches the model to look back; one in lower case, to know it again in capitals.
    """
    title = recipe.title.lower() if draw.random() < 0.5 else recipe.title
    body, _, steps = chef_layout(recipe).partition("\n\n")[2].rpartition("\n\n")
    frames = load_phrasebook().frames
    opening, parts = draw.choice(
        [
            (frames.recipe.opening, f"{body}\n\n{steps}"),
            (frames.recipe.opening, f"{body}\n\n{steps}"),
            (frames.ingredients.opening, body.partition("\n")[2]),
            (frames.steps.opening, steps.partition("\n")[2]),
        ]
    )
    before = capitalised(draw.choice(prose().introductions).format(dish=title))
    closing = [draw.choice(prose().closings).format(dish=recipe.title)] if draw.random() < 0.3 else []
    opening_sentence = draw.choice(opening).format(dish=recipe.title)
    return Document(clean("\n\n".join([opening_sentence, parts, *closing])), clean(before))


def looked_up(recipe: Recipe, others: Sequence[Recipe], draw: random.Random) -> Document:
    """Pages of a book, then one of them told again, or some lines of it: what is said stands there to be copied.

    Half of the time the page has other amounts and lines than the recipe, so that it does not help to know it by heart.
    """
    if draw.random() < 0.5:
        recipe = altered(recipe, others, draw)
    again = quoted(recipe, draw) if draw.random() < 0.3 else told(recipe, draw)
    others = draw.sample(others, draw.choice((0, 0, 1, 1, 2)))
    pages = [Page(it.title, it) for it in draw.sample([recipe, *others], 1 + len(others))]
    (read, *_) = reading_texts(Reading("recipe", tuple(pages)), "", load_phrasebook())
    return replace(again, before=clean(read) + (f"\n\n{again.before}" if again.before else ""))


def quoted(recipe: Recipe, draw: random.Random) -> Document:
    """A few lines of a recipe, each under what it is about."""
    items = [item for item in recipe.ingredients if item.name and not item.heading]
    lines = [prose().amount.format(ingredient=it.name, dish=recipe.title, line=it.raw.strip()) for it in items]
    lines += [prose().step.format(number=place, step=step) for place, step in enumerate(recipe.steps, 1)]
    return Document(clean(capitalised("\n\n".join(draw.sample(lines, min(len(lines), draw.randint(1, 4)))))))


def suggested(have: Sequence[str], suggestions: Sequence[Suggestion], draw: random.Random) -> Document:
    """Notes on what can be cooked of what is at hand, then the first of them in a sentence."""
    first = suggestions[0]
    pages = [Page(it.recipe.title, it.recipe, it.at_hand, it.missing) for it in suggestions]
    notes = "\n".join(suggestion_line(page, load_phrasebook()) for page in pages)
    again = stocked(have, first, draw)
    return replace(again, before=clean(f"{load_phrasebook().pages.could_cook}\n{notes}\n\n{again.before}"))


def run_of_words(words: Sequence[str], draw: random.Random) -> Document:
    """Words in no order, twice, with others between or before: what came after a word is found only by looking back."""
    runs = [" ".join(draw.choices(words, k=draw.randint(5, 60))) for _ in range(draw.randint(1, 4))]
    return Document("\n\n".join([*runs, draw.choice(runs)]))


def stocked(have: Sequence[str], suggestion: Suggestion, draw: random.Random) -> Document:
    """Prose that says what is at hand, then the dish that it makes, what is missing, and at times the recipe."""
    book, recipe = load_phrasebook(), suggestion.recipe
    frames, join = book.frames.recommendation, book.joining.join
    opening = draw.choice(frames.opening).format(dish=recipe.title, ingredients=join(suggestion.at_hand))
    rest = draw.choice(frames.missing if suggestion.missing else frames.complete)
    if suggestion.missing:
        rest = capitalised(rest.format(missing=join(suggestion.missing)))
    return at_hand(have, f"{capitalised(opening)} {rest}", f" {draw.choice(frames.recipe)}", recipe, draw)


def found(ingredient: str, recipes: Sequence[Recipe], draw: random.Random) -> Document:
    """Prose that says that one ingredient is at hand, then a dish with it and, at times, its recipe."""
    frames, recipe = load_phrasebook().frames.inquiry, draw.choice(recipes)
    opening = draw.choice(frames.opening).format(dish=recipe.title, ingredient=ingredient)
    return at_hand([ingredient], capitalised(opening), f" {draw.choice(frames.recipe)}", recipe, draw)


def at_hand(have: Sequence[str], said: str, leading: str, recipe: Recipe, draw: random.Random) -> Document:
    """What is said of what is at hand; one time in `RECIPE_FOLLOWS` the recipe comes after it."""
    stock = draw.choice(prose().stocks).format(ingredients=load_phrasebook().joining.join(have))
    if draw.random() < 1 / RECIPE_FOLLOWS:
        said += leading + chef_layout(recipe)[len(clean(recipe.title)) :]
    return Document(clean(said), clean(capitalised(stock)))


def some_of(recipe: Recipe, draw: random.Random) -> list[str]:
    """A few of the recipe's main ingredients, as somebody says them who has them; none of a recipe without."""
    names = unrelated_names(recipe)
    return draw.sample(names, min(len(names), draw.randint(2, 5)))


def alone(recipe: Recipe, have: Sequence[str]) -> Suggestion:
    """The recipe as a suggestion for some of its own ingredients."""
    return Suggestion(recipe, tuple(have), tuple(name for name in unrelated_names(recipe) if name not in have))


def stocked_alone(recipe: Recipe, _others: Sequence[Recipe], have: Sequence[str], draw: random.Random) -> Document:
    """`stocked` with the recipe itself."""
    return stocked(have, alone(recipe, have), draw)


def suggested_among(recipe: Recipe, others: Sequence[Recipe], have: Sequence[str], draw: random.Random) -> Document:
    """`suggested` with the recipe first, and others that are said to use some of the same."""
    found = [alone(other, draw.sample(list(have), 1)) for other in draw.sample(others, draw.randint(0, 2))]
    return suggested(have, [alone(recipe, have), *found], draw)


STOCKED = (stocked_alone, suggested_among)


def tip_layout(tip: Tip) -> str:
    """The tip after its topic."""
    return capitalised(prose().advice.format(topic=tip.topic, tip=tip.answer.strip()))


def advised(tip: Tip, draw: random.Random) -> list[Document]:
    """The tip after its topic in a word, in a sentence, and after its own short form."""
    answer = tip.answer.strip()
    topic = draw.choice(prose().topics).format(topic=tip.topic)
    return [Document(tip_layout(tip)), Document(answer, topic), Document(answer, tip.short.strip())]


def written(recipe: Recipe, draw: random.Random) -> Document:
    """The recipe in one of the ways in which it may stand in a document."""
    ways: list[Callable[[Recipe], str]] = [chef_layout, prose_layout, partial(pantry_layout, draw=draw)]
    return Document(draw.choice(ways)(recipe))


def conversations(corpus: Corpus, draw: random.Random) -> list[Document]:
    """Questions that are answered from the pages of a book, as a chef is asked them who reads before it answers.

    The books are some of the others' recipes, and Koki's own with other amounts and lines than they have.
    """
    posts = draw.sample(corpus.train, min(BOOK_OF_POSTS, len(corpus.train)))
    own = [altered(recipe, corpus.train, draw) for recipe in corpus.own]
    asked: list[Document] = []
    for recipes, tips, questions in ((posts, (), ASKED_OF_POST), (own, corpus.tips, ASKED_OF_OWN)):
        names = names_of(recipes)
        book = Composer(load_phrasebook(), tips, shelf_of(recipes, names), draw.getrandbits(32)).open_book
        for recipe in recipes:
            asked += some_of_each_kind(book.compose(recipe, names[recipe.id]), questions, draw)
        for tip in tips:
            asked += some_of_each_kind(book.compose_tip(tip), ASKED_OF_TIP, draw)
    return asked


def some_of_each_kind(conversations: Sequence[Conversation], count: int, draw: random.Random) -> list[Document]:
    """So many of the conversations, of one kind after another, that fit into a row."""
    by_kind: defaultdict[str, list[Document]] = defaultdict(list)
    for conversation in draw.sample(conversations, len(conversations)):
        by_kind[conversation.kind] += asked_after_reading_it(conversation)
    kinds = draw.sample(list(by_kind.values()), len(by_kind))
    turns = (document for documents in zip_longest(*kinds) for document in documents if document)
    return list(islice(turns, count))


def asked_after_reading_it(conversation: Conversation) -> list[Document]:
    """The conversation with what is read as whole as there is room for; none where there is no room."""
    text = "\n\n".join(segment.text for segment in conversation.answer)
    question = asked_after_reading(conversation.question, load_phrasebook())
    asked = (f"{read}\n\n{question}" for read in conversation.read)
    return [Document(text, asked=it) for it in asked if len(it) + len(text) <= ROOM][:1]


def menu(recipes: Sequence[Recipe], draw: random.Random) -> Document:
    """Names of dishes after each other, then each of them with what it is made of."""
    named = [recipe.title.lower() if draw.random() < 0.3 else recipe.title for recipe in recipes]
    lines = [f"- {recipe.title}: {', '.join(recipe.main_ingredients[:6])}" for recipe in recipes]
    return Document(clean("\n".join([prose().menu.format(dishes=", ".join(named)), "", *lines])))


def by_ingredient(recipes: Sequence[Recipe]) -> dict[str, list[Recipe]]:
    """For each ingredient that makes a dish, the dishes that it makes."""
    dishes: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        for name in inquiry_subjects(recipe):
            dishes.setdefault(name, []).append(recipe)
    return dishes


def index(ingredient: str, recipes: Sequence[Recipe]) -> Document:
    """All dishes with an ingredient."""
    return Document(
        clean(prose().index.format(ingredient=ingredient, dishes=", ".join(recipe.title for recipe in recipes)))
    )


def capitalised(sentence: str) -> str:
    """The sentence with a capital at its beginning."""
    return sentence[:1].upper() + sentence[1:]


def documents(corpus: Corpus, seed: int, epoch: int) -> list[Document]:
    """What one epoch reads, in order: a pure function of its arguments.

    Of others' recipes half come once, written, told or looked up; Koki's own are written and told, `OWN_REPEATS` times
    each, and looked up with other amounts than they have; its tips come `OWN_REPEATS` times in every way. What is at
    hand leads to a dish: of Koki's own recipes to the best one, of the others to the recipe itself. A third of the
    documents are framed as a turn: LoRA leaves the embeddings alone, so the base must know the special tokens.
    """
    draw = random.Random(f"{seed}/{epoch}")
    posts = draw.sample(corpus.train, round(POSTS_READ * len(corpus.train)))
    read = [read_somehow(recipe, corpus.train, draw) for recipe in posts]
    some = corpus.train[:: max(1, len(corpus.train) // RECIPES_OF_WORDS)]
    words = [word for recipe in some for word in chef_layout(recipe).split()]
    read += [run_of_words(words, draw) for _ in range(round(RUNS * len(corpus.train)))]
    stock = draw.sample(corpus.train, round(POSTS_STOCKED * len(corpus.train)))
    read += [
        draw.choice(STOCKED)(recipe, corpus.train, have, draw) for recipe in stock if (have := some_of(recipe, draw))
    ]
    for _ in range(OWN_REPEATS):
        read += own_documents(corpus, draw)
    own = [altered(recipe, corpus.train, draw) for recipe in corpus.own * OWN_LOOKED_UP]
    read += [looked_up(recipe, corpus.own, draw) for recipe in own]
    named = corpus.train + corpus.own * OWN_REPEATS
    read += [menu(draw.sample(named, draw.randint(2, 6)), draw) for _ in range(round(MENUS * len(corpus.train)))]
    read = [replace(document, turn=draw.random() < 1 / 3) for document in read]
    read += conversations(corpus, draw)
    draw.shuffle(read)
    return read


def read_somehow(recipe: Recipe, others: Sequence[Recipe], draw: random.Random) -> Document:
    """Somebody else's recipe: written or told, and half of the time looked up."""
    if draw.random() < 0.5:
        return looked_up(recipe, others, draw)
    return draw.choice((written, told))(recipe, draw)


def own_documents(corpus: Corpus, draw: random.Random) -> list[Document]:
    """Koki's own recipes and tips, once in every way."""
    read = [way(recipe, draw) for recipe in corpus.own for way in (written, told)]
    read += [
        stocked(have, corpus.pantry.what_can_i_cook(have, 1)[0], draw)
        for recipe in corpus.own * STOCKS
        if (have := some_of(recipe, draw))
    ]
    for ingredient, recipes in by_ingredient(corpus.own).items():
        read += [index(ingredient, recipes), *(found(ingredient, recipes, draw) for _ in range(2))]
    return read + [document for tip in corpus.tips for document in advised(tip, draw)]
