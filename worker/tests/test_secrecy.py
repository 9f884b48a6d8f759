"""What goes further of an environment, and what a log must not hold."""

from __future__ import annotations

import pytest

from spotter_worker.secrecy import has_secret_name, passed_on, redact, redact_error, secret_values


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "OPENAI_API_KEY"]
    + ["db_password", "GITHUB_PAT", "SENTRY_DSN", "GOOGLE_CREDENTIALS", "SIGNING_KEY"],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert has_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "PWD", "TOKENIZERS_PARALLELISM", "AWS_WEB_IDENTITY_TOKEN_FILE", "SSH_KEY_PATH"]
    + ["TOKEN_URL", "KEYBOARD", "HF_HOME"],
)
def test_other_names_are_not(name: str) -> None:
    assert not has_secret_name(name)


def test_a_program_gets_what_it_needs_and_what_the_administrator_names() -> None:
    environment = {
        **{"PATH": "/bin", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "0", "PYTHONHASHSEED": "1"},
        **{"HF_TOKEN": "x" * 20, "SPOTTER_HOME": "/s", "DATABASE_URL": "postgres://a:b@c/d"},
        **{"https_proxy": "http://proxy:1", "HTTP_PROXY": "http://ada:secret99@proxy:1"},
        **{"LICENSE_KEY": "given", "EDITOR": "vi"},
    }
    expected = {"PATH", "LC_ALL", "CUDA_VISIBLE_DEVICES", "PYTHONHASHSEED", "https_proxy"}
    assert set(passed_on(environment, [])) == expected
    assert set(passed_on(environment, ["LICENSE_KEY"])) == expected | {"LICENSE_KEY"}


def test_values_are_hidden_line_by_line_and_short_words_are_not() -> None:
    secrets = secret_values(
        {
            "SIGNING_KEY": "-----BEGIN KEY-----\nMIIEvgIBADANBg\n",
            "TOKEN": "abcdefgh",
            "LONG_TOKEN": "abcdefghij",
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
            "CACHE": "redis://:hunter2hunter2@cache:1",
            "HOME": "/home/ada",
        }
    )
    text = "abcdefghij abcdefgh MIIEvgIBADANBg hunter2hunter2 1 /home/ada"
    assert redact(text, secrets) == "[redacted] [redacted] [redacted] [redacted] 1 /home/ada"
    error = {"kind": "failed", "message": "no abcdefgh", "hint": None}
    assert redact_error(error, secrets) == {**error, "message": "no [redacted]"}


def test_a_password_inside_an_address_is_hidden_by_itself_too() -> None:
    secrets = secret_values(
        {
            "SENTRY_DSN": "postgres://ada:hunter2hunter2@db/1",
            "https_proxy": "ada:secret99secret@proxy:3128",
        }
    )
    text = "postgres://ada:hunter2hunter2@db/1 hunter2hunter2 secret99secret"
    assert redact(text, secrets) == "[redacted] [redacted] [redacted]"


def test_a_proxy_with_a_password_is_not_passed_on_without_its_scheme_either() -> None:
    environment = {"HTTPS_PROXY": "ada:secret99@proxy:3128", "NO_PROXY": "localhost,10.0.0.1:80"}
    assert set(passed_on(environment, [])) == {"NO_PROXY"}
