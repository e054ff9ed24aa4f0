"""The report as one HTML page: no network, no script, its figures beside it."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from app.batch.inspection.drawing import Figure
from app.batch.inspection.figures import (
    FAILURE_COLORS,
    caption,
    failure_strip,
    title,
)
from app.batch.inspection.provenance import program
from app.batch.inspection.tables import Run, difference
from app.core.evaluate import Protocol
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import Failure
from app.core.inspection.results import Result, overall

_STYLE = """
:root { --ink: #1c1e22; --quiet: #6b7076; --rule: #e3e6e8; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  color: var(--ink); background: #fff; max-width: 1080px; margin: 40px auto; padding: 0 24px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 44px 0 10px; }
h3 { font-size: 15px; margin: 0 0 8px; }
p.quiet, .quiet { color: var(--quiet); } p { max-width: 76ch; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; color: var(--quiet); font-size: 13px; }
td:not(.text):not(:first-child) { white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.strip { width: 372px; padding: 3px 0 3px 10px; } td.strip svg { display: block; }
tr.group td { font-weight: 600; }
.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); }
.card { border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; }
.card b { display: block; font-size: 26px; font-variant-numeric: tabular-nums; }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px; }
.legend span { margin-right: 16px; white-space: nowrap; font-size: 13px; }
.bar { height: 11px; border-radius: 2px; }
figure { border: 1px solid var(--rule); border-radius: 8px; margin: 0 0 22px; padding: 16px; }
figure img { width: 100%; height: auto; } figcaption { font-size: 13px; color: var(--quiet); }
a { color: #0b62a8; } a.up { color: inherit; text-decoration: none; }
@media print { body { margin: 0; max-width: none; } figure { break-inside: avoid; } }
"""


def build_page(
    runs: Sequence[Run],
    truth: Path,
    protocol: Protocol,
    worst: Sequence[tuple[Run, Result, Episode, str]],
) -> bytes:
    """Return the page; `worst` are the episodes with figures, and the names of their files."""
    names = " and ".join(escape(run.name) for run in runs)
    body = "".join((
        f"<h1>Failures of {names}</h1>",
        f'<p class="quiet">against {escape(str(truth))}, protocol {protocol.value}; '
        f"{escape(program())}. All numbers: "
        '<a href="summary.json">summary.json</a>, <a href="frames.csv">frames.csv</a>, '
        '<a href="events.csv">events.csv</a>.</p>',
        _overview(runs),
        "<h2>How it fails</h2>", _failures(runs),
        "<h2>What it fails on</h2>", _attributes(runs),
        "<h2>Sequences</h2>", _sequences(runs),
        "<h2>The worst episodes</h2>", _worst(worst) or _no_figure(runs),
        _episodes(runs, worst),
    ))  # fmt: skip
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Failures of {names}</title><style>{_STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )
    return page.encode()


def _overview(runs: Sequence[Run]) -> str:
    cards = []
    for run in runs:
        means = overall(run.results)
        cards.append(
            f'<div class="card">{escape(run.name)}<b>{means.jf:.3f}</b>'
            f'<span class="quiet">J&amp;F; J {means.j:.3f}, F {means.f:.3f}<br>'
            f"{len(run.episodes())} episodes</span></div>"
        )
    between = difference(runs)
    if between is not None:
        bounds = (
            f"95 % between {between.low:+.3f} and {between.high:+.3f}<br>paired bootstrap over "
            f"{between.sequences} sequences{', which are few' if between.is_weak else ''}"
            if between.low is not None
            else "one sequence says nothing of others:<br>no interval"
        )
        cards.append(
            f'<div class="card">B minus A<b>{between.mean:+.3f}</b>'
            f'<span class="quiet">{bounds}</span></div>'
        )
    first = runs[0].results
    frames = sum(len(result.frames) for result in first)
    objects = sum(len(result.objects) for result in first)
    sparse = sum(result.is_sparse for result in first)
    cards.append(
        f'<div class="card">Scored<b>{frames}</b><span class="quiet">frames of {len(first)} '
        f"sequence(s), {objects} object(s)"
        + (f"<br>{sparse} with sparse ground truth" if sparse else "")
        + "</span></div>"
    )
    return f'<div class="cards">{"".join(cards)}</div>'


def _failures(runs: Sequence[Run]) -> str:
    totals = [run.totals() for run in runs]
    most = max((n for each in totals for f, n in each.items() if f is not Failure.GOOD), default=0)
    rows = []
    for failure in Failure:
        cells = "".join(
            f"<td>{each[failure]}</td><td>{_share(each[failure], sum(each.values())):.1f} %</td>"
            + (
                f'<td style="width:{22 if len(runs) > 1 else 50}%"><div class="bar" style="width:'
                f"{_share(each[failure], most):.1f}%;background:{FAILURE_COLORS[failure]}"
                '"></div></td>'
                if failure is not Failure.GOOD
                else "<td></td>"
            )
            for each in totals
        )
        rows.append(f"<tr><td>{_key(failure)}{failure.value}</td>{cells}</tr>")
    heads = "".join(f'<th>{run.letter}: frames</th><th></th><th class="text"></th>' for run in runs)
    return (
        "<p class=quiet>Each frame of each object counts once. A mask that errs only along the "
        "outline is &ldquo;boundary only&rdquo;; one that errs away from it leaks or lacks a part."
        "</p>"
        f"<table><tr><th>failure</th>{heads}</tr>{''.join(rows)}</table>"
    )


def _attributes(runs: Sequence[Run]) -> str:
    shares = [run.attributes() for run in runs]
    rows = []
    before = ""
    for parts in zip(*shares, strict=True):
        cells = "".join(
            "<td>&ndash;</td>" if p.jf is None else f"<td>{p.jf:.3f}</td>" for p in parts
        )
        known = [p.jf for p in parts if p.jf is not None]
        change = f"<td>{known[1] - known[0]:+.3f}</td>" if len(known) == 2 else "<td></td>"
        rows.append(
            f"<tr><td>{parts[0].attribute if parts[0].attribute != before else ''}</td>"
            f"<td class=text>{parts[0].name}</td>"
            f"<td>{parts[0].frames}</td>{cells}{change if len(runs) > 1 else ''}</tr>"
        )
        before = parts[0].attribute
    heads = "".join(f"<th>J&amp;F {run.letter}</th>" for run in runs)
    return (
        "<p class=quiet>Measured on the ground truth: size is the share of the frame, speed the "
        "object&rsquo;s sides a frame, occlusion the hidden share of the usual area, similarity "
        "how alike the colours of the object and of what lies round it are (without images: "
        "whether a like object is near).</p>"
        "<table><tr><th>attribute</th><th class=text>class</th><th>frames</th>"
        f"{heads}{'<th>B minus A</th>' if len(runs) > 1 else ''}</tr>{''.join(rows)}</table>"
    )


def _sequences(runs: Sequence[Run]) -> str:
    """Return the table of sequences, the one with the lowest J&F first."""
    legend = "".join(f"<span>{_key(failure)}{failure.value}</span>" for failure in Failure)
    order = sorted(range(len(runs[0].results)), key=lambda i: runs[0].results[i].jf.mean())
    rows = []
    for index in order:
        for number, name in enumerate(runs[0].results[index].objects):
            for run in runs:
                result = run.results[index]
                j, f = (part[:, number].mean() for part in result.measures[:2])
                label = f"{result.sequence} {name}" if run is runs[0] else ""
                rows.append(
                    f"<tr><td>{escape(label)}</td><td class=text>{run.letter}</td><td>{j:.3f}</td>"
                    f"<td>{f:.3f}</td><td>{(j + f) / 2:.3f}</td>"
                    f"<td class=strip>{_inline(failure_strip(result, number))}</td></tr>"
                )
    return (
        f'<p class="legend">{legend}</p><table><tr><th>sequence, object</th><th class=text>run</th>'
        "<th>J</th><th>F</th><th>J&amp;F</th><th class=text>frame by frame</th></tr>"
        f"{''.join(rows)}</table>"
    )


def _worst(worst: Iterable[tuple[Run, Result, Episode, str]]) -> str:
    return "".join(
        f'<figure id="{file}"><h3>{escape(run.letter)}: {escape(title(result, episode))}</h3>'
        f'<img src="figures/{file}.svg" alt="{escape(caption(run.name, result, episode))}">'
        f'<figcaption><a href="figures/{file}.svg">SVG</a> · '
        f'<a href="figures/{file}.png">PNG, 300 dpi</a> · curve alone: '
        f'<a href="figures/{file}-curve.svg">SVG</a>, '
        f'<a href="figures/{file}-curve.png">PNG</a></figcaption></figure>'
        for run, result, episode, file in worst
    )


def _no_figure(runs: Sequence[Run]) -> str:
    if any(run.episodes() for run in runs):
        return "<p>No figures were asked for; all episodes are in the table below.</p>"
    return "<p>There is none: every mask is good.</p>"


def _episodes(runs: Sequence[Run], worst: Iterable[tuple[Run, Result, Episode, str]]) -> str:
    files = {(run.letter, result.sequence, episode): file for run, result, episode, file in worst}
    rows = []
    for run in runs:
        for result, episode in run.episodes()[:50]:
            name = escape(title(result, episode))
            if file := files.get((run.letter, result.sequence, episode)):
                name = f'<a href="#{file}">{name}</a>'
            back = result.frames[episode.recovery] if episode.recovery is not None else ""
            rows.append(
                f"<tr><td>{run.letter}: {name}</td><td>{escape(result.frames[episode.first])}</td>"
                f"<td>{escape(result.frames[episode.peak])}</td><td>{escape(back)}</td>"
                f"<td>{episode.lost:.1f}</td><td class=text>{_reasons(result, episode)}</td></tr>"
            )
    return (
        "<h2>Episodes by what they cost</h2><p class=quiet>At most 50 a run; all are in "
        "<a href=events.csv>events.csv</a>. &ldquo;Lost&rdquo; is the sum of 1 &minus; J&amp;F "
        "over the scored frames.</p><table><tr><th>episode</th><th>onset</th><th>worst</th>"
        "<th>recovery</th><th>lost</th>"
        f"<th class=text>likely cause</th></tr>{''.join(rows)}</table>"
    )


def _reasons(result: Result, episode: Episode) -> str:
    return ", ".join(cause.value for cause in result.causes(episode))


def _share(part: int, whole: int) -> float:
    return 100 * part / max(1, whole)


def _key(failure: Failure) -> str:
    return f'<i class="key" style="background:{FAILURE_COLORS[failure]}"></i>'


def _inline(figure: Figure) -> str:
    return figure.svg().decode().replace("\n", "")
