"""How fast this machine hashes when it does nothing else: `python -m benchmarks.hashing <seconds> <threads>`."""

import json
import sys
import threading
import time

from argon2.low_level import Type, hash_secret_raw

from benchmarks.people import PASSWORD
from powauth import Passwords
from powauth.passwords.pool import lower_priority

COST = Passwords().parameters


def one() -> None:
    hash_secret_raw(
        PASSWORD.encode(),
        bytes(16),
        time_cost=COST.time,
        memory_cost=COST.memory,
        parallelism=COST.parallelism,
        hash_len=32,
        type=Type.ID,
    )


def main(seconds: str, threads: str) -> None:
    began = time.perf_counter()
    for _ in range(5):
        one()
    alone = (time.perf_counter() - began) / 5
    counts = [0] * int(threads)
    until = time.monotonic() + float(seconds)

    def work(number: int) -> None:
        lower_priority()  # as Powauth's threads have it: whoever else is on the machine takes as much from both
        while time.monotonic() < until:
            one()
            counts[number] += 1

    before, began = time.process_time(), time.monotonic()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.monotonic() - began
    cpu = (time.process_time() - before) / sum(counts)
    print(json.dumps({"alone": alone, "per_second": sum(counts) / took, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
