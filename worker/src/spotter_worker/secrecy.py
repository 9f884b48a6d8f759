"""Owns what of the server's environment goes further: the variables that a program gets, and the values that no log
may hold. Standard library only; docs/decisions/2026-11-21-programs-get-no-secrets.md says why so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

REDACTED = "[redacted]"
# What a program needs to be found, to find its libraries and devices, to speak a language and to reach a network.
PASSED_NAMES = frozenset(
    """
    PATH HOME USER LOGNAME SHELL HOSTNAME LANG LANGUAGE TZ TERM TMPDIR TMP TEMP VIRTUAL_ENV CC CXX
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH LIBRARY_PATH CPATH
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY TOKENIZERS_PARALLELISM
    """.split()
)
PASSED_BEGINNINGS = tuple(
    """
    LC_ XDG_ PYTHON CONDA_ CUDA CUDNN_ CUBLAS_ NVIDIA_ NCCL_ GLOO_ TORCH PYTORCH_ TRITON_ HIP_ ROCR_ HSA_
    MKL_ KMP_ OMP_ OPENBLAS_ NUMEXPR_ MALLOC_ HF_ TRANSFORMERS_
    """.split()
)
SECRET_WORD = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|KEY|DSN)S?$|^(PAT|PASS)$"
)
# A place where a secret lies is none.
NO_SECRET_ENDS = ("_FILE", "_PATH", "_DIR", "_URL", "_ENDPOINT")
ADDRESS_WITH_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:([^/@\s]+)@", re.IGNORECASE)
# Those may come without `http://` before them.
PROXY_WITH_PASSWORD = re.compile(r"^(?:[a-z]+://)?[^/@\s]*:([^/@\s]+)@", re.IGNORECASE)
# Shorter ones stand in other words: a log full of holes would hide nothing and tell nothing.
MIN_SECRET = 8


def passed_on(environment: Mapping[str, str], also: Iterable[str]) -> dict[str, str]:
    """The variables that a program gets; `also` names more, whatever they look like."""
    asked_for = frozenset(also)
    return {
        name: value
        for name, value in environment.items()
        if name in asked_for
        or (
            (name.upper() in PASSED_NAMES or name.startswith(PASSED_BEGINNINGS))
            and not has_secret_name(name)
            and not _password(name, value)
        )
    }


def has_secret_name(name: str) -> bool:
    upper = name.upper()
    if upper.endswith(NO_SECRET_ENDS):
        return False
    return any(SECRET_WORD.search(word) for word in upper.split("_"))


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """What must not be told; the longest first, as one may hold another."""
    found: set[str] = set()
    for name, value in environment.items():
        if has_secret_name(name):
            # A key of several lines would come line by line.
            found.update(line.strip() for line in value.splitlines())
        if match := _password(name, value):
            found.add(match.group(1))
    return sorted((one for one in found if len(one) >= MIN_SECRET), key=len, reverse=True)


def _password(name: str, value: str) -> re.Match[str] | None:
    is_proxy = name.upper().endswith("_PROXY") and name.upper() != "NO_PROXY"
    return (PROXY_WITH_PASSWORD if is_proxy else ADDRESS_WITH_PASSWORD).match(value)


def redact(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return text


def redact_error(error: dict[str, str | None], secrets: Iterable[str]) -> dict[str, str | None]:
    """Of an `error` as events carry it: everything that somebody wrote."""
    known = list(secrets)
    return {name: value and redact(value, known) for name, value in error.items()}
