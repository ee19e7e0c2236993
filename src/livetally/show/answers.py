"""What a page says of an answer that is not there yet, or that could not be asked for anew. HTML."""

from typing import Any

from livetally.show.past import Answer
from livetally.show.scene import Scene
from livetally.show.words import said


def why_missing(answer: Answer[Any]) -> str:
    return said(answer.trouble) if answer.trouble else "It is being asked; the next refresh has it."


def last_known(scene: Scene, answer: Answer[Any]) -> str:
    """Of when it is, while PostgreSQL does not answer; nothing beside an answer of now."""
    if answer.value is None or answer.asked_at is None or not answer.trouble:
        return ""
    when = scene.moment.clock(answer.asked_at)
    return f'<p class="lt-sentence lt-sentence-small" data-testid="last-known">The last known, of {when}: it cannot be asked anew now.</p>'
