"""The mailer that posts to a service, against a real HTTP server on this machine."""

import json
import ssl
import traceback
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from powauth import Mail, Mailer
from powauth.http_mail import HttpMailer, for_templates
from powauth.mail import NotSent, Undeliverable
from powauth.testing import MailerContract
from powauth.testing.mailer_contract import MAIL
from tests.mail_servers import HOST, Posted, certified, mail_service, trusting

pytestmark = pytest.mark.anyio

SECRET_KEY = "key-5f1c9a3e"


@dataclass
class Service:
    """A service that answers with what the test wants."""

    url: str
    posted: list[Posted] = field(default_factory=list[Posted])
    answer: str = "202 Accepted"
    says: str = "{}"


@pytest.fixture
async def service() -> AsyncGenerator[Service]:
    known = Service("")

    def answer(posted: Posted) -> tuple[str, str]:
        known.posted.append(posted)
        return known.answer, known.says

    async with mail_service(answer) as port:
        known.url = f"http://{HOST}:{port}/mails"
        yield known


class TestHttp(MailerContract):
    """With the body that holds everything."""

    @pytest.fixture
    def mailer(self, service: Service) -> Mailer:
        self.service = service
        return HttpMailer(url=service.url)

    async def received(self, mailer: Mailer) -> Sequence[Mail]:
        return [Mail(**posted.json) for posted in self.service.posted]


async def test_a_service_is_told_everything_once(service: Service) -> None:
    await HttpMailer(url=service.url, token=SECRET_KEY, headers={"X-Stream": "auth"})(MAIL)
    (posted,) = service.posted
    assert Mail(**posted.json) == MAIL
    assert posted.path == "/mails"
    assert posted.headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert posted.headers["x-stream"] == "auth"
    assert posted.headers["idempotency-key"] == MAIL.id
    assert posted.headers["content-type"] == "application/json"


async def test_a_service_with_templates_of_its_own_gets_kind_address_and_parts_and_no_text(service: Service) -> None:
    await HttpMailer(url=service.url, body=for_templates)(MAIL)
    (posted,) = service.posted
    assert posted.json == {"kind": MAIL.kind, "to": MAIL.to, "parts": dict(MAIL.parts)}


async def test_a_body_of_one_s_own_is_posted_as_it_is(service: Service) -> None:
    def body(mail: Mail) -> object:
        return [{"Template": mail.kind.replace(".", "-"), "To": [{"Email": mail.to}]}]

    await HttpMailer(url=service.url, body=body, idempotency_header="X-Message")(MAIL)
    (posted,) = service.posted
    assert posted.json == [{"Template": "example-hello", "To": [{"Email": "ada@example.com"}]}]
    assert posted.headers["x-message"] == MAIL.id


@pytest.mark.parametrize("status", [400, 410, 413, 422])
async def test_an_answer_about_the_mail_gives_it_up(service: Service, status: int) -> None:
    service.answer = f"{status} No"
    with pytest.raises(Undeliverable, match=str(status)):
        await HttpMailer(url=service.url)(MAIL)


@pytest.mark.parametrize(
    "status", [301, 302, 307, 401, 402, 403, 404, 405, 407, 408, 409, 415, 425, 429, 500, 502, 503, 504]
)
async def test_any_other_answer_means_later(service: Service, status: int) -> None:
    service.answer = f"{status} Not now\r\nLocation: /elsewhere"
    with pytest.raises(NotSent, match=str(status)):
        await HttpMailer(url=service.url)(MAIL)
    assert [posted.path for posted in service.posted] == ["/mails"]  # nobody is sent elsewhere with a secret


async def test_what_a_service_says_and_the_secret_are_written_nowhere(service: Service) -> None:
    service.answer, service.says = "422 No", json.dumps({"error": f"bad link {MAIL.parts['url']}"})
    mailer = HttpMailer(url=service.url, token=SECRET_KEY, headers={"X-Api-Key": SECRET_KEY})
    with pytest.raises(Undeliverable) as refused:
        await mailer(MAIL)
    told = "".join(traceback.format_exception(refused.value)) + repr(mailer) + " ".join(mailer.problems())
    assert MAIL.parts["url"] not in told
    assert SECRET_KEY not in told


async def test_a_service_that_stalls_drips_or_is_not_there_means_later(service: Service) -> None:
    for answer in ("STALL", "DROP", "DRIP"):
        service.answer = answer
        with pytest.raises(NotSent):
            await HttpMailer(url=service.url, timeout=timedelta(seconds=0.3))(MAIL)
    with pytest.raises(NotSent, match="ConnectError"):
        await HttpMailer(url=f"http://{HOST}:1/mails")(MAIL)


async def test_a_certificate_is_looked_at() -> None:
    seen: list[Posted] = []

    def answer(posted: Posted) -> tuple[str, str]:
        seen.append(posted)
        return "200 OK", "{}"

    async with mail_service(answer, tls=certified()) as port:
        url = f"https://{HOST}:{port}/mails"
        with pytest.raises(NotSent):
            await HttpMailer(url=url, token=SECRET_KEY)(MAIL)
        assert seen == []
        await HttpMailer(url=url, token=SECRET_KEY, ssl_context=trusting())(MAIL)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"url": "api.example.com"}, "whole address"),
        ({"url": "ftp://api.example.com/x"}, "whole address"),
        ({"url": "http://api.example.com/mails"}, "use https"),
        ({"url": f"https://me:{SECRET_KEY}@api.example.com/mails"}, "written into logs"),
        ({"token": f"{SECRET_KEY}\n"}, "no header may hold"),
        ({"token": ""}, "no header may hold"),
        ({"headers": {"X-Api-Key": f"{SECRET_KEY}\r\nX: y"}}, "no header may hold"),
        ({"headers": {"X Key": SECRET_KEY}}, "cannot be set"),
        ({"headers": {"Authorization": SECRET_KEY}}, "cannot be set"),
        ({"idempotency_header": "a b"}, "no name of a header"),
        ({"timeout": timedelta(minutes=3)}, "at most a minute"),
        ({"ssl_context": ssl._create_unverified_context()}, "anybody's certificate"),  # noqa: S323  what is refused
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_start(settings: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"url": "https://api.example.com/mails", **settings}
    problems = HttpMailer(**given).problems()
    assert any(problem in sentence for sentence in problems)
    assert SECRET_KEY not in " ".join(problems)


def test_settings_that_can_be_meant_are_not() -> None:
    assert HttpMailer(url="https://api.example.com/mails", token=SECRET_KEY).problems() == ()
    assert HttpMailer(url="http://localhost:8025/mails").problems() == ()
