"""The lexicon: names are judged by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.dataflow.lexicon import masks, sensitivity, words
from assay.scanner.model.log import Sensitivity

PARTS = st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accessToken", ("access", "token")),
        ("API_KEY", ("api", "key")),
        ("X-Api-Key", ("x", "api", "key")),
        ("HTTPAuthorization", ("http", "authorization")),
        ("password2", ("password", "2")),
        ("__secret__", ("secret",)),
        ("", ()),
    ],
)
def test_names_split_at_signs_and_capitals(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "password", "userPassword", "new_password", "password2", "PASSWORD", "client_secret", "api_key", "X-Api-Key",
        "apikey", "access_token", "token", "auth_token", "token_value", "private_key", "authorization", "session_key",
        "cvv", "card_number", "ssn", "iban", "otp", "pin", "account_number", "credentials", "reset_token",
    ],
)  # fmt: skip
def test_credentials(name: str) -> None:
    assert sensitivity(name) is Sensitivity.CREDENTIAL


@pytest.mark.parametrize(
    "name",
    [
        "token_type", "token_id", "token_url", "tokenizer", "tokens", "max_tokens", "csrf_token", "csrfmiddlewaretoken",
        "next_page_token", "secret_name", "password_field", "password_hash", "masked_token", "has_password",
        "is_secret",
        "passenger", "compassword", "secretary", "gpio_pin", "frying_pan", "keyboard", "primary_key", "public_key",
        "score_card", "tokenize", "spinner", "japan",
    ],
)  # fmt: skip
def test_no_credentials(name: str) -> None:
    assert sensitivity(name) is not Sensitivity.CREDENTIAL


@pytest.mark.parametrize(
    "name", ["email", "userEmail", "email_address", "phone_number", "first_name", "remote_addr", "client_ip"]
)
def test_personal(name: str) -> None:
    assert sensitivity(name) is Sensitivity.PERSONAL


@pytest.mark.parametrize("name", ["mask_token", "sha256", "fingerprint", "redact", "hexdigest", "len"])
def test_masking(name: str) -> None:
    assert masks(name)


@given(PARTS)
def test_spelling_does_not_matter(parts: list[str]) -> None:
    snake = "_".join(parts)
    camel = parts[0] + "".join(p.capitalize() for p in parts[1:])
    assert words(snake) == words(camel) == words(snake.upper()) == tuple(parts)
    assert (
        sensitivity(snake) == sensitivity(camel) == sensitivity(snake.upper()) == sensitivity(snake.replace("_", "-"))
    )


@given(PARTS, st.sampled_from(["type", "url", "name", "id", "field"]))
def test_the_last_word_decides(parts: list[str], head: str) -> None:
    assert sensitivity("_".join((*parts, "password", head))) is None


@given(st.from_regex(r"[a-z]{1,6}", fullmatch=True))
def test_substrings_do_not_count(letters: str) -> None:
    assert sensitivity(f"{letters}password") in (None, sensitivity(letters))
