"""What providers publish is fetched once for many, and fails once for many."""

import asyncio
from dataclasses import dataclass, field

import pytest

from powauth.oauth import Documents, HttpRequest, HttpResponse, Malformed, Network, TooSlow
from powauth.oauth.documents import MOST_KEPT
from powauth.testing import FrozenClock
from tests.oauth.paper import said

pytestmark = pytest.mark.anyio


@dataclass
class Slow:
    """Answers when it is let."""

    answers: list[HttpResponse | Exception]
    asked: int = 0
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        await self.may.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def get(documents: Documents, http: Slow, url: str = "https://id.example.com/keys") -> object:
    return (await documents.get(url, Network.PUBLIC, http=http, clock=FrozenClock())).content


async def all_at_once(documents: Documents, http: Slow, number: int = 20) -> list[object]:
    asking = [asyncio.create_task(get(documents, http)) for _ in range(number)]
    await asyncio.sleep(0)
    http.may.set()
    return list(await asyncio.gather(*asking, return_exceptions=True))


async def test_many_who_ask_at_once_cause_one_request() -> None:
    http, documents = Slow([said({"keys": []})]), Documents()
    assert await all_at_once(documents, http) == [{"keys": []}] * 20
    assert http.asked == 1


async def test_a_failure_is_shared_by_those_who_waited_and_not_remembered() -> None:
    http, documents = Slow([TooSlow("x"), said({"keys": []})]), Documents()
    outcomes = await all_at_once(documents, http)
    assert {type(outcome) for outcome in outcomes} == {TooSlow}  # and not twenty time-outs one after the other
    assert http.asked == 1
    assert await get(documents, http) == {"keys": []}


async def test_somebody_who_gives_up_takes_nobody_along() -> None:
    http, documents = Slow([said({"keys": []})]), Documents()
    first = asyncio.create_task(get(documents, http))
    second = asyncio.create_task(get(documents, http))
    await asyncio.sleep(0)
    first.cancel()
    http.may.set()
    assert await second == {"keys": []}
    assert http.asked == 2


async def test_so_many_documents_are_kept_and_no_more() -> None:
    http, documents = Slow([said({})]), Documents()
    http.may.set()
    for number in range(MOST_KEPT + 1):
        await get(documents, http, f"https://id.example.com/{number}")
    assert repr(documents) == f"Documents({MOST_KEPT} kept)"
    await get(documents, http, f"https://id.example.com/{MOST_KEPT}")
    assert http.asked == MOST_KEPT + 1
    await get(documents, http, "https://id.example.com/0")
    assert http.asked == MOST_KEPT + 2


async def test_what_is_no_document_is_not_kept() -> None:
    http, documents = Slow([said([]), said({})]), Documents()
    http.may.set()
    with pytest.raises(Malformed):
        await get(documents, http)
    assert await get(documents, http) == {}
