"""The formats of a result: for whom each is, and which files it is told by."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.scanner.results import ScanResult


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a result. `module` is the one beside this that has `render(result) -> str`; it is imported when
    the format is asked for. `suffixes` are the ends of file names that can mean nothing else.
    """

    name: str
    audience: str
    module: str
    suffixes: tuple[str, ...] = ()

    def render(self, result: ScanResult) -> str:
        """The result in this format: the same text for the same result."""
        render: Callable[[ScanResult], str] = importlib.import_module(f"assay.reports.{self.module}").render
        return render(result)


FORMATS = {
    form.name: form
    for form in (
        Format("text", "people at a terminal: the worst findings and the scores", "text", (".txt",)),
        Format("html", "people who want all of it, in one file to open or to print", "html", (".html", ".htm")),
        Format("json", "programs: all there is, and what `assay convert` reads", "json_report", (".json",)),
        Format("jsonl", "programs and coding agents: a JSON object for each finding", "jsonl", (".jsonl", ".ndjson")),
        Format("sarif", "tools that read SARIF: every verdict with its kind", "sarif", (".sarif", ".sarif.json")),
        Format("sarif-github", "GitHub code scanning: the open fails that it can show", "sarif_github"),
        Format(
            "gitlab", "GitLab's code quality widget (Code Climate JSON)", "gitlab", ("gl-code-quality-report.json",)
        ),
        Format("junit", "test reports of any CI: every verdict is a test case", "junit", (".xml",)),
        Format("github", "annotations in a GitHub workflow: at most ten", "github"),
        Format("azure", "issues in an Azure pipeline: at most ten", "azure"),
        Format("summary", "the summary of a job in GitHub or Azure: up to 100 KB of Markdown", "summary"),
        Format("markdown", "one comment on a pull request: up to 60,000 characters", "markdown_report", (".md",)),
        Format("csv", "spreadsheets: a row for each finding", "csv_report", (".csv",)),
        Format("badge", "a README: the score as a small picture (SVG)", "badge", (".svg",)),
        Format("concise", "editors and agents: a line for each finding, by file", "concise"),
    )
}
"""By name, in the order in which they are told."""

ALIASES = {"codeclimate": "gitlab"}
"""Other names that people look for a format under."""


def by_file_name(name: str) -> str | None:
    """The name of the only format that a file can mean; None where it doesn't tell."""
    ends = ((suffix, form.name) for form in FORMATS.values() for suffix in form.suffixes if name.endswith(suffix))
    return max(ends, key=lambda end: len(end[0]), default=(None, None))[1]
