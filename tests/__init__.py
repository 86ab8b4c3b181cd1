"""Threads of the tests, which run in two processes.

Two processes of one thread each are faster than one of two threads. Commands that take all cores all the same, as
nnU-Net's do, wait for each other asleep: threads that wait awake, as is usual, slow each other down several times.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
