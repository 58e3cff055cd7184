"""Which names of variables and settings hold a secret, by what they are called."""

from __future__ import annotations

import re

from assay.scanner.dataflow.lexicon import sensitivity, words
from assay.scanner.model.log import Sensitivity

_ABOUT_SECRETS = re.compile(
    r"(?i)_?(ur[li]|minutes|hours|days|seconds|timeout|age|expir\w*|ttl|lifetime|length|header|prefix|algorithms?|issuer|audience"
    r"|location|class|backend|type|enabled|policy|path|file|dir|id|name|host|port|user(name)?|prompt|rotation|min|max|num(ber)?)$"
)
"""How names end that speak of secrets without holding one."""
_SHOWN_TO_ALL = re.compile(r"(NEXT_|NUXT_)?PUBLIC_|VITE_|REACT_APP_|EXPO_PUBLIC_|VUE_APP_|GATSBY_", re.IGNORECASE)
"""Variables of these names end up in what browsers are sent."""
_PUBLIC = frozenset({"public", "publishable", "pub"})


def speaks_about_secrets(name: str) -> bool:
    """Whether the name is that of a secret's length, age, place."""
    return _ABOUT_SECRETS.search(name) is not None


def holds_secret(name: str) -> bool:
    """Whether a variable of that name is a secret itself."""
    if _SHOWN_TO_ALL.match(name) or speaks_about_secrets(name) or not _PUBLIC.isdisjoint(words(name)):
        return False
    return sensitivity(name) is Sensitivity.CREDENTIAL
