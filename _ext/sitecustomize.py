"""Write down which files of the repository a page's kernel reads, as compilers write depfiles.

Python imports this module by its name at start-up when its folder is on the path, which ``tools.pages`` sees
to while it executes a page; elsewhere ``CNNBOOK_READS`` is unset and nothing happens.
"""

import os
import sys
from importlib.util import source_from_cache

if "CNNBOOK_READS" in os.environ:
    _root = os.environ["CNNBOOK_ROOT"] + os.sep
    _here = os.path.dirname(__file__) + os.sep
    _seen: set[str] = set()
    # unbuffered and in append mode: a page that dies has still told what it read
    _log = os.open(os.environ["CNNBOOK_READS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _record(event: str, arguments: tuple[object, ...]) -> None:
        """Audit hook: note every file below the repository that is opened for reading."""
        if event != "open" or not isinstance(arguments[0], str):
            return
        path, mode = os.path.abspath(arguments[0]), arguments[1]
        if not path.startswith(_root) or path.startswith(_here) or (isinstance(mode, str) and "w" in mode):
            return
        if path.endswith(".pyc"):
            try:
                path = source_from_cache(path)
            except ValueError:
                return
        if path not in _seen:
            _seen.add(path)
            os.write(_log, (path[len(_root) :] + "\n").encode())

    sys.addaudithook(_record)
