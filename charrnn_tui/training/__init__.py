"""Training a CharRNN in PyTorch."""

import os

# How long a thread of OpenMP waits for others by spinning before it sleeps; the default is milliseconds. Where the
# cores have other work, spinning keeps the thread that is waited for from running: a step takes several times as long.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
