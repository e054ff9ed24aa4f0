"""The rows of what is shown and how, of help, and of the keys that select an object."""

import sys

from app.gui.actions.needs import Need
from app.gui.actions.table.action import MODES, PANELS, Action, Menu
from app.gui.actions.table.action import tr_noop as _
from app.gui.canvas.tools.tool import Tool

# fmt: off
VIEW = Menu(_("&View"), (
    Action("tool_points", _("&Points"), "cursor-default-click-outline", ("Q",), Need.VIDEO,
        _("Points: click the object, right-click what is not"),
        lambda d: d.canvas.set_tool(Tool.POINTS), "tools"),
    Action("tool_box", _("&Box"), "selection-drag", ("W",), Need.VIDEO,
        _("Box: drag round the object"), lambda d: d.canvas.set_tool(Tool.BOX), "tools"),
    Action("tool_brush", _("B&rush"), "brush", ("E",), Need.VIDEO,
        _("Brush: paint; Ctrl erases, [ and ] change the size"),
        lambda d: d.canvas.set_tool(Tool.BRUSH), "tools"),
    Action("tool_eraser", _("&Eraser"), "eraser", ("R",), Need.VIDEO,
        _("Eraser: rub out; [ and ] change the size"),
        lambda d: d.canvas.set_tool(Tool.ERASER), "tools"),
    Action("tool_polygon", _("P&olygon"), "vector-polygon", ("T",), Need.VIDEO,
        _("Polygon: click corners or drag; Enter closes, Alt subtracts"),
        lambda d: d.canvas.set_tool(Tool.POLYGON), "tools"),
    Action("tool_select", _("&Select and pan"), "cursor-default-outline", ("V",), Need.VIDEO,
        _("Select: click an object, drag to pan"),
        lambda d: d.canvas.set_tool(Tool.SELECT), "tools"),
    None,
    Action("brush_narrower", _("Brush narrower"), "minus-circle-outline", ("[", "-"), Need.VIDEO,
        _("Narrow the brush and the eraser"), lambda d: d.canvas.step_brush(-1)),
    Action("brush_wider", _("Brush wider"), "plus-circle-outline", ("]", "+"), Need.VIDEO,
        _("Widen the brush and the eraser"), lambda d: d.canvas.step_brush(1)),
    None,
    Action("fit", _("&Fit picture"), "fit-to-screen-outline", ("Ctrl+0",), Need.VIDEO,
        _("Show the whole picture"), lambda d: d.canvas.fit()),
    Action("actual_size", _("&Actual size"), "magnify", ("Ctrl+Alt+0", "Shift+Z"), Need.VIDEO,
        _("One picture pixel on one screen pixel"), lambda d: d.canvas.zoom_to(100)),
    MODES,
    None,
    Action("changes", _("Show &changes"), "compare", ("Ctrl+D",), Need.CHANGES,
        _("What the last propagation changed: orange is new, blue is gone"),
        lambda d: d.look.changes()),
    Action("next_change", _("Next change"), "", ("Ctrl+Shift+D",), Need.CHANGES,
        _("The frame that the last propagation changed most, then the one after it"),
        lambda d: d.look.next_change()),
    Action("confidence", _("Colour by confidence"), "thermometer", ("F6",), Need.VIDEO,
        _("Green where the model was sure, orange where not, blue for anchors"),
        lambda d: d.look.confidence()),
    Action("errors", _("Errors against &ground truth"), "target-variant", ("F7",), Need.VIDEO,
        _("The difference to masks from a folder: orange is too much, blue is missing"),
        lambda d: d.look.errors()),
    Action("swap", _("A/B"), "compare-horizontal", ("F8",), Need.REFERENCE,
        _("The masks before the last propagation, or the ground truth, in place of these"),
        lambda d: d.look.swap()),
    Action("minimap", _("Map of the frame"), "map-outline", ("F9",), Need.VIDEO,
        _("A small picture of the whole frame; click in it to go there"),
        lambda d: d.look.minimap()),
    None,
    PANELS,
    Action("effort", _("Effort"), "timer-outline", (), Need.VIDEO,
        _("What you have done for the clip and each object: actions, clicks, frames, time"),
        lambda d: d.panels.effort()),
    Action("annotate", _("La&yout: annotate"), "page-layout-sidebar-right", ("F2",), Need.VIDEO,
        _("Arrange the panels for annotating"), lambda d: d.panels.annotate()),
    Action("inspect", _("Layout: &inspect"), "page-layout-footer", ("F3",), Need.VIDEO,
        _("Runs against the ground truth: views side by side, failures, curves"),
        lambda d: d.panels.inspect()),
    Action("full_screen", _("F&ull screen"), "fullscreen", ("F11",), Need.NOTHING,
        _("Full screen, or a window again"), lambda d: d.panels.full_screen()),
))

HELP = Menu(_("&Help"), (
    Action("guide", _("&User's guide"), "help-circle-outline", ("F1",), Need.NOTHING,
        _("How everything is done, with a search"), lambda d: d.panels.guide()),
    Action("sheet", _("&Keyboard shortcuts"), "keyboard-outline", ("Ctrl+/", "Shift+F1"),
        Need.NOTHING, _("All keys on one sheet"), lambda d: d.panels.sheet()),
    Action("palette", _("&Find a command…"), "console-line", ("Ctrl+K",), Need.NOTHING,
        _("Search all commands by name"), lambda d: d.panels.palette()),
    None,
    Action("logs", _("Open &log folder"), "text-box-outline", (), Need.NOTHING,
        _("Where the log files are"), lambda d: d.panels.logs()),
    Action("about", _("&About Maskwright"), "information-outline", (), Need.NOTHING,
        _("Version and licences"), lambda d: d.panels.about()),
))

def _select(number: int, text: str) -> Action:
    key = f"Ctrl+{number % 10}" if sys.platform == "darwin" else str(number % 10)
    tip = _("Select the object with this number")
    return Action(
        f"select_{number}", text, "", (key,), Need.OBJECTS, tip,
        lambda d: d.objects.select(number),
    )


SELECT_OBJECT = Menu(_("S&elect"), (
    _select(1, _("Object &1")), _select(2, _("Object &2")), _select(3, _("Object &3")),
    _select(4, _("Object &4")), _select(5, _("Object &5")), _select(6, _("Object &6")),
    _select(7, _("Object &7")), _select(8, _("Object &8")), _select(9, _("Object &9")),
    _select(10, _("Object 1&0")),
))
# fmt: on
