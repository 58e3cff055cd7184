"""What a person can do about each kind of diagnostic."""

from __future__ import annotations

from assay.scanner.diagnostics import Reason

REMEDIES = {
    Reason.SYNTAX_ERROR: "mend the file, or exclude it if it isn't meant to be parsed",
    Reason.UNDECODABLE: "save it as UTF-8, or declare its encoding (PEP 263)",
    Reason.TOO_LARGE: "exclude it if it is generated, or raise the size limit",
    Reason.UNREADABLE: "give the scanning user the right to read it",
    Reason.PASSED_OVER: "see to it that a scan reads it, or exclude it if it is no code of yours",
    Reason.READER_CRASHED: "exclude it to go on, and please report it with the file",
    Reason.BAD_YAML: "mend the file, or exclude it if it isn't YAML yet",
    Reason.TEMPLATE: "scan the rendered output to have it judged",
    Reason.MODEL_INCOMPLETE: "an error in Assay: please report it; what this part would have shown is missing",
    Reason.RULE_CRASHED: "an error in Assay: please report it; what this rule would have said is missing",
    Reason.ANALYZER_FAILED: "the analyzer's own findings are missing for this file; Assay's rules stand",
    Reason.SYMLINK_LOOP: "remove the loop, or exclude the link",
    Reason.UNRESOLVED: "look at it by hand; what depends on it was left to review",
}
