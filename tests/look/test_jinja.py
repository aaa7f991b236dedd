"""What JinjaTemplates makes of pages and mails, read as HTML but without a browser."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from powauth.errors import ConfigurationError
from powauth.jinja import WORDS, JinjaTemplates
from powauth.jinja.eject import eject, eject_all, origin, originals, outdated
from powauth.messages import Words
from powauth.templates import AccountView, FieldView, FormView, LinkView, MailView, NoticeView, PageView, Templates
from tests.look import preview

HOSTILE = "</textarea></title><script>steal()</script>\" onfocus='steal()' autofocus {{ 7 * 7 }}"


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> Iterator[dict[str, str | None]]:
        return (a for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in wanted.items()))

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        (found,) = self.all(tag, **wanted)
        return found


def draw(view: PageView) -> Elements:
    return Elements(preview.templates().page(view))


def form_with(*fields: FieldView) -> PageView:
    return preview.page("shop.order", "Order", forms=(FormView("order", "/order", "Send", fields=fields),))


def say_hostile(code: str, /, **values: object) -> str:
    return HOSTILE


def say_hello(code: str, /, **values: object) -> str:
    return f"Hello {values.get('name')}"


# ---- escaping ----


def test_nothing_that_a_page_is_given_breaks_out() -> None:
    kinds = ("text", "multiline", "email", "username", "password", "number", "checkbox", "choice", "hidden")
    fields = [
        FieldView(
            f"{HOSTILE}{kind}",
            kind,
            HOSTILE,
            value=HOSTILE,
            errors=(HOSTILE, HOSTILE),
            help=HOSTILE,
            autocomplete=HOSTILE,
            options=((HOSTILE, HOSTILE),),
            required=required,
        )
        for kind in kinds
        for required in (False, True)
    ]
    form = FormView(
        HOSTILE, HOSTILE, HOSTILE, tuple(fields), errors=(HOSTILE,), title=HOSTILE, intro=HOSTILE, username=HOSTILE
    )
    view = preview.page(
        "shop.order",
        HOSTILE,
        intro=HOSTILE,
        forms=(form,),
        links=(LinkView(HOSTILE, HOSTILE), LinkView(HOSTILE, HOSTILE, post=True)),
        navigation=(LinkView(HOSTILE, HOSTILE, current=True), LinkView(HOSTILE, HOSTILE, post=True)),
        notices=(NoticeView(HOSTILE, HOSTILE),),
        error=HOSTILE,
        account=AccountView(HOSTILE, HOSTILE, HOSTILE),
        language=HOSTILE,
        application=HOSTILE,
        home=HOSTILE,
        words=say_hostile,
        asset=say_hostile,
        data={
            "sessions": [
                preview.session(
                    1, HOSTILE, id=HOSTILE, client=HOSTILE, end_url=HOSTILE, transport=HOSTILE, marks=[HOSTILE]
                )
            ]
            * 2,
            "devices": [preview.device(1, HOSTILE, id=HOSTILE, end_url=HOSTILE, end_text=HOSTILE)],
            "end_others_url": HOSTILE,
            "facts": [(HOSTILE, HOSTILE)],
            "created_at": preview.NOW,
        },
    )
    for name in ("shop.order", "session_list.sessions", "manage_account.account"):
        page = draw(replace(view, name=name))
        assert list(page.all("script")) == [{"src": HOSTILE, "defer": None}]
        assert not any(attribute.startswith("on") for _, attributes in page.elements for attribute in attributes)
        assert "49" not in page.text


def test_nothing_that_a_mail_is_given_breaks_out() -> None:
    mail = MailView("x.y", HOSTILE, {"url": HOSTILE, "name": HOSTILE}, HOSTILE, HOSTILE, say_hostile)
    html = Elements(preview.templates().mail(mail)[1])
    assert not list(html.all("script"))
    assert not any(attribute.startswith("on") for _, attributes in html.elements for attribute in attributes)


@pytest.mark.parametrize("name", preview.pages())
def test_a_strict_content_security_policy_forbids_nothing_of_a_page(name: str) -> None:
    html = preview.templates().page(preview.pages()[name])
    page = Elements(html)
    assert not list(page.all("style"))
    assert all(a.get("src") for a in page.all("script"))
    for _, attributes in page.elements:
        assert "style" not in attributes
        assert not any(attribute.startswith("on") for attribute in attributes)
        assert "javascript:" not in "".join(value or "" for value in attributes.values())


# ---- fields ----


def test_a_password_is_never_echoed() -> None:
    html = preview.templates().page(form_with(FieldView("password", "password", "Password", value="correct horse")))
    assert "correct horse" not in html
    assert "value" not in Elements(html).one("input", type="password")


def test_a_password_is_not_cut_short_by_the_browser() -> None:
    page = draw(form_with(FieldView("password", "password", "Password", max=4096)))
    assert "maxlength" not in page.one("input", type="password")


def test_every_kind_of_field_has_its_control() -> None:
    page = draw(preview.pages()["every_kind"])
    assert page.one("input", name="email")["type"] == "email"
    assert page.one("input", name="email")["value"] == "ada@example.com"
    assert page.one("input", name="handle")["autocomplete"] == "username"
    assert page.one("input", name="password")["autocomplete"] == "new-password"
    assert page.one("input", name="name")["maxlength"] == "80"
    assert page.one("textarea", name="about")["maxlength"] == "500"
    assert "First line\nSecond line" in page.text
    assert page.one("input", name="seats")["inputmode"] == "numeric"
    assert "inputmode" not in page.one("input", name="offset")
    assert page.one("input", name="code")["inputmode"] == "numeric"
    assert [a["value"] for a in page.all("input", type="radio")] == ["solo", "team", "firm"]
    assert "checked" in page.one("input", type="radio", value="team")
    assert page.one("select", name="country")
    assert "checked" in page.one("input", name="news")
    assert "required" in page.one("input", name="terms")
    assert page.one("input", name="next") == {"type": "hidden", "name": "next", "value": "/welcome"}


@pytest.mark.parametrize("name", preview.pages())
def test_every_control_has_a_label_and_everything_that_is_referred_to_exists(name: str) -> None:
    page = draw(preview.pages()[name])
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = {a["for"] for a in page.all("label")}
    for tag, attributes in page.elements:
        shown = attributes.get("type") != "hidden" and "hidden" not in attributes
        if tag in {"input", "select", "textarea"} and shown:
            assert attributes["id"] in labelled
        for id_ in (attributes.get("aria-describedby") or "").split():
            assert id_ in ids


def test_a_bad_field_is_marked_described_and_focused() -> None:
    page = draw(form_with(FieldView("a", "text", "A"), FieldView("b", "text", "B", errors=("Too odd.",), help="Odd?")))
    bad = page.one("input", name="b")
    assert bad["aria-invalid"] == "true"
    assert bad["aria-describedby"] == "order-b-error order-b-help"
    assert [a.get("name") for _, a in page.elements if "autofocus" in a] == ["b"]


@pytest.mark.parametrize("name", preview.pages())
def test_at_most_one_thing_has_the_focus(name: str) -> None:
    page = draw(preview.pages()[name])
    assert sum("autofocus" in attributes for _, attributes in page.elements) <= 1


def test_after_a_refusal_the_empty_password_has_the_focus_and_says_why() -> None:
    password = draw(preview.pages()["sign_in_refused"]).one("input", name="password")
    assert "autofocus" in password
    assert password["aria-describedby"] == "problem"


def test_where_several_forms_ask_nothing_has_the_focus() -> None:
    forms = (FormView("a", "/a", "A", fields=(preview.NAME,)), FormView("b", "/b", "B", fields=(preview.NAME,)))
    page = draw(preview.page("shop.order", "Order", forms=forms))
    assert not any("autofocus" in attributes for _, attributes in page.elements)


def test_signing_out_stands_last_in_the_navigation() -> None:
    page = draw(replace(preview.pages()["account"], navigation=preview.NAVIGATION[::-1]))
    assert page.text.index("Account") < page.text.index("Sign out")


def test_an_error_without_a_field_has_the_focus_itself() -> None:
    assert "autofocus" in draw(preview.pages()["not_found"]).one("div", role="alert")


def test_two_bad_fields_are_listed_with_links() -> None:
    page = draw(preview.pages()["sign_up_errors"])
    links = [a["href"] for a in page.all("a") if (a["href"] or "").startswith("#")]
    assert links == ["#content", "#sign_up-new-name", "#sign_up-new-email", "#sign_up-new-password"]


def test_a_password_manager_learns_whose_password_it_is() -> None:
    owner = draw(preview.pages()["prove"]).one("input", autocomplete="username")
    assert owner["value"] == "ada@example.com"
    assert "name" not in owner  # so it is not sent
    assert draw(preview.pages()["reset"]).one("input", autocomplete="username")["value"] == "ada"


def test_the_title_names_page_and_application() -> None:
    assert "Sign in · Lovelace & Co" in draw(preview.pages()["sign_in"]).text
    assert "·" not in draw(preview.pages()["nameless"]).text


def test_a_language_that_runs_from_right_to_left_says_so() -> None:
    assert draw(replace(preview.pages()["sign_in"], language="ar")).one("html") == {"lang": "ar", "dir": "rtl"}
    assert draw(preview.pages()["sign_in"]).one("html") == {"lang": "en"}


# ---- sessions and account ----


def test_sessions_say_which_is_this_one_and_each_can_be_ended() -> None:
    page = draw(preview.pages()["sessions"])
    assert page.text.count("This device") == 2  # where one is signed in, and what is remembered of it
    assert [line.strip() for line in page.text.splitlines()].count("Sign out") == 6  # five devices, and the navigation
    actions = [a["action"] for a in page.all("form")]
    assert actions[-1] == "/auth/sessions/end-others"
    assert "/auth/sessions/s3/end" in actions
    assert "/auth/remembered/d9/end" in actions
    assert "Unknown device" in page.text


def test_with_one_session_there_is_nothing_else_to_sign_out_of() -> None:
    mine = preview.device(0, "Firefox", is_current=True)
    data = sessions_data(preview.session(0, "Firefox", is_current=True), devices=[mine])
    page = draw(preview.page("session_list.sessions", "Devices", data=data))
    assert "/end-others" not in [a["action"] for a in page.all("form")]


def test_with_another_device_that_is_remembered_there_is_something_to_sign_out_of() -> None:
    data = sessions_data(preview.session(0, "Firefox", is_current=True), devices=[preview.device(1, "Safari")])
    page = draw(preview.page("session_list.sessions", "Devices", data=data))
    assert "/end-others" in [a["action"] for a in page.all("form")]


def sessions_data(session: dict[str, object], *, devices: list[dict[str, object]] | None = None) -> dict[str, object]:
    return {"sessions": [session], "devices": devices or [], "end_others_url": "/end-others"}


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=24), "yesterday"),
        (timedelta(hours=48), "2 days ago"),
        (timedelta(days=30), "30 days ago"),
        (timedelta(days=31), "24 Oct 2026, 09:30 UTC"),
    ],
)
def test_how_long_ago_is_said_in_words(since: timedelta, words: str) -> None:
    session = preview.session(0, "Firefox", seen_at=preview.NOW - since, created_at=datetime(2000, 1, 1, tzinfo=UTC))
    page = draw(preview.page("session_list.sessions", "Devices", data=sessions_data(session)))
    assert f"Last seen {words}" in page.text


def test_an_application_replaces_the_themes_words_by_code() -> None:
    words = Words({**preview.MESSAGES, "theme.show": "Zeigen"})
    assert (
        draw(replace(preview.pages()["sign_in"], words=words)).one("div", **{"class": "secret"})["data-show"]
        == "Zeigen"
    )


def test_the_themes_words_are_all_used_somewhere() -> None:
    folder = Path(preview.ROOT / "src" / "powauth" / "jinja")
    text = "".join(path.read_text() for path in [folder / "helpers.py", *preview.ROOT.glob("src/powauth/**/*.html")])
    assert set(re.findall(r"words\(\s*[\"']theme\.(\w+)", text)) == set(WORDS)


# ---- where templates come from ----


def test_an_application_changes_a_page_and_can_extend_ours(tmp_path: Path) -> None:
    (tmp_path / "sign_in").mkdir()
    (tmp_path / "sign_in" / "new.html").write_text("{% extends 'powauth/page.html' %}{% block title %}Hi{% endblock %}")
    html = JinjaTemplates(tmp_path).page(preview.pages()["sign_in"])
    assert "<title>Hi</title>" in html
    assert 'name="password"' in html


def test_an_application_changes_the_layout_of_every_page(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("Mine: {% block content %}{% endblock %}")
    assert JinjaTemplates(str(tmp_path)).page(preview.pages()["sign_in"]).startswith("Mine: ")


def test_an_extension_brings_a_page_and_the_application_comes_first(tmp_path: Path) -> None:
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    theirs.mkdir()
    (theirs / "order.html").write_text("theirs")
    (mine / "shop").mkdir(parents=True)
    view = PageView("shop.order", "Order")
    templates: Templates = JinjaTemplates(mine).with_folders([("shop", str(theirs))])
    assert templates.page(view) == "theirs"
    (mine / "shop" / "order.html").write_text("mine")
    assert JinjaTemplates(mine).with_folders([("shop", str(theirs))]).page(view) == "mine"


def test_a_page_of_an_extension_hides_no_page_of_another(tmp_path: Path) -> None:
    (tmp_path / "order.html").write_text("shop's")
    templates = JinjaTemplates().with_folders([("shop", str(tmp_path))])
    assert templates.page(PageView("other.order", "Order")) != "shop's"


def test_a_page_and_a_mail_of_one_name_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "link.html").write_text("page")
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "link.html").write_text("mail")
    templates = JinjaTemplates().with_folders([("shop", str(tmp_path))])
    assert templates.page(PageView("shop.link", "")) == "page"
    assert templates.mail(MailView("shop.link", "", {}))[1] == "mail"


def test_an_unknown_variable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ wiev.title }}")
    with pytest.raises(jinja2.UndefinedError):
        JinjaTemplates(tmp_path).page(PageView("sign_in.new", "Sign in"))


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        JinjaTemplates(tmp_path / "missing")


def test_equal_templates_are_equal_and_hashable() -> None:
    assert JinjaTemplates() == JinjaTemplates()
    assert hash(JinjaTemplates().with_folders([("a", "/b")])) == hash(JinjaTemplates(None, (("a", "/b"),)))


def test_what_an_application_adds_to_the_environment_reaches_every_template(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ view.title | shout }}")
    templates = JinjaTemplates(tmp_path)
    filters: dict[str, Callable[[str], str]] = {"shout": str.upper}
    templates.environment.filters.update(filters)
    extended = templates.with_folders([("shop", str(tmp_path))])
    assert extended.page(PageView("sign_in.new", "Sign in")) == "SIGN IN"
    assert templates.with_folders([("shop", str(tmp_path))]) is extended


def test_a_page_without_words_still_draws() -> None:
    assert "Show password" in JinjaTemplates().page(form_with(FieldView("password", "password", "Password")))


# ---- files of the theme ----


def test_the_themes_files_are_served_with_their_type_and_version() -> None:
    templates = JinjaTemplates()
    css, script = templates.asset("powauth.css"), templates.asset("powauth.js")
    assert css is not None
    assert script is not None
    assert css[1] == "text/css; charset=utf-8"
    assert script[1] == "text/javascript; charset=utf-8"
    assert re.fullmatch("[0-9a-f]{16}", templates.asset_version("powauth.css"))


@pytest.mark.parametrize(
    "name", ["", "..", "../templates.py", "/etc/passwd", "a/b.css", ".env", "missing.css", "x\0.css"]
)
def test_only_the_files_of_the_static_folder_are_served(name: str) -> None:
    assert JinjaTemplates().asset(name) is None
    assert JinjaTemplates().asset_version(name) == ""


def test_an_application_adds_a_style_sheet_and_a_logo(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "theme.css").write_text(":root { --powauth-accent: red }")
    (tmp_path / "static" / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    templates = JinjaTemplates(tmp_path)
    page = Elements(templates.page(preview.pages()["sign_in"]))
    assert [a["href"] for a in page.all("link")] == ["/assets/powauth.css", "/assets/theme.css"]
    assert page.one("img") == {"class": "logo", "src": "/assets/logo.svg", "alt": ""}
    before = templates.asset_version("theme.css")
    (tmp_path / "static" / "theme.css").write_text(":root { --powauth-accent: blue; }")
    assert templates.asset_version("theme.css") != before


# ---- mails ----


def test_a_mail_is_made_of_its_words_with_button_and_plain_address() -> None:
    mail = preview.mails()["mail_link"]
    text, html = preview.templates().mail(mail)
    assert text.startswith("Hello Ada,\n\nsomebody asked")
    assert text.endswith(f"\n\nChoose a new password:\n{mail.parts['url']}\n\nLovelace & Co\n")
    assert [a["href"] for a in Elements(html).all("a")] == [mail.parts["url"]] * 2
    assert "Choose a new password" in html


def test_a_mail_without_an_address_has_no_button() -> None:
    text, html = preview.templates().mail(preview.mails()["mail_plain"])
    assert text == "The password of your account was changed on 24 Nov 2026 at 09:30 UTC.\n\nLovelace & Co\n"
    assert not list(Elements(html).all("a"))


def test_the_text_of_a_mail_is_not_escaped() -> None:
    mail = MailView("x.y", "Hi", {"name": "O'Neil & <Co>"}, words=say_hello)
    assert JinjaTemplates().mail(mail)[0] == "Hello O'Neil & <Co>\n"


# ---- for pages of the application's own ----


def test_an_application_gets_a_button_to_sign_out() -> None:
    environment = jinja2.Environment(autoescape=True)
    JinjaTemplates().extend(environment)
    html = environment.from_string("{{ sign_out_button('/auth/sign-out?a&b', '<Bye>') }}").render()
    assert (
        html == '<form method="post" action="/auth/sign-out?a&amp;b"><button type="submit">&lt;Bye&gt;</button></form>'
    )


# ---- ejecting ----


def test_an_ejected_page_draws_the_same_as_ours(tmp_path: Path) -> None:
    ours = preview.templates()
    for done in eject_all(originals(ours.folders, pages=["sign_in.new"], mails=["reset_password.link"]), tmp_path):
        assert done.is_new
    mine = JinjaTemplates(tmp_path).with_folders(ours.folders)
    for view in preview.pages().values():
        assert mine.page(view) == ours.page(view)
    for mail in preview.mails().values():
        assert mine.mail(mail) == ours.mail(mail)


def test_what_can_be_ejected_is_listed_by_name() -> None:
    names = [original.name for original in originals(preview.templates().folders, pages=["sign_in.new"], mails=["x.y"])]
    assert {"layout.html", "page.html", "session_list/sessions.html", "static/powauth.css"} <= set(names)
    assert {"sign_in/new.html", "x/mails/y.txt", "x/mails/y.html"} <= set(names)


def test_a_changed_copy_is_only_overwritten_by_force(tmp_path: Path) -> None:
    (page,) = (original for original in originals() if original.name == "page.html")
    eject(page, tmp_path).path.write_text("mine")
    assert not eject(page, tmp_path).is_new
    assert (tmp_path / "page.html").read_text() == "mine"
    assert eject(page, tmp_path, force=True).is_new
    assert (tmp_path / "page.html").read_text() != "mine"


def test_a_copy_remembers_what_it_was_made_from(tmp_path: Path) -> None:
    all_ = originals()
    eject_all(all_, tmp_path)
    (page,) = (original for original in all_ if original.name == "page.html")
    made = origin(tmp_path / "page.html")
    assert made is not None
    assert (made.name, made.digest) == ("page.html", page.digest)
    assert outdated(all_, tmp_path) == ()
    copy = tmp_path / "page.html"
    copy.write_text(copy.read_text().replace(page.digest, "0" * 16))
    assert [original.name for original, _ in outdated(all_, tmp_path)] == ["page.html"]
    copy.write_text("written by hand")
    assert outdated(all_, tmp_path) == ()
