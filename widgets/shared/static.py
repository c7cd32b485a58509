"""The folder of files that browsers fetch, and the addresses of the scripts in it."""

from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"


def module(name: str) -> str:
    """The address of a script; another one after an update, for browsers keep what they had."""
    return f"app/static/{name}?{(STATIC / name).stat().st_mtime_ns}"
