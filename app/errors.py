"""Errors that reach a person: the fact, then what to do."""


class MaskwrightError(Exception):
    """Something failed during work; the message is shown as it is (exit status 1)."""


class UsageError(MaskwrightError):
    """Wrong use: an unknown option, a missing file, an unreadable input (exit status 2)."""


class StorageError(MaskwrightError):
    """A file could not be read or written; what was there before is untouched."""


class UnsavedError(StorageError):
    """What was changed cannot be saved: it is in memory only, until a person has decided."""


class FrameReadError(StorageError):
    """One frame of a video cannot be read; the message names it."""


class VideoOpenError(StorageError, UsageError):
    """A video or frame folder cannot be opened at all."""


class VideoMissingError(StorageError, UsageError):
    """A project is sound, but its video is not where it was; ask for the place."""


class ProjectError(StorageError):
    """A project file could not be read or written."""


class UnusableProjectError(ProjectError, UsageError):
    """A project file is damaged, newer, in use by another process, or of another video."""


class FormatError(StorageError, UsageError):
    """An exchange file (VISOR JSON, PNG, COCO) is not what it should be."""


class FirstNumberError(FormatError):
    """Masks are numbered, and not even a person could tell whether from 0 or from 1.

    `question` asks for it; the message says besides how a command is told.
    """

    def __init__(self, question: str) -> None:
        super().__init__(f"{question} Say so with --first-number 1 or --first-number 0.")
        self.question = question
