"""What tests share of connecting an account that there is: its addresses, and saying yes on the page that asks."""

import re

from powauth.testing import Site
from powauth.testing.site import Answer

MINE, JOIN, FORGET = (f"/providers/fake/{name}" for name in ("mine", "join", "forget"))
HERE = f"/auth{JOIN}"


def shown(page: Answer) -> str:
    """Return which two a page named."""
    found = re.search(r'name="shown" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


async def join(site: Site) -> Answer:
    """Say yes on the page that asks."""
    return await site.post(JOIN, shown=shown(await site.get(JOIN)))


async def connected(site: Site) -> list[str]:
    """Return what is connected to the account that is signed in."""
    account = (await site.get("/account", headers={"accept": "application/json"})).json
    return [provider["name"] for provider in account["providers"] if provider["is_connected"]]
