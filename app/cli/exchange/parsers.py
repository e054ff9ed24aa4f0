"""The parsers of the commands between projects and exchange formats."""

import argparse
from pathlib import Path

FIRST_NOTES = 3  # of each kind, that `validate` shows
_FORMATS = ("visor", "davis", "coco", "submission")


def configure_import(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("source", type=Path, help="VISOR or COCO JSON, or a DAVIS folder")
    parser.add_argument("project", type=Path, help="the project file to make (*.maskwright)")
    parser.add_argument(
        "--video", "--images", type=Path, metavar="FRAMES",
        help="the video: a file or a folder of images; else images beside the masks are used",
    )  # fmt: skip
    parser.add_argument(
        "--first-number", type=int, choices=(0, 1), metavar="0|1",
        help="the number of the first frame, where masks of a video file are numbered",
    )  # fmt: skip
    parser.add_argument("--name", help="which video, where the source holds several")
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE",
        help="the VISOR authors' correct.json, which mends contacts",
    )  # fmt: skip


def configure_export(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("project", type=Path, help="the project file (*.maskwright)")
    parser.add_argument(
        "--format",
        required=True,
        choices=("visor", "visor-dense", "davis", "coco", "submission", "video"),
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="file, or folder")
    parser.add_argument("--video", type=Path, metavar="FRAMES", help="where the video is now")
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE",
        help="val_data_mapping.json: a submission is compared with it before it is written",
    )  # fmt: skip
    parser.add_argument(
        "--resolution", default="auto", choices=("auto", "1080p", "480p", "frames"),
        help="of VISOR coordinates: auto = as imported, else 1080p where the frames are 16:9",
    )  # fmt: skip


def configure_convert(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("source", type=Path, help="a JSON, a folder of JSONs, or a DAVIS folder")
    parser.add_argument("target", type=Path, help="a JSON, or a folder")
    parser.add_argument("--from", dest="origin", required=True, choices=_FORMATS)
    parser.add_argument("--to", dest="form", required=True, choices=_FORMATS)
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="VISOR's frames, to be written for DAVIS too"
    )
    parser.add_argument(
        "--split", choices=("train", "val"), default="val",
        help="VISOR's benchmark rules: val follows the first frame's objects (default)",
    )  # fmt: skip
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE",
        help="val_data_mapping.json: names a DAVIS folder's objects, and a submission is compared "
        "with it before it is written",
    )  # fmt: skip
    parser.add_argument(
        "--list", type=Path, metavar="FILE", help="only these subsequences, such as val_unseen.txt"
    )
    parser.add_argument(
        "--frame-mapping", type=Path, metavar="FILE",
        help="VISOR's frame_mapping.json, where --images are EPIC-KITCHENS' own frames",
    )  # fmt: skip

    parser.add_argument(
        "--raster", choices=("current", "opencv-4.5.5"), default="current",
        help="how VISOR's polygons are filled for DAVIS: as OpenCV does now, or did when the "
        "release was made, which differs by some pixels on slanted edges",
    )  # fmt: skip


def configure_validate(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, help="a VISOR JSON: sparse, dense or a submission")
    parser.add_argument(
        "--notes", action="store_true", help=f"show all notes, not {FIRST_NOTES} of each kind"
    )
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE",
        help="val_data_mapping.json, which a submission's names are compared with",
    )  # fmt: skip
    parser.add_argument(
        "--frames", type=Path, metavar="DIR",
        help="the folders of the subsequences' frames, which a submission is to have",
    )  # fmt: skip
