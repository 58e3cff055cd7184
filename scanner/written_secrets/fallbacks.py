"""What variables of compose files fall back to where the host doesn't set them: `${NAME:-text}`.

https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re

from assay.scanner.dataflow.keys.secret_settings import told
from assay.scanner.dataflow.secrets.secret_names import holds_secret
from assay.scanner.model.secret_setting import Fallback
from assay.scanner.readers.compose import ComposeVariable

_INTERPOLATION = re.compile(r"\$\{\w+(?P<how>:?[-?])(?P<text>[^{}$]*)\}")


def fallback_of(variable: ComposeVariable) -> Fallback | None:
    """None for what is no secret, or refers to nothing but a variable of the host."""
    found = _INTERPOLATION.fullmatch(variable.written.strip())
    if found is None or not holds_secret(variable.name):
        return None
    text = found["text"].strip().strip("'\"")
    if found["how"].endswith("?"):
        return Fallback.NOTHING
    if not text:
        return Fallback.EMPTY
    return told(text)
