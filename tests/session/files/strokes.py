"""A stroke on a short clip, as the tests of files make it."""

from app.session.session import Session
from tests.fakes import square

FRAMES = 12


def draw(session: Session, frame: int, x: int = 10) -> None:
    if not session.masks.objects:
        session.objects.add("knife")
    session.edit.draw_mask(frame, 1, square(x), "Brush")
