"""Pages, errors, notices and mails in the language of whoever reads them."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import (
    Context,
    Extension,
    FormPage,
    Mail,
    Manifest,
    NewAccount,
    NoForm,
    Outcome,
    Request,
    Shown,
    Tenant,
    TenantsByHost,
    sign_up,
)
from powauth.extensions.sign_in import SignIn
from powauth.outbox import OutboxRecord
from powauth.testing import Site
from tests.house import PASSWORD, House, house
from tests.house import sign_up as join

pytestmark = pytest.mark.anyio

GERMAN, FRENCH, DUTCH = ({"accept-language": header} for header in ("de-AT,de;q=0.9,en;q=0.5", "fr-CH, fr", "nl"))


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        yield opened


class Slow:
    """A mailer that has not come to its mails yet."""

    async def __call__(self, mail: Mail) -> None:
        raise ConnectionError


def reading(site: Site, headers: dict[str, str]) -> Site:
    """Let a browser send these headers with every request."""
    site.headers |= headers
    return site


async def test_the_sign_in_page_is_german_for_who_reads_german(home: House) -> None:
    answer = await home.site().get("/sign-in", headers=GERMAN)
    assert '<html lang="de">' in answer.text
    for words in ("<h1>Anmelden</h1>", "E-Mail-Adresse", "Passwort", "Zum Inhalt springen", "Konto erstellen"):
        assert words in answer.text
    assert answer.header("content-language") == "de"
    assert "Accept-Language" in " ".join(value for name, value in answer.headers if name == "vary")


async def test_whoever_asks_for_nothing_gets_english(home: House) -> None:
    for headers in ({}, DUTCH, {"accept-language": "§;q=q"}):
        answer = await home.site().get("/sign-in", headers=headers)
        assert '<html lang="en">' in answer.text
        assert answer.header("content-language") == "en"


async def test_wrong_fields_are_told_in_german_on_a_page_and_to_programs(home: House) -> None:
    page = await reading(home.site(), GERMAN).post("/sign-up", email="ada", password="short")
    assert page.status == 422
    assert "Bitte geben Sie eine E-Mail-Adresse ein" in page.text
    assert "Ein Passwort braucht mindestens 8 Zeichen." in page.text
    assert "Bitte sehen Sie sich die markierten Felder an." in page.text
    problem = await reading(home.site().program(), GERMAN).post("/sign-up", email="ada", password="short")
    assert problem.json["title"] == "Bitte sehen Sie sich die markierten Felder an."
    assert problem.json["errors"]["password"] == [
        {"code": "password_too_short", "message": "Ein Passwort braucht mindestens 8 Zeichen."}
    ]
    assert problem.header("content-language") == "de"


async def test_an_error_that_no_page_answers_is_told_in_french(home: House) -> None:
    site = reading(home.site(), FRENCH)
    assert "Il n’y a rien ici." in (await site.get("/nothing")).text
    assert (await reading(site.program(), FRENCH).get("/nothing")).json["title"] == "Il n’y a rien ici."
    wrong = await reading(home.site().program(), FRENCH).post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert wrong.json["title"].startswith("Ces informations ne correspondent")


async def test_too_many_attempts_are_told_in_german(home: House) -> None:
    program = reading(home.site().program(), GERMAN)
    answer = await program.post("/sign-in", email="ada@example.com", password="wrong wrong wrong")
    while answer.status != 429:
        answer = await program.post("/sign-in", email="ada@example.com", password="wrong wrong wrong")
    assert answer.json["title"].startswith("Zu viele Versuche. Bitte versuchen Sie es in ")


async def test_a_notice_is_read_in_the_language_of_the_page_that_shows_it(home: House) -> None:
    site = reading(home.site(), GERMAN)
    await join(site)
    await site.post("/account/profile")
    await site.post("/account/password", current_password=PASSWORD, new_password="five loud yellow cats")
    answer = await site.get("/account", headers=FRENCH)
    assert "Votre mot de passe est modifié." in answer.text
    assert "Konto" not in answer.text


async def test_devices_and_times_are_told_in_german(home: House) -> None:
    site = reading(home.site(), GERMAN)
    await join(site)
    home.clock.move(timedelta(minutes=5))
    text = (await site.get("/sessions")).text
    for words in (
        "Firefox unter Linux",
        "Dieses Gerät",
        "Überall sonst abmelden" if "end-others" in text else "Geräte",
    ):
        assert words in text


async def test_a_french_request_causes_a_french_mail(home: House) -> None:
    await join(reading(home.site(), FRENCH))
    mail = home.site().mail
    assert (mail.subject, mail.language) == ("Bienvenue sur Example", "fr")
    assert "Vous vous connectez en tant que ada@example.com." in mail.text
    assert '<html lang="fr">' in mail.html


async def test_the_outbox_keeps_the_language_until_the_mail_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path, mailer=Slow()) as home:
        await join(reading(home.site(), FRENCH))
        async with home.auth.begin() as ctx:
            assert [row.language for row in await ctx.records(OutboxRecord).find()] == ["fr"]


async def test_a_mail_in_a_language_that_is_offered_no_more_is_sent_in_the_default_one(home: House) -> None:
    async with home.auth.begin() as ctx:
        await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
        row = (await ctx.records(OutboxRecord).find())[0]
        await ctx.records(OutboxRecord).update(row, language="nl")
    await home.site().deliver()
    assert (home.site().mail.subject, home.site().mail.language) == ("Welcome to Example", "en")


async def test_an_application_chooses_what_it_offers_and_its_default(tmp_path: Path) -> None:
    async with house(tmp_path, languages=("de", "en"), language="de") as home:
        assert '<html lang="de">' in (await home.site().get("/sign-in")).text
        assert '<html lang="de">' in (await home.site().get("/sign-in", headers=FRENCH)).text
        assert '<html lang="en">' in (await home.site().get("/sign-in", headers={"accept-language": "en"})).text


async def test_the_applications_own_words_are_in_its_default_language(tmp_path: Path) -> None:
    own = {"sign_in.new.title": "Hereinspaziert"}
    async with house(tmp_path, language="de", messages=own) as home:
        assert "<h1>Hereinspaziert</h1>" in (await home.site().get("/sign-in")).text
        assert "<h1>Sign in</h1>" in (await home.site().get("/sign-in", headers={"accept-language": "en"})).text


async def test_a_tenant_has_a_default_of_its_own(tmp_path: Path) -> None:
    by_host = TenantsByHost(
        {
            "red.example": Tenant("red", "https://red.example/auth", language="fr"),
            "blue.example": Tenant("blue", "https://blue.example/auth"),
        }
    )
    async with house(tmp_path, tenant=by_host) as home:
        site = home.site()
        for host, language in (("red.example", "fr"), ("blue.example", "en"), ("white.example", "en")):
            assert f'<html lang="{language}">' in (await site.get("/sign-in", headers={"host": host})).text
        german = await site.get("/sign-in", headers={"host": "red.example", **GERMAN})
        assert '<html lang="de">' in german.text
        red = next(tenant for tenant in by_host.all() if tenant.id == "red")
        async with home.auth.begin(tenant=red) as ctx:  # no request began this
            await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
        await site.deliver()
        assert site.mail.subject == "Bienvenue sur Example"


async def greet(request: Request[NoForm], ctx: Context) -> Outcome:
    return Shown(data={"language": request.language, "says": ctx.words("greeting.hello")})


class Greeting(Extension):
    name = "greeting"

    def manifest(self) -> Manifest:
        page = FormPage(name="new", path="/greeting", form=NoForm, show=greet, submit=greet)
        return Manifest(routes=(page,), messages={"new.title": "Greeting", "new.submit": "Go", "hello": "Hello"})


async def test_a_handler_is_told_the_language_and_has_its_words(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(SignIn(), Greeting())) as home:
        answer = await home.site().program().get("/greeting", headers=GERMAN)
        assert answer.json == {"language": "de", "says": "Hello"}


async def test_whatever_is_sent_is_no_error(home: House) -> None:
    for header in ("\x7f", "a" * 70_000, "de;" * 5000, "*" * 100, "de;q=0." + "9" * 5000, "ÿ"):
        assert (await home.site().get("/sign-in", headers={"accept-language": header})).status == 200
