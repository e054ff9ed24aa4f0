"""The presets of keys for people who come from other tools, where they differ from the table."""

from collections.abc import Mapping

Preset = Mapping[str, tuple[str, ...]]  # action name -> its keys in place of the table's

PRESETS: Mapping[str, Preset] = {
    "default": {},
    # Space goes on propagating, as in Cutie's window; playing moves to K.
    "cutie": {"forward": ("Space", "F"), "play": ("K",)},
    # D and F step, C and V ten at a time, N draws, as in CVAT; what they did moves to free keys.
    "cvat": {
        "previous_frame": ("D", "Left"),
        "next_frame": ("F", "Right"),
        "ten_back": ("C", "Shift+Left"),
        "ten_on": ("V", "Shift+Right"),
        "new_object": ("N", "M"),
        "forward": ("G",),
        "touch": ("Shift+T",),
        "verify": ("K",),
        "tool_select": ("S",),
        "next_suspect": ("J",),
        "previous_suspect": ("Shift+J",),
    },
    # A and D step, as in labelme, which they do here too; J edits and Ctrl+N begins a shape.
    "labelme": {"tool_select": ("V", "Ctrl+J"), "tool_polygon": ("T", "Ctrl+N")},
}
