"""How the model's method compares with others, as ``adamss_benchmark`` found."""

from collections.abc import Iterator
from pathlib import Path

from nnunetv2_adamss.benchmark.write import provenance_facts, read_tables
from nnunetv2_adamss.report.blocks import Block, Facts, Notice, Table
from nnunetv2_adamss.report.sources import ReportSource


def comparison_of_methods(source: ReportSource, folder: Path) -> Iterator[Block]:
    """The tables of a benchmark.

    Args:
        source: the model that the report is about.
        folder: of the benchmark.

    Raises:
        ValueError: if it has no tables.
    """
    tables, provenance = read_tables(folder)
    settings = provenance["settings"]
    if (settings["dataset"], settings["configuration"]) != (source.dataset, source.configuration):
        yield Notice(
            f"The benchmark is of {settings['dataset']}, {settings['configuration']}, not of this model's data.",
            is_caution=True,
        )
    for table in tables:
        yield Table(table.title, table.header, table.rows, " ".join(table.notes))
    yield Facts(provenance_facts(provenance))
