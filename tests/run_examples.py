"""Examples in docstrings and pages, run as they stand, in the current folder."""

import doctest
import re
from pathlib import Path

import nnunetv2_adamss as adamss

PYTHON_PAGE = Path(__file__).parents[1] / "docs" / "python.md"
# The part that needs a trained model.
PREDICTION = "Predict survival from raw images"


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare what is shown; nnU-Net prints while a model is opened, which no example shows."""
        return not want or super().check_output(want, got, optionflags)


def run_examples(name: str, text: str) -> None:
    """Fail with doctest's report unless there are examples and all print what they say."""
    without_fences = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(without_fences, {"adamss": adamss}, name, None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(_Checker(), verbose=False, optionflags=doctest.ELLIPSIS)
    result = runner.run(test, out=report.append)
    assert result.attempted, f"{name} has no example"
    assert not result.failed, "".join(report)


def page_parts() -> dict[str, str]:
    """The text of ``docs/python.md`` under each heading, in order."""
    _, *parts = re.split(r"^## (.+)$", PYTHON_PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))
