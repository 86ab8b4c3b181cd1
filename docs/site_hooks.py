"""Pages of the site that are made while it is built: commands, Python names, notebooks, the repository's own."""

import dataclasses
import importlib
import inspect
import json
import pkgutil
import posixpath
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import nnunetv2_adamss as adamss
from nnunetv2_adamss import cli

REPOSITORY = Path(__file__).parents[1]
# Files outside docs, and where the site has them.
MOVED = {
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "citation.cff",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "first_steps.md",
    "SECURITY.md": "security.md",
    "nnunetv2_adamss/radiomics/paper.yaml": "radiomics_settings.yaml",
}
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
_HELP_WIDTH = 100


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not files of docs."""
    pages = {
        "command_reference.md": command_reference(),
        "python_reference.md": python_reference(),
        **{moved: (REPOSITORY / source).read_text() for source, moved in MOVED.items()},
    }
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        uri = str(Path(notebook.src_uri).with_suffix(".md"))
        pages[uri] = _notebook_page(notebook.name, json.loads(notebook.content_string))
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where the site has what the repository has elsewhere."""
    uri = page.file.src_uri
    sources = {moved: source for source, moved in MOVED.items()}
    here = posixpath.dirname(sources.get(uri, f"docs/{uri}"))

    def on_the_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, link[1]))
        # A page is made of every notebook.
        there = MOVED.get(target, target.removeprefix("docs/").replace(".ipynb", ".md"))
        return posixpath.relpath(there, posixpath.dirname(uri))

    return _LINK.sub(on_the_site, markdown)


def command_reference() -> str:
    """The help of every command."""
    parts = ["# Commands", "The help of every command, as `--help` prints it."]
    for parser in _parsers():
        parser.formatter_class = partial(parser.formatter_class, width=_HELP_WIDTH)
        parts += [f"## {parser.prog}", _fenced("text", parser.format_help())]
    return "\n\n".join(parts)


def _parsers() -> Iterator[ArgumentParser]:
    for found in pkgutil.iter_modules(cli.__path__):
        module = importlib.import_module(f"{cli.__name__}.{found.name}")
        if hasattr(module, "build_parser"):
            yield module.build_parser()


def python_reference() -> str:
    """A place for each public name and each result of theirs, which mkdocstrings fills from its docstring."""
    names = [name for name in adamss.__all__ if not name.startswith("_")]
    intro = (
        "The names of `import nnunetv2_adamss as adamss`, and [what they return](#results). "
        "[Use it from Python](python.md) shows them at work."
    )
    results = [f"::: {one.__module__}.{one.__qualname__}" for one in result_classes()]
    return "\n\n".join(
        [
            "# All public names",
            intro,
            *(f"::: {adamss.__name__}.{name}" for name in names),
            "## Results",
            "What the functions return, and what is in it. None of it need be imported.",
            *(f"{result}\n    options:\n      heading_level: 3" for result in results),
        ]
    )


def result_classes() -> list[type]:
    """This package's classes that public functions return, and those of their attributes, each after its user."""
    functions = [getattr(adamss, name) for name in adamss.__all__ if not name.startswith("_")]
    functions = [one for one in functions if inspect.isfunction(one)]
    waiting = [found for one in functions for found in _classes_in(get_type_hints(one)["return"])]
    classes: dict[type, None] = {}
    while waiting:
        one = waiting.pop(0)
        if one in classes:
            continue
        classes[one] = None
        hints = get_type_hints(one)
        waiting += [found for part in dataclasses.fields(one) for found in _classes_in(hints[part.name])]
        # Attributes that a class inherits are described where they are from.
        waiting += [base for base in one.__bases__ if dataclasses.is_dataclass(base)]
    return list(classes)


def _classes_in(hint: Any) -> list[type]:
    """The data classes of this package that are in a type, such as in ``list[RiskBin]``."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [found for part in get_args(hint) for found in _classes_in(part)]


def _notebook_page(name: str, notebook: Mapping[str, Any]) -> str:
    title, *cells = ["\n\n".join(_cell_parts(cell)) for cell in notebook["cells"]]
    # An address in the site, whose pages are folders.
    download = f'<a href="../{name}.ipynb" download>Download this page as a notebook</a>'
    return "\n\n".join([title, download, *cells])


def _cell_parts(cell: Mapping[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    is_shell, commands = source.startswith("%%bash"), source.partition("\n")[2]
    yield _fenced("bash", commands) if is_shell else _fenced("python", source)
    for output in cell["outputs"]:
        data = output.get("data", {})
        if "image/png" in data:
            picture, described = "".join(data["image/png"]).strip(), output["metadata"]["image/png"]["alt"]
            yield f'<img alt="{described}" src="data:image/png;base64,{picture}">'
        else:
            yield _fenced("text", "".join(output.get("text", data.get("text/plain", ""))))


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
