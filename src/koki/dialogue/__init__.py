"""From a `Recipe` to the conversations that teach it.

phrasebook.py    the words of questions and answers, read from TOML files and checked
reasons.py       the tips in a recipe's own steps
vocabulary.py    what the questions about some recipes are made of
layout.py        the lists of a recipe, as they stand in an answer and on a page
pages.py         what a chef reads before a question: pages of the book, and notes
conversation.py  a question and its answer, in the parts that it is made of
forms.py         forms of question and sentences, filled
shelf.py         the recipes that questions over all recipes are answered from
at_hand.py       what somebody may have at hand who asks what to cook
compose.py       the phrasebook filled for a recipe, a tip or a refusal: questions, and answers from memory
altered.py       a recipe with other amounts, whose page must be read
open_book.py     questions, and answers from the pages of the book that were read
book_answers.py  the answers of those, by rule
details.py       questions about one thing in a recipe, and their answers by rule
detail_facts.py  what a page says of what such a question names, found by program
detail_words.py  the words of these, read from a TOML file and checked
step_facts.py    what the steps say of times, of heat and of when something is used
certain.py       what is answered by program, whatever a model would say
typist.py        a question as people type it on a phone
fit.py           the versions of an answer, from whole to brief
"""
