"""A file of voting codes goes again only where they were certainly not issued: nobody can be shown them a second time."""

from pathlib import Path

import pytest

from livetally.adapters.codes import Letter
from livetally.commands.codes import _letters

LETTER = Letter("v1", "Ann", "", "", "", "", "", "CODE")
FAULTS = (KeyboardInterrupt, ConnectionError)


def write(output: str | None, fault: type[BaseException], *, finishes: bool) -> None:
    """What `codes` does, up to a fault."""
    with _letters(output) as letters:
        letters.write("http://here", iter([[LETTER]]))
        if finishes:
            letters.finish()
        raise fault


@pytest.mark.parametrize("fault", FAULTS)
def test_what_ends_before_the_codes_can_have_been_issued_leaves_no_file(fault: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    with pytest.raises(fault):
        write(str(path), fault, finishes=False)
    assert not path.exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_what_ends_later_keeps_it_and_says_so(fault: type[BaseException], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "letters.csv"
    with pytest.raises(fault):
        write(str(path), fault, finishes=True)
    assert "CODE" in path.read_text("utf-8")
    assert f"Keep {path}" in capsys.readouterr().err


def test_what_was_printed_is_to_be_kept_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(None, KeyboardInterrupt, finishes=True)
    said = capsys.readouterr()
    assert "CODE" in said.out
    assert "Keep what was printed" in said.err
