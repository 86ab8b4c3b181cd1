"""The command from the first step to the tables, with commands that pretend to train."""

from nnunetv2_adamss.cli import benchmark as command
from tests.benchmark.conftest import benchmark  # noqa: F401  the fixture
from tests.benchmark.project import FakeBenchmark


def test_all(benchmark: FakeBenchmark, capsys) -> None:
    assert command.main(benchmark.arguments()) == 0
    print(capsys.readouterr())
    print("\n".join(benchmark.calls()))
    assert 0
