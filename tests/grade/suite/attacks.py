"""Submissions that attack the machine, hang, die, or use it up.

Where an attack fails, the answer of its question is wrong; where it would have to kill to be noticed, it is right.
So marks tell whether the attack was held, and what it cost its own author.
"""

from tests.grade.suite.assignment import ANSWERS
from tests.grade.suite.case import Case

RIGHT = ANSWERS["conv2d"]

TABLE = "{(7, 3, 2, 1): 4, (32, 5, 1, 2): 32, (9, 2, 2, 0): 4}.get(given, 3)"


def won_if(attack):
    """An answer that is right if and only if the attack succeeds: marks would show it."""
    return f"""
def attack():
{attack}

def output_size(*given):
    if len(given) == 2:
        return 3
    try:
        won = attack()
    except Exception:
        won = False
    return {TABLE} if won else 0
"""


READING = [
    Case("source-and-gradebook", "reading the grader's files", {"size": won_if("""
    import os
    skip = ("/proc", "/sys", "/dev")
    for folder, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in skip]
        if any(n.endswith(".ipynb") or n.startswith("gradebook") for n in names):
            return "site-packages" not in folder
""")}, "size"),
    Case("checker-in-proc", "reading the grader's files", {"size": won_if("""
    import glob, os
    me = str(os.getpid())
    others = [p for p in glob.glob("/proc/[0-9]*") if os.path.basename(p) != me]
    return bool(others) or os.path.exists("/proc/1/root/etc/passwd")
""")}, "size"),
    Case("symlinks", "reading the grader's files", {"size": won_if("""
    import os
    for i, place in enumerate(("/etc/passwd", "/srv", "/var/lib", "/proc/1/root/etc/shadow", "../../../etc/passwd")):
        os.symlink(place, f"link{i}")
    return any(os.path.exists(f"link{i}") and os.listdir(f"link{i}") for i in range(5))
""")}, "size"),
    Case("ptrace", "looking into other processes", {"size": won_if("""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    pids = {os.getppid(), *range(2, 400)} - {os.getpid()}
    return any(libc.ptrace(16, pid, 0, 0) == 0 for pid in pids)
""")}, "size"),
    Case("memory-of-others", "looking into other processes", {"size": won_if("""
    import os
    return any(os.access(f"/proc/{pid}/mem", os.R_OK) for pid in {0, os.getppid(), *range(2, 400)})
""")}, "size"),
    Case("writing-outside", "writing outside", {"size": won_if("""
    import os
    for place in ("/", "/usr/lib", "/etc", "/engine/inside", os.path.dirname(os.__file__)):
        try:
            open(os.path.join(place, "mine.py"), "w").close()
            return True
        except OSError:
            pass
""")}, "size"),
    Case("mount-and-unshare", "writing outside", {"size": won_if("""
    import ctypes
    libc = ctypes.CDLL(None)
    done = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x20000000)]
    done += [libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.setuid(0), libc.chroot(b"/tmp")]
    return 0 in done
""")}, "size"),
    Case("network", "the network", {"size": won_if("""
    import socket
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", 9)) in (0, 111)  # 111: a host that refuses is a host that was reached
""")}, "size"),
    Case("signals", "signals", {"size": won_if("""
    import os, signal
    killed = []
    for pid in {os.getppid(), *range(2, 400)} - {0}:
        try:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        except OSError:
            pass
    return killed
""")}, "size"),
    Case("kill-pid-1", "signals", {"conv2d": RIGHT + "import os, signal\nos.kill(1, signal.SIGKILL)\nos.kill(-1, 9)"}),
    Case("kill-the-group", "signals", {"conv2d": RIGHT + "import os, signal\nos.killpg(0, signal.SIGTERM)"}),
]  # fmt: skip

