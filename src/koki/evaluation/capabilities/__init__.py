"""What a chef is taught: each capability in a file, with its measures, its judge and how its questions are drawn.

registry.py        the one tuple of capabilities, and what is looked up in it
capability.py      what a capability is made of: measures, scores, a case to judge
recipe.py          the whole recipe of a dish, or its ingredients, or its steps
recommendation.py  the best dish of the ingredients at hand
inquiry.py         dishes that have an ingredient
detail.py          one thing in a recipe: an amount, a kind, a time, yes or no
tip.py             how and why
absent.py          a dish that is not in the book
refusal.py         what a chef should decline
any_answer.py      measures that any answer is judged by
dishes.py          which dish an answer names, and whether the recipe in it is that dish's
"""
