"""What all tests share: on each core a worker, which computes, with all that it starts, on one thread."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch reads it when it is first imported
