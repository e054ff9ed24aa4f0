"""The tool tip of the timeline: what is under the resting cursor."""

import html

from app.core.document import ObjectInfo
from app.gui.timeline.thumbnails import Thumbnails, as_html, with_masks
from app.gui.widgets.words import clock, entry_name, percent
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo


def tip(
    video: CurrentVideo,
    masks: Masks,
    thumbnails: Thumbnails,
    item: ObjectInfo | None,
    frame: int,
    reach: int,
) -> str:
    """Return frame, time and state as rich text, with a picture taken within `reach` frames.

    On the picture lie the masks of the object, of all where none is meant.
    """
    lines = [f"<b>{frame}</b> · {clock(video.time_of(frame))}"]
    if item is not None:
        entry = masks.shown(frame).get(item.id)
        state = entry_name(entry)
        sure = None if entry is None or entry.is_anchor else masks.confidence(entry)
        likely = "" if sure is None else f", {percent(sure)}"
        lines.append(f"{html.escape(item.name)}: {state}{likely}")
    near = thumbnails.nearest(frame, reach)
    if near is not None:
        shown = masks.shown(near[0])
        drawn = {
            each.color: shown[each.id].mask
            for each in masks.objects
            if each.id in shown and each.visible and (item is None or each.id == item.id)
        }
        lines.insert(0, as_html(with_masks(near[1], video.size[1], drawn)))
    return "<br>".join(lines)
