"""Columns for data that must not be readable in a stolen database."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.columns.contents import Certainty, contents_of, is_about_another_service, is_given_out
from assay.scanner.dataflow.columns.keeping import Keeping
from assay.scanner.gathered import Gathered
from assay.scanner.model.key import SensitiveColumn


def sensitive_columns(gathered: Gathered) -> Iterator[SensitiveColumn]:
    """The columns whose names and types say that they hold such data, each once."""
    keeping = Keeping(gathered.project)
    seen: set[tuple[str, str]] = set()
    for table in gathered.tables:
        for column in table.columns:
            contents = contents_of(table, column) if column.fk_to is None else None
            kept = keeping.of(table, column) if contents is not None else None
            if contents is None or kept is None or (table.name, column.name) in seen:
                continue
            if keeping.is_number(column) and not contents.may_be_number:
                continue
            aside = None
            if contents.certainty is Certainty.ELSEWHERE and not is_about_another_service(table):
                aside = "nothing shows that it opens another service"
            is_too_long = contents.is_long and keeping.is_small_number(column)
            is_doubtful = contents.certainty is Certainty.DOUBTFUL or is_too_long or is_given_out(table, column)
            made = keeping.is_made_here(table, column) if contents.may_be_own else None
            seen.add((table.name, column.name))
            how, evidence = kept
            yield SensitiveColumn(
                table=table.name,
                column=column.name,
                location=column.location,
                role=table.role,
                holds=contents.described,
                keeping=how,
                is_certain=not is_doubtful,
                evidence=evidence if made is None else (made,),
                aside=made.text if made is not None else aside,
            )
