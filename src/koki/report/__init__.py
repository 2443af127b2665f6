"""From a run folder to the report, a page that people read, and the scorecard in the model card that the hub shows.

write.py              a run folder -> report/report.html, and README.md
page.py               run card and scorecard -> the page, as HTML
content.py            run card and scorecard -> what stands on the page
verdict.py            the scorecard -> a sentence of what the chef can be used for, and answers that show it
forms.py              the GGUF files of a run beside the run, in size, speed and what they say
charts.py             logged numbers -> the shapes of a chart
language.py           the page's texts and numbers in a language; the texts are in report.toml
scorecard_section.py  the scorecard -> model-index and table of the model card
"""