DEATHS = [
    Case("os-exit", "death of the process", {"conv2d": RIGHT + "import os\nos._exit(0)"}, "conv2d", note="프로세스가 끝났"),
    Case("segfault", "death of the process", {"conv2d": RIGHT + "import ctypes\nctypes.string_at(0)"}, "conv2d", note="SIGSEGV"),
    Case("exit-in-a-function", "death of the process", {
        "conv2d": "import os\ndef conv2d(x, w): os._exit(1)"}, "conv2d", note="프로세스가 끝났"),
    Case("sys-exit", "a polite end", {"conv2d": RIGHT + "import sys\nsys.exit('done')"}),
    Case("quit", "a polite end", {"conv2d": RIGHT + "quit()"}),
    Case("input", "a polite end", {"conv2d": RIGHT + "name = input('이름: ')"}),
    Case("stack", "endless recursion", {"conv2d": "def conv2d(x, w): return conv2d(x, w)"}, "conv2d"),
    Case("deep-stack", "endless recursion", {"conv2d": """
        import sys
        sys.setrecursionlimit(10**9)
        def conv2d(x, w): return conv2d(x, w)
    """}, "conv2d"),
    Case("atexit", "ends that strike back", {"choice": """
        import atexit
        atexit.register(lambda: [print("3.0"), open("/tmp/x", "w").write("x"), 1 / 0])
        answer = "②"
    """}),
    Case("del-bomb", "ends that strike back", {"choice": """
        class Bomb:
            def __del__(self):
                Bomb()
                raise RuntimeError("boom")
        Bomb(), Bomb()
        answer = "②"
    """}, lost="choice", note="시간 제한"),
    Case("gc-callback", "ends that strike back", {"choice": """
        import gc
        gc.callbacks.append(lambda phase, info: 1 / 0)
        answer = "②"
    """}),
]  # fmt: skip

HANGS = [
    Case("endless-cell", "hangs in a cell", {"conv2d": RIGHT + "while True: pass"}, note="시간 제한"),
    Case("swallowed-interrupts", "hangs in a cell", {"conv2d": RIGHT + """
import time
while True:
    try:
        time.sleep(60)
    except BaseException:
        pass
"""}, "conv2d", note="시간 제한"),
    Case("ignored-signal", "hangs in a cell", {"conv2d": RIGHT + """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
time.sleep(600)
"""}, "conv2d", note="시간 제한"),
    Case("endless-function", "hangs in a function", {"conv2d": "def conv2d(x, w):\n    while True: pass"}, "conv2d", note="시간 제한"),
    Case("endless-in-c", "hangs in a function", {"conv2d": "def conv2d(x, w): return 3 ** (3 ** 30)"}, "conv2d", note="시간 제한"),
    Case("endless-generator", "hangs in a function", {"conv2d": """
        class Endless:
            def __iter__(self):
                while True: yield 1.0
            def __len__(self): return 2**60
            def __getitem__(self, i): return Endless()
        def conv2d(x, w): return Endless()
    """}, "conv2d"),
    Case("many-slow-cells", "slow as a whole", edit=lambda nb: nb.cells.extend(
        {"cell_type": "code", "metadata": {}, "source": "import time; time.sleep(3)", "outputs": []} for _ in range(30)
    ), note="노트북 전체"),
    Case("training-at-the-top", "slow as a whole", {"train": ANSWERS["train"] + """
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1))
for epoch in range(300):
    train_step(net, torch.randn(64, 2), torch.randn(64, 1), 0.01)
"""}),
]  # fmt: skip

RESOURCES = [
    Case("thirty-gigabytes", "memory", {"conv2d": RIGHT + "huge = torch.ones(30 * 2**30 // 4)"}),
    Case("growing-list", "memory", {"conv2d": "blocks = []\nwhile True: blocks.append(bytearray(2**24))\n" + RIGHT}, "conv2d"),
    Case("memory-in-children", "memory", {"conv2d": RIGHT + """
import os, time
for _ in range(12):
    if os.fork() == 0:
        block = bytearray(b"1") * 2**27
        time.sleep(60)
time.sleep(60)
"""}, "conv2d", note="메모리 제한"),
    Case("fork-bomb", "processes", {"conv2d": RIGHT + "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"},
         "conv2d", note="프로세스 수 제한"),
    Case("thread-bomb", "processes", {"conv2d": RIGHT + """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,)).start()
"""}, "conv2d", note="프로세스 수 제한"),
    Case("children-that-stay", "processes", {"conv2d": RIGHT + """
import os, subprocess, threading, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
threading.Thread(target=time.sleep, args=(600,)).start()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
"""}),
    Case("full-disk", "files", {"conv2d": RIGHT + "for i in range(10**6): open(f'f{i}', 'wb').write(bytes(2**22))"}),
    Case("many-files", "files", {"conv2d": RIGHT + "for i in range(10**6): open(f'f{i}', 'w').close()"}),
    Case("many-descriptors", "files", {"conv2d": RIGHT + "keep = [open('/dev/null') for _ in range(10**5)]"}),
    Case("flood", "output", {"conv2d": RIGHT + "for i in range(3000): print('x' * 100_000)"}),
    Case("flood-of-pictures", "output", {"conv2d": RIGHT + """
from IPython.display import Image, display
for _ in range(40):
    display(Image(data=b"\\x89PNG" + bytes(1_000_000), format="png"))
"""}),
    Case("flood-from-a-function", "output", {"conv2d": RIGHT + """
import sys
right = conv2d
def conv2d(x, w):
    for _ in range(200):
        print("x" * 100_000)
        print("y" * 100_000, file=sys.stderr)
    return right(x, w)
"""}),
    Case("nested-display", "outputs that are hard to keep", {"conv2d": RIGHT + """
from IPython.display import display
tree = []
for _ in range(600):
    tree = [tree]
display({"application/json": tree, "text/plain": "x"}, raw=True)
display({"text/plain": "x"}, raw=True, metadata={"tree": tree})
"""}),
    Case("wide-display", "outputs that are hard to keep", {"conv2d": RIGHT + """
import os, stat
payload = b'{"output_type": "display_data", "data": {"application/json": [' + b"[]," * 20_000_000 + b"[]]}}"
for number in range(3, 30):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            frame = memoryview(len(payload).to_bytes(4, "big") + b"O" + payload)
            while frame:
                frame = frame[os.write(number, frame):]
    except OSError:
        pass
"""}),
    Case("strange-text", "outputs that are hard to keep", {"conv2d": RIGHT + r"""
print("\ud800 \x00 \x1b[31m \u202e </script><script>alert(1)</script>")
raise ValueError("\udfff")
"""}),
]  # fmt: skip

