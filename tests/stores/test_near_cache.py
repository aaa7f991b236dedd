"""Near caches of two processes accept nothing that ended longer ago than promised, whatever happens to connections.

Every answer is compared with a log of ends. Two twins read along, one without the rule of the placeholder and one
without the flush: they have to be found out, or the run could not have failed.
"""

import os
from pathlib import Path

import pytest

from tests import servers
from tests.stores.near_run import (
    assert_kept,
    break_links,
    calm,
    freeze_a_primary,
    freeze_links,
    kill_a_primary,
    move_slots,
    run_through,
)
from tests.stores.redis_sets import cluster, watched

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

ROUNDS = int(os.environ.get("NEAR_CACHE", "0"))
long = pytest.mark.skipif(not ROUNDS, reason="takes minutes: make near-cache")
EVERYTHING = (calm, freeze_links, calm, break_links, move_slots, freeze_a_primary, move_slots, calm)


async def test_nothing_that_ended_is_accepted_while_links_freeze_slots_move_and_a_primary_is_killed(
    tmp_path: Path,
) -> None:
    with cluster("valkey") as found:
        assert_kept(
            await run_through(found, tmp_path / "board", (calm, freeze_links, move_slots, kill_a_primary, calm))
        )


@long
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("kind", servers.REDIS_KINDS)
async def test_the_same_for_longer_on_a_cluster(kind: str, number: int, tmp_path: Path) -> None:
    with cluster(kind) as found:
        happenings = (*EVERYTHING, kill_a_primary, calm) if number % 2 else (*EVERYTHING, *EVERYTHING)
        assert_kept(await run_through(found, tmp_path / "board", happenings))


@long
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("kind", servers.REDIS_KINDS)
async def test_the_same_for_longer_behind_sentinels(kind: str, number: int, tmp_path: Path) -> None:
    with watched(kind) as found:
        happenings = (*EVERYTHING, kill_a_primary, calm) if number % 2 else (*EVERYTHING, *EVERYTHING)
        assert_kept(await run_through(found, tmp_path / "board", happenings))
