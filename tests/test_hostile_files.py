"""Files made to harm the server: bombs stay small, and mutants are refused in a sentence."""

import pytest

from benchmarks import bombs, fuzz

WORST = [
    "as many objects as are allowed",
    "zigzags",
    "an archive of a million members",
    "a packed line",
    "a line to the moon",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_a_bomb_takes_little_memory_and_keeps_nobody_waiting(name: str) -> None:
    outcome = bombs.measure(name)
    assert outcome["met"], outcome


@pytest.mark.filterwarnings("ignore::Warning")  # NumPy's and Pillow's, on the way to a refusal
@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_a_mutant_is_taken_or_refused_in_a_sentence(name: str) -> None:
    with fuzz.drawings_apart():
        fuzz.fuzz(name, 500)


def test_the_fuzzer_finds_what_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    target = fuzz.Target(lambda content: content.decode("ascii"), [b"plain"], ())
    monkeypatch.setitem(fuzz.TARGETS, "careless", target)
    with pytest.raises(AssertionError, match=r"careless [0-9]+ raises UnicodeDecodeError"):
        fuzz.fuzz("careless", 500)
