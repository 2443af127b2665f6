"""The lists of a recipe as they stand in an answer and on a page of the book."""

from collections.abc import Sequence

from koki.ingredients.parse import Ingredient


def list_ingredients(ingredients: Sequence[Ingredient]) -> str:
    """The user's ingredient lines as a list; a heading among them starts a block of its own."""
    blocks: list[list[str]] = [[]]
    for ingredient in ingredients:
        if ingredient.heading:
            blocks.append([f"{ingredient.raw.strip().rstrip(':').rstrip()}:"])
        else:
            blocks[-1].append(f"- {ingredient.raw.strip()}")
    return "\n\n".join("\n".join(block) for block in blocks if block)


def list_steps(steps: Sequence[str]) -> str:
    """The steps, numbered from 1."""
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
