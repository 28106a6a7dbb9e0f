"""What nobody uses goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from serving.heap import settle

HOLES = """
import sys, time
from serving.heap import settle
import numpy as np
if sys.argv[1] == "on" and not settle(0.2):
    sys.exit(3)
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
size = int(sys.argv[2])
warm = np.ones(4_000_000, np.float32); del warm          # a freed block of 16 MB: the threshold follows it
base = rss()
blocks = [np.ones(size, np.float32) for _ in range(40_000_000 // size)]
small = [np.ones(size // 50, np.float32) for _ in range(40)]
last = np.ones(size, np.float32)                         # holds the heap's end in its place
del blocks
time.sleep(1.0)
print(rss() - base)
"""


def left(how: str, size: int) -> float:
    done = subprocess.run([sys.executable, "-c", HOLES, how, str(size)], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    return float(done.stdout)


@pytest.mark.parametrize("size", [1_000_000, 50_000])
def test_holes_of_blocks_large_and_small_are_given_back(size):
    assert left("off", size) > 100  # what this is for: 160 MB that nobody uses
    assert left("on", size) < 30


def test_it_can_be_said_twice():
    assert settle() == settle()


RING = """
import sys, time, weakref
from serving import heap
class Session: pass
def ring():
    a, b = Session(), Session(); a.other, b.other = b, a
    return a
model = [Session() for _ in range(100_000)]              # so many that the collector would leave the rest alone
if not heap.settle(0.2): sys.exit(3)
heap.lasting()
gone = weakref.ref(ring())
before = gone() is not None
time.sleep(1.0)
print(int(before and gone() is None and len(model) == 100_000))
"""


def test_rings_of_objects_go_soon():
    done = subprocess.run([sys.executable, "-c", RING], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    assert done.stdout.strip() == "1", done.stderr


HUGE = """
import ctypes, sys
from pathlib import Path
from serving.heap import settle
import numpy as np
ctypes.CDLL(None).prctl(41, *(ctypes.c_ulong(0),) * 4)    # as it may have been told to the parent
if sys.argv[1] == "on": settle(mapped_bytes=64 * 1024 * 1024)
held = [np.ones(1_500_000, np.float32) for _ in range(8)]  # of 6 MB, in the heap
print([int(x.split()[1]) for x in Path("/proc/self/smaps_rollup").read_text().splitlines() if "AnonHugePages" in x][0])
"""


def test_no_array_leaves_a_mark_by_which_holes_are_filled_again():
    def huge(how: str) -> int:
        run = subprocess.run([sys.executable, "-c", HUGE, how], capture_output=True, text=True, check=True)
        return int(run.stdout)

    if not huge("off"):
        pytest.skip("this kernel gives nobody huge pages")
    assert huge("on") == 0
