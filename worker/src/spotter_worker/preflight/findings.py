"""Owns the lines of a pre-flight's verdict: severity, a sentence in both languages, and the field that would help.

Thresholds are those of the diagnosis catalogue (first loss 0.5–1.5 of what is expected, classes 10 : 1, 0.1 % exact
copies between the parts, 90 % of the memory).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("problem", "warning", "ok")
OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    code: str
    severity: str
    message: str
    message_zh: str
    field: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def worst_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: SEVERITIES.index(one.severity))


def verdict_of(findings: list[Finding]) -> str:
    return worst_first(findings)[0].severity if findings else OK


def number(value: float) -> str:
    """Four digits; as people write learning rates where it is small."""
    return (
        f"{value:.4g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.2e}".replace("e-0", "e-")
    )


def rate(value: float) -> str:
    return (
        f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
    )


def percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def size(num_bytes: float) -> str:
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2)):
        if num_bytes >= factor:
            return f"{num_bytes / factor:.3g} {unit}"
    return f"{num_bytes / 1024:.3g} KiB"


def duration(seconds: float) -> tuple[str, str]:
    """In English and in Chinese."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms", f"{1000 * seconds:.0f} 毫秒"
    if seconds < 100:
        return f"{seconds:.2g} s", f"{seconds:.2g} 秒"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min", f"{minutes} 分钟"
    return f"{minutes // 60} h {minutes % 60:02d} min", f"{minutes // 60} 小时 {minutes % 60} 分钟"
