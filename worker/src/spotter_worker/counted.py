"""Owns a number before its noun: one file, several files. Standard library only."""

from __future__ import annotations


def counted(num: int, noun: str) -> str:
    return f"{num:,} {noun}" if num == 1 else f"{num:,} {noun}s"
