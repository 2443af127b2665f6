"""Run the examples of a page: `python doctest_of_page.py PAGE`. Whatever is printed is a failure."""

import doctest
import re
import sys
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)$")


def examples_of(page: Path) -> doctest.DocTest:
    """The blocks of Python of a Markdown page as one test, each line at its place in the page."""
    lines, language = [], None
    for line in page.read_text("utf-8").splitlines():
        if fence := _FENCE.match(line):
            language = None if language is not None else fence[1]
            lines.append("")
        else:
            lines.append(line if language == "python" else "")
    return doctest.DocTestParser().get_doctest("\n".join(lines), {}, page.name, str(page), 0)


if __name__ == "__main__":
    test = examples_of(Path(sys.argv[1]))
    assert test.examples
    results = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test)
    sys.exit(results.failed)
