"""A browser as far as a provider's pages need one: cookies, redirects, forms. It stops where the application begins."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from powauth.oauth import Callback

BACK = "http://localhost:17399/callback"
_FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_ABORT = re.compile(r'href="([^"]*/abort)"')
_INPUT = re.compile(r"<(?:input|button)[^>]*>")
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')


@dataclass
class Browser:
    """Somebody at a browser."""

    login: str = "ada"
    pick: str | None = None
    """Which of the buttons is pressed: the one whose form holds this text."""
    declines: bool = False
    back: str = BACK
    """Where the application begins."""
    cookies: httpx2.Cookies = field(default_factory=httpx2.Cookies)

    async def open(self, url: str) -> httpx2.Response:
        """Return a page."""
        async with httpx2.AsyncClient(trust_env=False, cookies=self.cookies) as client:
            return await client.get(url)

    async def visit(self, url: str) -> Callback:
        """Follow where a provider leads, and return what arrives at the application."""
        async with httpx2.AsyncClient(trust_env=False, cookies=self.cookies) as client:
            try:
                return await self._visit(client, url)
            finally:
                self.cookies = client.cookies

    async def _visit(self, client: httpx2.AsyncClient, url: str) -> Callback:
        answer = await client.get(url)
        for _ in range(20):
            if answer.is_redirect:
                target = str(answer.url.join(answer.headers["location"]))
                if target.startswith(self.back):
                    return Callback.from_query(target.partition("?")[2])
                answer = await client.get(target)
                continue
            action, fields = self._next(answer)
            if action.startswith(self.back):
                return Callback.from_form(str(httpx2.QueryParams(fields)))
            if fields is None:
                answer = await client.get(action)
            else:
                answer = await client.post(action, data=dict(fields))
        raise AssertionError("the provider leads nowhere")

    def _next(self, answer: httpx2.Response) -> tuple[str, Mapping[str, str] | None]:
        if self.declines and (abort := _ABORT.search(answer.text)):
            return str(answer.url.join(html.unescape(abort[1]))), None
        forms = [(action, body) for action, body in _FORM.findall(answer.text)]
        assert forms, f"{answer.status_code} {answer.url}: {re.sub('<[^>]+>', ' ', answer.text)[-500:]}"
        action, body = next((each for each in forms if self.pick and self.pick in each[1]), forms[0])
        fields: dict[str, str] = {}
        for tag in _INPUT.findall(body):
            found = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
            if "name" in found:
                fields[found["name"]] = found.get("value", "")
        if fields.get("prompt") == "login":
            fields |= {"login": self.login, "password": "any"}
        if "op.logoutForm" in answer.text:  # its buttons stand beside it
            fields |= {"logout": "yes"}
        return str(answer.url.join(html.unescape(action))), fields
