"""The page of a batch: what is done, what failed and why, as one HTML file."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from app.batch.videos.carry_out import Outcome

_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:60em;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3em .6em;text-align:left;"
    "border-bottom:1px solid #ddd}td.n,th.n{text-align:right}.bad{color:#a40000}"
    "progress{width:100%;height:1.2em}"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a batch is: outcomes so far, how many videos in all, seconds since it began."""

    outcomes: Sequence[Outcome]
    total: int
    seconds: float

    @property
    def failed(self) -> list[Outcome]:
        """The videos that could not be done."""
        return [each for each in self.outcomes if each.error]

    @property
    def fps(self) -> float:
        """Frames a second over all workers, of what was done now."""
        frames = sum(each.frames for each in self.outcomes if not each.was_done)
        return frames / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this pace; None until a video was done now."""
        fresh = sum(not each.was_done for each in self.outcomes)
        left = self.total - len(self.outcomes)
        return self.seconds / fresh * left if fresh else None


def page(standing: Standing) -> str:
    """Return the page; it loads itself anew every ten seconds until all is done."""
    done, total = len(standing.outcomes), standing.total
    left = standing.seconds_left
    more = f", {left / 60:.0f} min left" if left is not None and done < total else ""
    again = '<meta http-equiv="refresh" content="10">' if done < total else ""
    rows = "\n".join(_row(each) for each in sorted(standing.outcomes, key=lambda o: o.name))
    failed = f", <b class=bad>{len(standing.failed)} failed</b>" if standing.failed else ""
    return (
        f"<!doctype html><meta charset=utf-8>{again}<title>{done} of {total} videos</title>"
        f"<style>{_STYLE}</style><h1>{done} of {total} videos</h1>"
        f"<progress value={done} max={total}></progress>"
        f"<p>{standing.fps:.1f} frames a second{more}{failed}</p>"
        "<table><tr><th>Video<th class=n>Frames<th class=n>Seconds<th class=n>J&amp;F<th></tr>\n"
        f"{rows}</table>\n"
    )


def _row(each: Outcome) -> str:
    jf = "" if each.jf is None else f"{each.jf:.3f}"
    state = "was done" if each.was_done else "done"
    if each.error:
        state = f"<span class=bad>{html.escape(each.error)}</span>"
    return (
        f"<tr><td>{html.escape(each.name)}<td class=n>{each.frames or ''}"
        f"<td class=n>{each.seconds or ''}<td class=n>{jf}<td>{state}</tr>"
    )
