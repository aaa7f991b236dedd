"""One of two processes that want to update the same row: URL, HOW, FOLDER to meet in, NUMBER."""

import asyncio
import sys
import time
from pathlib import Path

from powauth.errors import Stale
from powauth.testing.records_contract import SCHEMA, Note
from tests.sqlalchemy_adapter import models


async def main(url: str, how: str, folder: Path, number: str) -> None:
    async with models.app_on(url, models.with_uuid, SCHEMA) as app:
        async with app.unit(writes=False) as unit:
            note = await unit.records(Note).get("1")
        assert note
        meet(folder, number)
        try:
            async with app.unit() as unit:
                if how == "compare-and-set":
                    await unit.records(Note).update(note, count=int(number))
                else:
                    table = app.layout.record_table(SCHEMA, Note).table
                    await models.transaction_of(unit).write(
                        table.update().where(table.c.id == "1").values(count=int(number))
                    )
        except Stale:
            print("stale")
        else:
            print("stored")


def meet(folder: Path, number: str) -> None:
    (folder / number).touch()
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > deadline:
            sys.exit("the other one did not come")
        time.sleep(0.005)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
