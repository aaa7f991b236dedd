"""A browser that says what it asks for, can be closed and opened again, and copied by a thief."""

from powauth.extensions.remember_me.operations import COOKIE
from powauth.testing import Answer, Site

NAVIGATES = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
SENDS = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FETCHES = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


def close(site: Site) -> None:
    """Close the browser and open it again: what was kept for one visit is gone."""
    site.jar.pop(site.auth.plan.cookie_name("session"), None)


def copied(site: Site, *, client: str = "203.0.113.9") -> Site:
    """Return a thief's browser, which has nothing but the remembered device's cookie."""
    thief = site.browser(client=client)
    thief.headers = {**site.headers, "user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"}
    thief.jar = {name: value for name, value in site.jar.items() if name == name_of(site)}
    return thief


def name_of(site: Site) -> str:
    return site.auth.plan.cookie_name(COOKIE)


def remembered(site: Site) -> str | None:
    """Return the cookie of the remembered device."""
    return site.jar.get(name_of(site))


async def navigate(site: Site, path: str = "/account") -> Answer:
    """Go to an address, as a person does."""
    return await site.get(path, headers=NAVIGATES)


async def is_in(site: Site) -> bool:
    """Say whether a person who goes to a page for signed-in people sees it."""
    return (await navigate(site)).status == 200


async def send(site: Site, path: str, /, **fields: object) -> Answer:
    """Send a form of a page of ours, as a person does."""
    return await site.send("POST", path, form=fields, headers=SENDS)


async def sign_in(site: Site, password: str, email: str = "ada@example.com", /, **fields: object) -> Answer:
    return await send(site, "/sign-in", email=email, password=password, **fields)
