"""The page of a batch: how far it is, what it costs, what failed and why, as one HTML file."""

import html
from urllib.parse import quote

from app.batch.videos.carry_out import Outcome
from app.batch.videos.journal.standing import Standing

LIST, LOGS = "outcomes.csv", "failed"  # beside the page: all outcomes, and a text for each failure
_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:60em;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3em .6em;text-align:left;"
    "border-bottom:1px solid #ddd}td.n,th.n{text-align:right}.bad{color:#a40000}"
    "progress{width:100%;height:1.2em}"
)
_HEAD = "<table><tr><th>Video<th class=n>Frames<th class=n>Seconds<th class=n>J&amp;F<th></tr>\n"


def page(standing: Standing) -> str:
    """Return the page; it loads itself anew every ten seconds until all is done.

    It names what failed and the latest videos, each up to a number that a browser shows at once;
    the list beside it has all.
    """
    done, total = standing.count, standing.total
    title = f"{done:,} of {total:,} videos"
    again = "" if standing.is_over else '<meta http-equiv="refresh" content="10">'
    failed = _table(f"{standing.failures} failed", standing.failed) if standing.failures else ""
    return (
        f"<!doctype html><meta charset=utf-8>{again}<title>{title}</title>"
        f"<style>{_STYLE}</style><h1>{title}</h1>"
        f"<progress value={done} max={total}></progress><p>{html.escape(_facts(standing))}</p>"
        f"{failed}{_table('Latest', list(reversed(standing.latest)))}"
        f'<p><a href="{LIST}">All of them</a></p>\n'
    )


def _facts(standing: Standing) -> str:
    left = standing.seconds_left
    score, cost = standing.mean_jf, standing.cost
    facts = [
        f"{standing.fps:.1f} frames a second",
        f"{standing.done_before} were done before" if standing.done_before else "",
        f"{_long(left)} left" if left is not None and not standing.is_over else "",
        cost,
        f"mean J&F {score:.3f}" if score is not None else "",
    ]
    return ", ".join(filter(None, facts))


def _long(seconds: float) -> str:
    """Return how long that is, as people say it of long work."""
    hours = seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} hours" if hours >= 2 else f"{seconds / 60:.0f} min"


def _table(title: str, outcomes: list[Outcome]) -> str:
    rows = "\n".join(map(_row, outcomes))
    return f"<h2>{title}</h2>{_HEAD}{rows}</table>\n"


def _row(each: Outcome) -> str:
    jf = "" if each.jf is None else f"{each.jf:.3f}"
    state = "was done" if each.was_done else "done"
    if each.error:
        log = f"{LOGS}/{quote(each.name)}.txt"
        state = f'<a class=bad href="{log}">{html.escape(each.error)}</a>'
    return (
        f"<tr><td>{html.escape(each.name)}<td class=n>{each.frames or ''}"
        f"<td class=n>{each.seconds or ''}<td class=n>{jf}<td>{state}</tr>"
    )
