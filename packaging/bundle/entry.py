"""The program of a bundle: `maskwright`, and the worker processes that it starts."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a worker of a batch begins here, too
    from app.__main__ import main

    sys.exit(main())
