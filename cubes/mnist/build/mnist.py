"""Run one task of the MNIST cube: mnist.py TASK --NAME=PATH ..."""  # noqa: INP001 - a script

import sys
from pathlib import Path

if __name__ == "__main__":
    # The sources may lie on a read-only or hashed place: leave no bytecode there. And
    # find them even where Python was told to keep the script's folder off the path.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from mnist_cube.main import main

    sys.exit(main(sys.argv[1:]))
