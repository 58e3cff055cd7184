"""The `assay.toml` that a repository begins with: what holds anyway, written out, with what could be said besides."""

from __future__ import annotations

import json
from collections.abc import Iterable

from assay.scanner.config.documents import written
from assay.scanner.results import ServiceResult

_TEXT = """\
# What Assay judges this backend by, and what `assay gate` demands of a change.
# `assay config show` tells every setting with its origin, `assay config check` finds mistakes.

# The edition of the standard. Rules that come with a later one are shown and don't count until this is raised, so an
# update of Assay turns no build red.
edition = {edition}

# Services that were found; each has its own score.
{services}
# [files]
# exclude = ["generated/"]      # patterns in gitignore syntax, relative to this file
# roles = {{ "labs/**" = "example" }}

# [rules]
# disable = ["{rule}"]
# [rules.{rule}]
# severity = "medium"

# The gate as it is without any configuration.
[gate]
mode = "enforce"                # "warn" prints the same, and passes
new-since = "merge-base"        # what "new" is measured against: "merge-base", "baseline" or a revision
on-incomplete = "enforce"       # files that could not be read keep it from passing
# min-coverage = 95             # percent of subjects and files that could be judged

[gate.new]                      # how many findings of each severity a change may bring
critical = 0
high = 0
# medium = 3
review = "report"               # "fail": new findings that a person has to look at count, too

[gate.ratchet]                  # a change may not bring more fails than it mends, within each ...
scope = "principle"             # off, overall, section, principle or rule

# [gate.overall]
# min = 70                      # the score, 0 to 100
# max-drop = 0.5                # points, where something new fails

# [waivers]
# max-days = 180                # how long a waiver may hold
# from = "base"                 # waivers, ignores and configuration of a change count only once they are merged
"""
_COLUMN = 20


def first_config(edition: str, services: Iterable[ServiceResult], rule: str) -> str:
    """The file's text; `rule` is a code to show how rules are configured."""
    rows = "".join(_row(service) for service in services)
    return _TEXT.format(edition=json.dumps(edition), services=rows, rule=rule)


def _row(service: ServiceResult) -> str:
    """How the service would be named by hand; quoted, so that no name ends the comment."""
    table = f"[{written(('services', service.name))}]"
    frameworks = ", ".join(json.dumps(name)[1:-1] for name in service.frameworks)
    return f"# {table:<{_COLUMN}} # {frameworks}\n# root = {json.dumps(service.root)}\n"
