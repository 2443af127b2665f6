"""The command line: a file a verb, each with its examples; what is heavy is imported inside the verbs' functions.

app.py                   all verbs under one command, and `main`, which runs it
train.py                 koki train
plan.py                  koki plan
ask.py                   koki ask
chat.py                  koki chat
serve.py                 koki serve
feedback.py              koki feedback export
book.py                  koki book add, find, list and remove
evaluate.py              koki evaluate
report.py                koki report, and the report that a run or its evaluation ends with
push.py                  koki push
check.py                 koki check
preview.py               koki preview
parse.py                 koki parse
config.py                koki config
demo.py                  koki demo
data_build.py            koki data build
export_gguf.py           koki export gguf
export_merged.py         koki export merged
export_conversations.py  koki export conversations
options.py               options that several verbs share
printing.py              the two consoles, and JSON
words.py                 the language that is spoken; help and usage errors in it
lines.py                 the lines of a file or of standard input
"""
