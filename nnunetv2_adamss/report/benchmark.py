"""How the model's method compares with others, as ``adamss_benchmark`` found."""

from collections.abc import Iterator
from pathlib import Path

from nnunetv2_adamss.benchmark.write import provenance_facts, read_benchmark
from nnunetv2_adamss.report.blocks import Block, Facts, Notice, Table, Text
from nnunetv2_adamss.report.sources import ReportSource


def comparison_of_methods(source: ReportSource, folder: Path) -> Iterator[Block]:
    """The tables of a benchmark.

    Args:
        source: the model that the report is about.
        folder: of the benchmark.

    Raises:
        ValueError: if it has no tables.
    """
    found = read_benchmark(folder)
    settings = found.provenance["settings"]
    if (settings["dataset"], settings["configuration"]) != (source.dataset, source.configuration):
        yield Notice(
            f"The benchmark is of {settings['dataset']}, {settings['configuration']}, not of this model's data.",
            is_caution=True,
        )
    yield Text(" ".join(found.notes))
    for table in found.tables:
        yield Table(table.title, table.header, table.rows, " ".join(table.notes))
    yield Facts(provenance_facts(found.provenance))
