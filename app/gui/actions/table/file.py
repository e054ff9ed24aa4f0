"""The rows of the menu of files."""

from PySide6.QtGui import QKeySequence

from app.gui.actions.needs import Need
from app.gui.actions.table.action import RECENT, Action, Menu
from app.gui.actions.table.action import tr_noop as _

Std = QKeySequence.StandardKey

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
# fmt: on
