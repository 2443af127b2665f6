"""From a run folder to answers.

answer.py               what a chef said, with what it had read, and what of it stands in the book
chef.py                 questions -> prompts, with the history that fits -> answers; needs no torch
engine.py               what a chef needs of the program that runs its model
engines.py              which engine runs a chef, and that one loaded
streaming.py            an answer that is heard while it is generated, in a loop or an event loop
growing_answer.py       one answer while it is generated, whatever engine makes its tokens
transformers_engine.py  the engine that runs it with transformers and torch
llama_cpp_engine.py     the engine that runs a GGUF file with llama.cpp, without either
strict.py               answers whose lists are the book's own, put in by program
chat.py                 a chat in the terminal; what it says is in chat.toml
"""
