"""Make ``.venv`` from ``requirements.txt``, or say in one line why it cannot be made.

Runs on the machine's own Python before anything is installed, so it uses the standard library alone and
syntax that even an old Python 3 can read: the message about a too-old Python must reach its reader.
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
NEEDED = (3, 11)
NEEDED_BYTES = 8 * 1024**3  # torch with CUDA, the largest build, fills about 6 GB


def stop(message):  # noqa: ANN001, ANN201 - readable by old Pythons
    """Print one line that says what to do, and stop."""
    sys.stderr.write("setup: " + message + "\n")
    raise SystemExit(1)


def check():  # noqa: ANN201
    """Stop, with a cure, where this machine cannot carry the virtual environment."""
    if sys.version_info[:2] < NEEDED:
        stop(
            "Python {}.{} is too old: install {}.{} or newer, then run make PYTHON=python3.11".format(
                *(sys.version_info[:2] + NEEDED)
            )
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop("this Python has no venv module. Install it (sudo apt install python3-venv), then make again.")
    free = shutil.disk_usage(ROOT).free
    if not os.path.exists(VENV) and free < NEEDED_BYTES:
        stop(
            "the disk has {:.1f} GB free, the packages need {:.0f} GB. Free some, then make again.".format(
                free / 1024**3, NEEDED_BYTES / 1024**3
            )
        )


def main():  # noqa: ANN201
    """Create the environment and install the requirements, with progress on the terminal."""
    check()
    python = os.path.join(VENV, "bin", "python")
    if not os.path.exists(python):
        print("setup: making .venv", flush=True)
        subprocess.check_call([sys.executable, "-m", "venv", VENV])
    print("setup: installing requirements.txt (a few minutes the first time)", flush=True)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    requirements = os.path.join(ROOT, "requirements.txt")
    done = subprocess.call([*pip, "--progress-bar", "on", "-r", requirements])
    if done == 0:
        done = subprocess.call([*pip, "--no-deps", "-e", ROOT])
    if done != 0:
        if shutil.disk_usage(ROOT).free < 200 * 1024**2:
            stop("the disk is full. Free {:.0f} GB, then make again.".format(NEEDED_BYTES / 1024**3))
        stop("pip could not install the requirements (see above). Check the network, then make again.")
    with open(os.path.join(VENV, ".ready"), "w") as stamp:
        stamp.write("made by tools/setup.py\n")


if __name__ == "__main__":
    main()
