"""From a finished run to what other programs and people open, and the proof that they hear the same chef.

gguf_folder.py  a GGUF file of a run, proven, with all that goes with it
merged.py       whole weights, with all that goes with them
modelfile.py    how Ollama runs a GGUF file: its Modelfile
card.py         the README.md of an exported folder; its text is in card.md.jinja
folder.py       the folder that an export is written to
proof.py        whether a GGUF file says what its run says; its texts are in texts.toml
opened_file.py  a GGUF file as llama.cpp itself reads it, tokenises and answers
reference.py    the run's own model in float32
published.py    what of a run folder is published, and as what
push.py         a run on the Hugging Face hub: a new repository, or a new commit
"""
