"""A rank other than 0: it has its rows of the text, and does what rank 0 commands."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace

import numpy as np

from charrnn_tui.run.ranks import RanksLost
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.devices import Placement, prepare
from charrnn_tui.training.launch import join_local
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.ranks import Ranks

_POLL_SECONDS = 0.5


def follow(ranks: Ranks) -> bool:
    """Train until rank 0 says that it is over; whether it did, and has not just ended."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # rank 0 serves them: it needs this rank's state to save the training
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        learner = _learner(ranks)
        while True:
            command, step, lr = ranks.receive()
            match command:
                case "step":
                    learner.compute_step(step, lr)
                case "undo":
                    learner.undo_step()
                case "share":
                    learner.share_state()
                case "gather":
                    ranks.all_rows(learner.hidden)
                case "end":
                    return True
    except RanksLost:
        return False
    finally:
        ranks.close()


def _learner(ranks: Ranks) -> Learner:
    """Of this rank's rows, placed as rank 0; its weights come with the first command."""
    told = ranks.receive_json()
    placement = Placement(**told["placement"])
    ranks.use_device(placement.device)
    ids = ranks.receive_text(told["chars"], np.dtype(told["dtype"]))
    prepare(placement.device, placement.threads)
    settings = replace(TrainSettings(**told["settings"]), val_frac=0.0, patience=None)  # rank 0 validates
    learner = Learner(settings, Corpus("", ids, Vocabulary(told["tokens"]), ""), placement=placement, ranks=ranks)
    ranks.seed(settings.seed, 0)
    return learner


def _end_with(starter: int) -> None:
    """End this process when that one has ended, whatever this one waits for."""
    while os.getppid() == starter:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


def main(arguments: list[str]) -> int:
    """The process of a rank that `launch.py` has started."""
    rank, size, path, starter = arguments
    threading.Thread(target=_end_with, args=(int(starter),), daemon=True).start()
    try:
        return 0 if follow(join_local(int(rank), int(size), path)) else 1
    except Exception as error:  # out of memory, mostly; rank 0 says what that means for the training
        reason = (str(error) or type(error).__name__).splitlines()[0]
        print(f"rank {rank}: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
