"""The table of actions: one row each, in the order of the menus."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtGui import QKeySequence

from app.core.plan import Direction
from app.core.runs import RunKind
from app.gui.actions.context import ActionContext
from app.gui.actions.needs import Need, Situation
from app.gui.canvas.tools.tool import Tool

Keys = tuple[str | QKeySequence.StandardKey, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `icon` is a qtawesome name without its set, or empty.

    The texts are in the source language; `Actions` translates them in the context "Action". `group`
    makes it one of several, of which one is on; `is_on` tells of a switch whether it is.
    """

    name: str
    text: str
    icon: str
    keys: Keys
    need: Need
    tip: str
    run: Callable[[ActionContext], object]
    group: str = ""
    is_on: Callable[[Situation], bool] | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of the menu bar; None is a separator, a text the place of a submenu of that name."""

    title: str
    rows: tuple[Action | str | None, ...]


def _(text: str) -> str:
    return str(QT_TRANSLATE_NOOP("Action", text))


Std = QKeySequence.StandardKey
RECENT, SELECT, PANELS, MODES = "recent", "select", "panels", "modes"

# fmt: off
FILE = Menu(_("&File"), (
    Action("open", _("&Open…"), "movie-open-outline", (Std.Open,), Need.NOTHING,
        _("Open a video, a project or a VISOR JSON"), lambda d: d.files.open_file()),
    Action("open_folder", _("Open &folder of frames…"),
        "folder-open-outline", ("Ctrl+Shift+O",), Need.NOTHING,
        _("Open a folder of images as a video"), lambda d: d.files.open_folder()),
    RECENT,
    Action("open_sample", _("Open sa&mple clip"), "filmstrip", (), Need.SAMPLE,
        _("Try it on the clip that comes with Maskwright"), lambda d: d.files.open_sample()),
    None,
    Action("save", _("&Save"), "content-save-outline", (Std.Save,), Need.VIDEO,
        _("Say where the project is; it is saved with every change"), lambda d: d.files.save()),
    Action("save_as", _("Save project &as…"),
        "content-save-edit-outline", ("Ctrl+Shift+S",), Need.VIDEO,
        _("Copy the project to another file and go on there"), lambda d: d.files.save_as()),
    Action("import_masks", _("&Import masks…"), "import", (), Need.VIDEO,
        _("Take a folder of mask PNGs over as anchors"), lambda d: d.exchange.import_masks()),
    Action("export", _("&Export…"), "export-variant", ("Ctrl+E",), Need.MASKS,
        _("Write the masks as VISOR, DAVIS, COCO, submission or video"),
        lambda d: d.exchange.export()),
    None,
    Action("settings", _("Se&ttings…"), "cog-outline", ("Ctrl+,",), Need.NOTHING,
        _("Model, device, memory, appearance"), lambda d: d.panels.settings()),
    Action("models", _("Mo&dels…"), "bookshelf", (), Need.NOTHING,
        _("Fetch, verify and remove models, choose which is used for what, add your own"),
        lambda d: d.panels.models()),
    None,
    Action("close", _("&Close video"), "close", ("Ctrl+W",), Need.VIDEO,
        _("Close the video; everything is saved"), lambda d: d.files.close()),
    Action("quit", _("&Quit"), "power", ("Ctrl+Q",), Need.NOTHING,
        _("Leave Maskwright; everything is saved"), lambda d: d.panels.quit()),
))

EDIT = Menu(_("&Edit"), (
    Action("undo", _("&Undo"), "undo", (Std.Undo,), Need.UNDO,
        _("Take the last change back, a whole propagation included"),
        lambda d: d.correct.undo()),
    Action("redo", _("&Redo"), "redo", (Std.Redo, "Ctrl+Shift+Z"), Need.REDO,
        _("Do again what was taken back"), lambda d: d.correct.redo()),
    None,
    Action("copy_mask", _("Cop&y mask"), "content-copy", (Std.Copy,), Need.MASK,
        _("Copy the object's mask on this frame"), lambda d: d.masks.copy()),
    Action("paste_mask", _("&Paste mask"), "content-paste", (Std.Paste,), Need.COPIED,
        _("Give the copied mask to the selected object on this frame, as an anchor"),
        lambda d: d.masks.paste()),
    None,
    Action("verify_and_heal", _("Verify &and heal"), "check-bold", ("Return", "Enter"), Need.VIDEO,
        _("The mask is right: make it an anchor, propagate again what hangs on it, go on"),
        lambda d: d.correct.verify_and_heal()),
    Action("verify", _("&Verify"), "anchor", ("C",), Need.ENTRY,
        _("The mask is right: make it an anchor, without propagating"), lambda d: d.masks.verify()),
    Action("unanchor", _("U&n-anchor"), "link-variant-off", ("Shift+C",), Need.ANCHOR,
        _("Let models overwrite the mask again"), lambda d: d.masks.unanchor()),
    None,
    Action("absent", _("Mark a&bsent"), "eye-remove-outline", ("X",), Need.EDITABLE,
        _("Say that the object is not in the picture on this frame, or take that back"),
        lambda d: d.masks.absent()),
    Action("absent_range", _("Mark absent from in to out"), "", ("Shift+X",), Need.OBJECT_RANGE,
        _("Say that the object is not in the picture from the in to the out point"),
        lambda d: d.masks.absent_range()),
    Action("occluded", _("Mark &occluded"), "eye-minus-outline", (), Need.EDITABLE,
        _("Say that the object is hidden behind something on this frame"),
        lambda d: d.masks.occluded()),
    Action("clear", _("C&lear here"), "delete-outline", (Std.Delete,), Need.ENTRY,
        _("Remove the object's mask on this frame"), lambda d: d.masks.clear()),
    Action("clear_range", _("Clear from in to out"), "", ("Shift+Del",), Need.OBJECT_RANGE,
        _("Remove the object's masks from the in to the out point"),
        lambda d: d.masks.clear_range()),
    None,
    Action("candidate", _("Ne&xt candidate mask"), "swap-horizontal", ("Tab",), Need.CANDIDATES,
        _("Show the next mask that the last click could mean"),
        lambda d: d.correct.next_candidate()),
    Action("overlap", _("Let &masks overlap"), "", (), Need.NOTHING,
        _("What one object takes the others keep, too, instead of giving it"),
        lambda d: d.masks.overlap(), is_on=lambda s: s.overlap),
    Action("refine", _("Re&fine this frame"), "auto-fix", ("U",), Need.MASK,
        _("Sharpen the mask; Enter takes it over, Esc drops it"), lambda d: d.correct.refine()),
    Action("refine_batch", _("Refine many frames"), "", ("Shift+U",), Need.EDITABLE,
        _("Sharpen propagated masks of the bar's objects, from in to out where set"),
        lambda d: d.propagate.refine()),
))

PROPAGATE = Menu(_("&Propagate"), (
    Action("backward", _("&Backward"), "arrow-left-bold-outline", ("B",), Need.MASKS,
        _("Propagate backward to the nearest anchor"),
        lambda d: d.propagate.propagate(Direction.BACKWARD)),
    Action("both", _("B&oth ways"), "arrow-left-right-bold-outline", ("P",), Need.MASKS,
        _("Propagate both ways to the nearest anchors"),
        lambda d: d.propagate.propagate(Direction.BOTH)),
    Action("forward", _("&Forward"), "arrow-right-bold-outline", ("F",), Need.MASKS,
        _("Propagate forward to the nearest anchor"),
        lambda d: d.propagate.propagate(Direction.FORWARD)),
    Action("whole", _("&Whole video"), "arrow-expand-horizontal", ("Shift+P",), Need.MASKS,
        _("Propagate through the whole video, past the anchors, which stay as they are"),
        lambda d: d.propagate.whole()),
    None,
    Action("one_back", _("One frame back"), "", ("Alt+,", "Alt+Left"), Need.MASKS,
        _("Propagate one frame backward and go there"), lambda d: d.propagate.one_frame(-1)),
    Action("one_on", _("One frame on"), "", ("Alt+.", "Alt+Right"), Need.MASKS,
        _("Propagate one frame forward and go there"), lambda d: d.propagate.one_frame(1)),
    None,
    Action("stop", _("&Stop"), "stop-circle-outline", ("Esc",), Need.VIDEO,
        _("Drop the gesture or ghost; then stop the running job and keep its results"),
        lambda d: d.correct.escape()),
    Action("jobs", _("&Jobs that wait…"), "tray-full", ("Ctrl+Shift+J",), Need.VIDEO,
        _("What runs and what waits for it: order it, or let it go"), lambda d: d.jobs.show()),
))

RANGE = Menu(_("R&ange"), (
    Action("block_verify", _("&Verify there"), "check-all", (), Need.BLOCK,
        _("The masks are right: make them anchors. All of this menu acts on what is chosen on the "
        "timeline, else on the selected object from in to out, or here"),
        lambda d: d.block.verify()),
    Action("block_unanchor", _("&Un-anchor there"), "", (), Need.BLOCK,
        _("Let models overwrite the masks again"), lambda d: d.block.unanchor()),
    Action("block_absent", _("Mark a&bsent there"), "", (), Need.BLOCK,
        _("Say that the objects are not in the picture"), lambda d: d.block.absent()),
    Action("block_clear", _("&Delete masks there"), "delete-sweep-outline", ("Ctrl+Del",),
        Need.BLOCK, _("Remove the masks; nothing that runs brings them back"),
        lambda d: d.block.clear()),
    Action("block_lock", _("&Lock or unlock objects"), "", (), Need.BLOCK,
        _("Lock the objects, or unlock them where all are locked"), lambda d: d.block.lock()),
    None,
    Action("block_propagate", _("&Propagate there again"), "refresh", ("Ctrl+R",), Need.BLOCK,
        _("Fill these frames anew from the nearest anchors, which stay as they are"),
        lambda d: d.block.propagate()),
    Action("copy_on", _("&Copy the correction on"), "content-duplicate", ("Ctrl+Shift+V",),
        Need.BLOCK, _("Make on these frames the change that was made here, moved with the object"),
        lambda d: d.block.copy_on()),
    None,
    Action("block_exchange", _("E&xchange two objects there"), "", (), Need.BLOCK,
        _("Give each of two objects the masks of the other"), lambda d: d.block.exchange()),
    Action("exchange_on", _("Exchange two objects from &here on"), "", (), Need.BLOCK,
        _("Give each of two objects the masks of the other up to the next anchor"),
        lambda d: d.block.exchange_on()),
    Action("merge", _("&Merge objects"), "merge", (), Need.BLOCK,
        _("Give the masks of several objects to the selected one of them"),
        lambda d: d.block.merge()),
    Action("split_off", _("&Split a part off"), "call-split", (), Need.BLOCK,
        _("Give the pieces that lie apart from the object to a new one"),
        lambda d: d.block.split_off()),
))

OBJECTS = Menu(_("&Objects"), (
    Action("new_object", _("&New object"), "plus", ("M",), Need.VIDEO,
        _("Add an object and select it"), lambda d: d.objects.new()),
    Action("find_objects", _("&Find by words…"), "text-search", ("Ctrl+F",), Need.VIDEO,
        _("Say what to look for, here or over a range; what is found is proposed"),
        lambda d: d.panels.find()),
    Action("find_hands", _("Find h&ands"), "hand-back-left-outline", ("Shift+M",), Need.VIDEO,
        _("Make objects of the left and the right hand on this frame"),
        lambda d: d.objects.find_hands()),
    Action("rename_object", _("&Rename…"), "rename-outline", (), Need.OBJECT,
        _("Rename the object; VISOR class names are offered"), lambda d: d.objects.rename()),
    Action("delete_object", _("&Delete object"), "delete-forever-outline", (), Need.OBJECT,
        _("Delete the object with all its masks; undo brings it back"),
        lambda d: d.objects.delete()),
    None,
    SELECT,
    Action("previous_object", _("&Previous object"), "", ("Ctrl+Up",), Need.OBJECTS,
        _("Select the object above in the list"), lambda d: d.objects.step(-1)),
    Action("next_object", _("Ne&xt object"), "", ("Ctrl+Down",), Need.OBJECTS,
        _("Select the object below in the list"), lambda d: d.objects.step(1)),
    None,
    Action("hide", _("&Hide or show"), "eye-off-outline", ("H",), Need.OBJECT,
        _("Hide the object's masks, or show them again"), lambda d: d.objects.hide()),
    Action("solo", _("&Solo"), "alpha-s-box-outline", ("Shift+H",), Need.OBJECT,
        _("Show only this object, or all again"), lambda d: d.objects.solo()),
    Action("lock", _("&Lock or unlock"), "lock-outline", ("L",), Need.OBJECT,
        _("A locked object is neither edited nor propagated"), lambda d: d.objects.lock()),
    None,
    Action("recolor", _("&Colour…"), "palette-outline", (), Need.OBJECT,
        _("Choose the colour of the object"), lambda d: d.objects.recolor()),
    Action("move_up", _("Move &up"), "arrow-up", ("Ctrl+Shift+Up",), Need.OBJECT,
        _("Up in the list: objects further down are drawn over it"), lambda d: d.objects.shift(-1)),
    Action("move_down", _("Move do&wn"), "arrow-down", ("Ctrl+Shift+Down",), Need.OBJECT,
        _("Down in the list: it is drawn over the objects above"), lambda d: d.objects.shift(1)),
))

GO = Menu(_("&Go"), (
    Action("play", _("&Play or pause"), "play", ("Space",), Need.VIDEO,
        _("Play from here, in to out where set"), lambda d: d.player.toggle()),
    Action("go_to", _("&Go to…"), "map-marker-outline", ("Ctrl+G",), Need.VIDEO,
        _("Go to a frame number or a time"), lambda d: d.panels.go_to()),
    None,
    Action("previous_frame", _("Frame back"), "step-backward", ("Left", "A"), Need.VIDEO,
        _("One frame back"), lambda d: d.travel.step(-1)),
    Action("next_frame", _("Frame on"), "step-forward", ("Right", "D"), Need.VIDEO,
        _("One frame on"), lambda d: d.travel.step(1)),
    Action("ten_back", _("Ten frames back"), "", ("Shift+Left",), Need.VIDEO,
        _("Ten frames back"), lambda d: d.travel.step(-10)),
    Action("ten_on", _("Ten frames on"), "", ("Shift+Right",), Need.VIDEO,
        _("Ten frames on"), lambda d: d.travel.step(10)),
    Action("second_back", _("A second back"), "", ("Ctrl+Left",), Need.VIDEO,
        _("One second back"), lambda d: d.travel.second(-1)),
    Action("second_on", _("A second on"), "", ("Ctrl+Right",), Need.VIDEO,
        _("One second on"), lambda d: d.travel.second(1)),
    None,
    Action("previous_anchor", _("Previous &anchor"), "skip-previous-outline", ("PgUp",), Need.MASKS,
        _("The anchor before, of the selected object where one is selected"),
        lambda d: d.travel.anchor(-1)),
    Action("next_anchor", _("Next a&nchor"), "skip-next-outline", ("PgDown",), Need.MASKS,
        _("The anchor after, of the selected object where one is selected"),
        lambda d: d.travel.anchor(1)),
    Action("suggest_frame", _("Frame most wor&th annotating"),
        "lightbulb-outline", ("Ctrl+Shift+N",), Need.MASKS,
        _("Where another anchor helps most: amid what the model doubts, far from anchors; of the "
        "selected object, or of all"), lambda d: d.anchors.suggest()),
    Action("remove_anchor", _("&Remove anchor"), "link-variant-off", (), Need.MASKS,
        _("Let models overwrite the mask of the anchor that is chosen in the list of anchors"),
        lambda d: d.anchors.remove()),
    Action("first", _("&First frame"), "skip-backward-outline", ("Home",), Need.VIDEO,
        _("The in point, then the first frame"), lambda d: d.travel.first()),
    Action("last", _("&Last frame"), "skip-forward-outline", ("End",), Need.VIDEO,
        _("The out point, then the last frame"), lambda d: d.travel.last()),
    None,
    Action("set_in", _("Set &in point"), "contain-start", ("I",), Need.VIDEO,
        _("The range to work in begins here"), lambda d: d.travel.set_in()),
    Action("set_out", _("Set &out point"), "contain-end", ("O",), Need.VIDEO,
        _("The range to work in ends here"), lambda d: d.travel.set_out()),
    Action("clear_points", _("&Clear in and out"), "", ("Ctrl+Shift+X",), Need.RANGE,
        _("Work in the whole video"), lambda d: d.travel.clear_range()),
))

REVIEW = Menu(_("&Review"), (
    Action("next_suspect", _("&Next suspect"), "arrow-right-thin", ("N",), Need.SUSPECTS,
        _("Go to the next suspect, select its object and zoom to it"), lambda d: d.review.step(1)),
    Action("previous_suspect", _("&Previous suspect"),
        "arrow-left-thin", ("Shift+N",), Need.SUSPECTS,
        _("Go to the suspect before"), lambda d: d.review.step(-1)),
    Action("verify_and_next", _("&Verify and next"), "check-decagram-outline", ("Y",), Need.ENTRY,
        _("The mask is right: make it an anchor and go to the next suspect"),
        lambda d: d.review.verify_and_next()),
    Action("exchange_suspect", _("E&xchange from the swap on"),
        "account-switch-outline", ("Z",), Need.SUSPECTS,
        _("Two objects were taken for each other here: give each the masks of the other from here "
        "on"), lambda d: d.review.exchange()),
    Action("dismiss", _("Take off the list"), "flag-off-outline", (), Need.SUSPECTS,
        _("Take the suspect in the list off it, without verifying the mask"),
        lambda d: d.review.dismiss()),
))

INSPECT = Menu(_("&Inspect"), (
    Action("data_set", _("&Data set…"), "view-grid-outline", ("Ctrl+Shift+I",), Need.NOTHING,
        _("A ground truth and predictions of many sequences: heat map, table, worst episodes"),
        lambda d: d.data_set.show()),
    None,
    Action("import_run", _("&Import a prediction…"), "folder-eye-outline",
        ("Ctrl+Shift+R",), Need.VIDEO,
        _("Read a folder of mask PNGs as a run; nothing becomes an anchor"),
        lambda d: d.runs.import_folder(RunKind.PREDICTION)),
    Action("import_truth", _("Import a &ground truth…"), "bullseye", ("Ctrl+Shift+G",), Need.VIDEO,
        _("Read a folder of mask PNGs to measure the runs against"),
        lambda d: d.runs.import_folder(RunKind.GROUND_TRUTH)),
    Action("import_run_file", _("Import a prediction from a &JSON…"), "", (), Need.VIDEO,
        _("Read a VISOR or COCO JSON as a run; nothing becomes an anchor"),
        lambda d: d.runs.import_file(RunKind.PREDICTION)),
    Action("import_truth_file", _("Import a ground truth from a J&SON…"), "", (), Need.VIDEO,
        _("Read a VISOR or COCO JSON to measure the runs against"),
        lambda d: d.runs.import_file(RunKind.GROUND_TRUTH)),
    Action("keep_run", _("&Keep as run"), "archive-plus-outline", ("Ctrl+Shift+K",), Need.MASKS,
        _("Keep the present masks with their model as a run, to compare with others"),
        lambda d: d.runs.keep()),
    None,
    Action("take_over", _("&Take over masks"), "anchor", (), Need.RUN,
        _("Make the run's masks from in to out anchors, without a range those of this frame"),
        lambda d: d.runs.take_over()),
    None,
    Action("run_without", _("Run &without the remembered frame"), "image-remove-outline", (),
        Need.VOTES, _("Propagate anew as if the frame chosen under Memory were never remembered, "
        "into a run; the masks stay as they are"), lambda d: d.runs.run_without()),
    Action("run_with", _("Run with this frame r&emembered"), "image-plus-outline", (), Need.MASKS,
        _("Propagate anew as if the masks of this frame were anchors, too, into a run; the masks "
        "stay as they are"), lambda d: d.runs.run_with()),
    None,
    Action("save_episode", _("Save &figure of the failure…"), "image-outline",
        ("Ctrl+Shift+E",), Need.EPISODE,
        _("Frames, errors and curves of the chosen failure as SVG or PNG"),
        lambda d: d.runs.save_episode()),
    Action("save_curve", _("Save &curves…"), "chart-line", (), Need.MEASURED,
        _("The curves of the object as SVG or PNG"), lambda d: d.runs.save_curve()),
    Action("save_video", _("Save side by side &video…"), "movie-outline", (), Need.MEASURED,
        _("Image, ground truth, runs and errors as MP4, from the in to the out point"),
        lambda d: d.runs.save_video()),
    Action("save_episodes", _("Save table of f&ailures…"), "table", (), Need.MEASURED,
        _("The failures of all measured runs as CSV"), lambda d: d.runs.save_episodes()),
    Action("save_frames", _("Save &measures of every frame…"), "table-large", (), Need.MEASURED,
        _("J, F and failure of each run, frame and object as CSV"),
        lambda d: d.runs.save_frames()),
))

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

MENUS = (FILE, EDIT, PROPAGATE, RANGE, OBJECTS, GO, REVIEW, INSPECT, VIEW, HELP)


def acts() -> tuple[Action, ...]:
    """Return every action, in the order of the menus."""
    return tuple(
        row for menu in (*MENUS, SELECT_OBJECT) for row in menu.rows if isinstance(row, Action)
    )
