"""The run folder: how it is laid out, opened, kept whole and read again, without anything of a trainer.

names.py        what lies where in it
folder.py       opened without harm to what is in it; configuration and recipes kept, those as digests
checkpoints.py  written beside, sealed, renamed; found again only when whole
log.py          how the loss went, and that of recipes held out, in what was logged
card.py         the run card, training_metadata.json: made, read and validated
model_card.py   the run card as README.md; its text is in model_card.md.jinja
result.py       a finished run's adapter, tokenizer and cards, saved whole
finished.py     what a finished run says of itself
pulled.py       a run on the Hugging Face hub, as a run folder of this machine
"""
