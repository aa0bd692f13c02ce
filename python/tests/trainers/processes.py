"""Runs a function in several processes over gloo, with an end to it."""

import multiprocessing
import os
import time
import traceback

SECONDS = 180


def _run(rank, world, function, args, rendezvous, pipe):
    import torch

    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(rendezvous), "CUDA_VISIBLE_DEVICES": ""}
    torch.set_num_threads(1)
    try:
        pipe.send((True, function(rank, world, *args)))
    except BaseException:
        pipe.send((False, traceback.format_exc()))
    # What libraries leave running at exit is no business of the test.
    pipe.close()
    os._exit(0)


def _free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_ranks(function, world, *args):
    """What `function(rank, world, *args)` returns in each of `world` processes. What takes too long is killed.

    They are forked, so that libraries are imported once; the test of spawned workers is in test_torch.py."""
    context = multiprocessing.get_context("fork")
    port = _free_port()
    started = []
    for rank in range(world):
        ours, theirs = context.Pipe(False)
        process = context.Process(target=_run, args=(rank, world, function, args, port, theirs), daemon=False)
        process.start()
        theirs.close()
        started.append((process, ours))
    end = time.monotonic() + SECONDS
    try:
        answers = []
        for rank, (_, pipe) in enumerate(started):
            if not pipe.poll(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"rank {rank} of {world} did not end within {SECONDS} s")
            answers.append(pipe.recv())
        for rank, (done, answer) in enumerate(answers):
            assert done, f"rank {rank}:\n{answer}"
        return [answer for _, answer in answers]
    finally:
        for process, _ in started:
            process.join(5)
            if process.is_alive():
                process.kill()


def begin_gloo(rank, world):
    """Joins the processes."""
    import torch.distributed as dist

    dist.init_process_group("gloo", rank=rank, world_size=world)
