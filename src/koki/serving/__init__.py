"""Chefs over HTTP: what OpenAI's clients ask, and a page for cooks.

served_run.py     the runs that are served, by name
waiting_line.py   who is answered next
service.py        what is served, and how: what all parts of a server share
generation.py     an answer made in a thread and heard in the event loop, piece by piece, until who asked goes away
shown_text.py     the text of an answer as it is passed on: up to a stop text, without blanks at its ends
errors.py         what is told where something cannot be answered, in OpenAI's form
chat_request.py   what may be asked, in OpenAI's form, and what a chef is asked then
chat_answer.py    an answer in OpenAI's form, whole or in pieces
koki_facts.py     what Koki says of an answer beside it: recipes, sources, the check
metrics.py        what is counted
openai_api.py     /v1: models and chat completions
page_api.py       /api: what the page asks for
page_files.py     the page and its files, which lie in page/
feedback.py       what people say of answers, kept in the run folder; and made into recipes and questions
guard.py          who may ask, from where, and how much
app.py            all of it together
network.py        the addresses of this machine, and one of them as a QR code
server.py         the program that listens, until it is told to stop
"""
