"""From a finished run to what other programs open, and the proof that they hear the same chef.

proof.py         whether a GGUF file says what its run says; its texts are in texts.toml
opened_file.py   a GGUF file as llama.cpp itself reads it, tokenises and answers
reference.py     the run's own model in float32
"""