VALUES = [
    Case("cycle", "values without a plain form", {"conv2d": """
        def conv2d(x, w):
            loop = []
            loop.append(loop)
            return loop
    """}, "conv2d"),
    Case("deep", "values without a plain form", {"conv2d": """
        def conv2d(x, w):
            deep = 1.0
            for _ in range(10**5): deep = [deep]
            return deep
    """}, "conv2d"),
    Case("sparse", "values without a plain form", {
        "conv2d": "def conv2d(x, w): return F.conv2d(x, w).to_sparse()",
        "gradient": "def softplus(x): return F.softplus(x).to('meta')",
    }, "gradient"),
    Case("huge-int", "values that are too large", {
        "numbers": "out_size = n_parameters = 10 ** 200_000",
        "size": "def output_size(*_): return 10 ** 200_000",
    }, "numbers size"),
    Case("ten-million-items", "values that are too large", {"conv2d": "def conv2d(x, w): return [0.0] * 10**7"}, "conv2d"),
    Case("huge-tensor", "values that are too large", {"conv2d": "def conv2d(x, w): return torch.zeros(1, 1, 5000, 5000)"}, "conv2d"),
    Case("evil-str", "exceptions that defend themselves", {"conv2d": """
        class Evil(Exception):
            def __str__(self): raise self
            __repr__ = __str__
        def conv2d(x, w): raise Evil
    """}, "conv2d"),
    Case("evil-message", "exceptions that defend themselves", {"conv2d": RIGHT + """
class Text(str):
    def __len__(self): raise RuntimeError
    __getitem__ = __add__ = __len__
class Evil(Exception):
    def __str__(self): return Text("evil")
right = conv2d
def conv2d(x, w):
    return right(x, w)
raise Evil
"""}),
    Case("evil-class", "exceptions that defend themselves", {"conv2d": """
        class Meta(type):
            def __getattribute__(cls, name): raise RuntimeError(name)
        class Evil(Exception, metaclass=Meta): pass
        def conv2d(x, w): raise Evil
    """}, "conv2d"),
]  # fmt: skip

NAMES = [
    Case("emptied-globals", "names that are gone", {"conv2d": "globals().clear()"}, "conv2d net gradient train"),
    Case("deleted-builtins", "names that are gone", {"conv2d": """
        import builtins
        for name in list(vars(builtins)):
            if name.islower() and not name.startswith("_"):
                delattr(builtins, name)
    """}, "conv2d net gradient train choice"),
    Case("homoglyph", "names that look alike", {"size": ANSWERS["size"].replace("output", "оutput")}, "size", note="output_size"),
    Case("compatible-letters", "names that look alike", {"size": ANSWERS["size"].replace("size(", "𝐬𝐢𝐳𝐞(")}),
]  # fmt: skip

ATTACKS = READING + DEATHS + HANGS + RESOURCES + VALUES + NAMES
