"""Every state of the theme, with made-up people: `python tests/look/preview.py` writes them into `.screenshots/`.

Serves nothing. The tests of the look render the same pages.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from powauth.jinja import JinjaTemplates
from powauth.messages import CORE_MESSAGES, Words
from powauth.templates import (
    AccountView,
    BannerView,
    ButtonsView,
    ButtonView,
    FieldView,
    FormView,
    LinkView,
    MailView,
    NoticeView,
    PageView,
)

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".screenshots"
MARKED = "Please look at the marked fields."
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

MESSAGES: Mapping[str, str] = {
    **CORE_MESSAGES,
    "manage_account.about": "About your account",
    "manage_account.since": "Member since",
    "manage_account.ways_in": "Other ways to sign in",
    "session_list.end.submit": "Sign out",
    "session_list.end_others.submit": "Sign out everywhere else",
    "session_list.devices.title": "Remembered devices",
    "session_list.devices.intro": "They come back without a password, until they are signed out or their time is over.",
    "session_list.devices.until": "Until",
    "remember_me.made": "Remembered",
    "remember_me.end.submit": "Forget",
    "reset_password.link.body": (
        "Hello Ada,\n\nsomebody asked for a new password for your account at Lovelace & Co. Choose one with the button "
        "below; the link works for two hours, and once.\n\nIf that was not you, there is nothing to do: your password "
        "stays as it is."
    ),
    "reset_password.link.button": "Choose a new password",
    "security_mails.password_changed.body": "The password of your account was changed on 24 Nov 2026 at 09:30 UTC.",
}

EMAIL = FieldView("email", "email", "Email address", required=True, autocomplete="username")
CURRENT = FieldView("current_password", "password", "Current password", required=True, autocomplete="current-password")
PASSWORD = FieldView("password", "password", "Password", required=True, autocomplete="current-password")
NEW_PASSWORD = FieldView(
    "password",
    "password",
    "Password",
    required=True,
    autocomplete="new-password",
    help="At least 8 characters. A few words that do not belong together make a good one.",
)
REMEMBER = FieldView("remember", "checkbox", "Stay signed in on this device", help="For 30 days. Not on a shared one.")
NAME = FieldView("name", "text", "Full name", required=True, max=80, autocomplete="name")

ADA = AccountView("ada@example.com", email="ada@example.com", username="ada")
NAVIGATION = (
    LinkView("Account", "/auth/account"),
    LinkView("Devices", "/auth/sessions"),
    LinkView("Invitations", "/auth/invitations"),
    LinkView("Sign out", "/auth/sign-out", post=True),
)

EVERY_KIND = (
    replace(EMAIL, value="ada@example.com"),
    FieldView("handle", "username", "User name", value="ada", help="Others see it. Letters, digits and signs."),
    NEW_PASSWORD,
    NAME,
    FieldView("about", "multiline", "About you", value="First line\nSecond line", max=500),
    FieldView("seats", "number", "Seats", value="4", required=True, least=1, greatest=50),
    FieldView("offset", "number", "Offset from Greenwich", least=-12, greatest=14),
    FieldView("code", "text", "Code from your app", required=True, autocomplete="one-time-code"),
    FieldView(
        "plan",
        "choice",
        "Plan",
        value="team",
        required=True,
        options=(("solo", "Just me"), ("team", "A team"), ("firm", "A company")),
    ),
    FieldView("country", "choice", "Country", options=tuple((c, c) for c in ("Austria", "Brazil", "Chad", "Denmark"))),
    FieldView("news", "checkbox", "Send me the newsletter", checked=True),
    FieldView("terms", "checkbox", "I accept the terms", required=True),
    FieldView("next", "hidden", "", value="/welcome"),
)


def with_errors(form: FormView) -> FormView:
    """Return a form that came back with every field marked."""
    bad = tuple(replace(f, errors=("Please fill this in.",)) if f.kind != "hidden" else f for f in form.fields)
    return replace(form, fields=bad)


def page(name: str, title: str, **more: Any) -> PageView:
    """Return a page of the example application, here without a router."""
    view = PageView(
        name,
        title,
        application="Lovelace & Co",
        now=NOW,
        words=Words(MESSAGES),
        asset="/assets/{}".format,
    )
    return replace(view, **more)


def session(number: int, device: str, **more: Any) -> dict[str, object]:
    """Return what the page of sessions is told about one of them."""
    return {
        "id": f"s{number}",
        "device": device,
        "client": "203.0.113.7",
        "created_at": NOW - timedelta(days=number),
        "seen_at": NOW - timedelta(minutes=number * number * 40),
        "is_current": False,
        "end_url": f"/auth/sessions/s{number}/end",
        "transport": "cookie",
        "marks": [],
        **more,
    }


def device(number: int, name: str, **more: Any) -> dict[str, object]:
    """Return what the page of sessions is told about a device that is remembered."""
    return {
        "id": f"d{number}",
        "device": name,
        "client": "203.0.113.7",
        "created_at": NOW - timedelta(days=number),
        "used_at": NOW - timedelta(hours=number),
        "ends_at": NOW + timedelta(days=30 - number),
        "is_current": False,
        "end_url": f"/auth/remembered/d{number}/end",
        "end_text": "remember_me.end.submit",
        **more,
    }


SIGN_IN = FormView("sign_in.new", "/auth/sign-in", "Sign in", fields=(EMAIL, PASSWORD, REMEMBER))
SIGN_IN_LINKS = (
    LinkView("Forgot your password?", "/auth/reset-password"),
    LinkView("Create an account", "/auth/sign-up"),
)
WITH_PROVIDERS = ButtonsView(
    "providers.start",
    fields=(REMEMBER,),
    buttons=tuple(ButtonView(f"Continue with {p}", f"/auth/providers/{p.lower()}", p) for p in ("GitHub", "Google")),
)
WAYS_IN = (
    ButtonsView("providers.start", buttons=(ButtonView("Connect GitHub", "/auth/providers/github", "github"),)),
    ButtonsView(
        "providers.disconnect",
        buttons=(ButtonView("Disconnect Google", "/auth/providers/google/disconnect", "google", danger=True),),
    ),
)
ORDER = FormView("order", "/order", "Send", fields=EVERY_KIND)
SIGN_UP = FormView("sign_up.new", "/auth/sign-up", "Create account", fields=(NAME, EMAIL, NEW_PASSWORD))
ACCOUNT_FORMS = (
    FormView(
        "manage_account.profile",
        "/auth/account/profile",
        "Save",
        title="Profile",
        fields=(replace(NAME, value="Ada Lovelace"), FieldView("city", "text", "City", max=80)),
    ),
    FormView(
        "manage_account.email",
        "/auth/account/email",
        "Change address",
        title="Email address",
        intro="We send a link to the new address; until it is opened, the old one stays.",
        fields=(
            replace(EMAIL, label="New email address", autocomplete="email"),
            CURRENT,
        ),
    ),
    FormView(
        "manage_account.username",
        "/auth/account/username",
        "Change user name",
        title="User name",
        fields=(FieldView("username", "username", "New user name", required=True, value="ada"),),
    ),
    FormView(
        "manage_account.password",
        "/auth/account/password",
        "Change password",
        title="Password",
        intro="Every other device is signed out.",
        fields=(
            CURRENT,
            replace(NEW_PASSWORD, name="new_password", label="New password"),
        ),
    ),
    FormView(
        "manage_account.close",
        "/auth/account/close",
        "Close account",
        danger=True,
        title="Close your account",
        intro="Your account and what belongs to it are deleted. This cannot be undone.",
        fields=(CURRENT,),
    ),
)


def pages() -> dict[str, PageView]:
    """Return a page for each state that the theme can be in."""
    sessions = [
        session(0, "Firefox on Linux", is_current=True, marks=["remember_me.made"]),
        session(1, "Safari on iPhone", client="2001:db8:0:17:1c9a:42ff:fe11:beef"),
        session(3, "Chrome on Windows", client="198.51.100.23"),
        session(8, "Backup tool", transport="bearer", client=""),
        session(40, ""),
    ]
    signed_in = {"account": ADA, "navigation": NAVIGATION}

    def at(number: int) -> dict[str, object]:
        links = tuple(replace(link, current=i == number) for i, link in enumerate(NAVIGATION))
        return {"account": ADA, "navigation": links}

    return {
        "sign_in": page("sign_in.new", "Sign in", forms=(SIGN_IN,), links=SIGN_IN_LINKS),
        "sign_in_refused": page(
            "sign_in.new",
            "Sign in",
            forms=(replace(SIGN_IN, fields=(replace(EMAIL, value="ada@example.com"), PASSWORD, REMEMBER)),),
            links=SIGN_IN_LINKS,
            error="These details do not match an account that can sign in.",
        ),
        "sign_in_providers": page(
            "sign_in.new", "Sign in", forms=(SIGN_IN,), buttons=(WITH_PROVIDERS,), links=SIGN_IN_LINKS
        ),
        "sign_in_notice": page(
            "sign_in.new",
            "Sign in",
            forms=(SIGN_IN,),
            links=SIGN_IN_LINKS,
            notices=(NoticeView("Your password is changed. Sign in with the new one.", "success"),),
        ),
        "sign_up": page(
            "sign_up.new",
            "Create your account",
            forms=(SIGN_UP,),
            intro="It takes a minute, and no credit card.",
            links=(LinkView("I have an account", "/auth/sign-in"),),
        ),
        "sign_up_errors": page(
            "sign_up.new",
            "Create your account",
            forms=(with_errors(SIGN_UP),),
            error=MARKED,
        ),
        "reset": page(
            "reset_password.reset",
            "Choose a new password",
            forms=(FormView("reset", "/auth/reset-password/x", "Save", fields=(NEW_PASSWORD,), username="ada"),),
        ),
        "code": page(
            "totp.prove",
            "One more step",
            intro="Enter the six digits that your authenticator shows.",
            forms=(FormView("code", "/auth/code", "Continue", fields=(EVERY_KIND[7],)),),
        ),
        "confirm": page(
            "email_confirmation.confirm",
            "Confirm your address",
            intro="With this you confirm that ada@example.com is yours.",
            forms=(FormView("confirm", "/auth/confirm-email/x", "Confirm address"),),
            links=(LinkView("That was not me", "/auth/confirm-email/cancel", post=True),),
        ),
        "not_found": page(
            "not_found",
            "That did not work",
            error="There is nothing here.",
            links=(LinkView("Sign in", "/auth/sign-in"),),
        ),
        "problem": page("problem.not_found", "There is nothing here."),
        "nameless": page("sign_in.new", "Sign in", forms=(SIGN_IN,), application=""),
        "every_kind": page("shop.order", "Every kind of field", forms=(ORDER,)),
        "every_kind_errors": page(
            "shop.order",
            "Every kind of field",
            forms=(with_errors(ORDER),),
            error=MARKED,
        ),
        "sessions": page(
            "session_list.sessions",
            "Where you are signed in",
            intro="Sign out a device that you do not know or no longer use, and then change your password.",
            data={
                "sessions": sessions,
                "devices": [device(2, "Firefox on Linux", is_current=True), device(9, "Safari on iPhone")],
                "end_others_url": "/auth/sessions/end-others",
            },
            notices=(NoticeView("Chrome on Windows is signed out."),),
            **at(1),
        ),
        "account": page(
            "manage_account.account",
            "Your account",
            forms=ACCOUNT_FORMS,
            buttons=WAYS_IN,
            data={"created_at": datetime(2024, 3, 5, 8, 12, tzinfo=UTC)},
            notices=(NoticeView("Your profile is saved.", "success"),),
            **at(0),
        ),
        "account_errors": page(
            "manage_account.account",
            "Your account",
            forms=tuple(with_errors(form) for form in ACCOUNT_FORMS),
            error=MARKED,
            notices=(NoticeView("Your address is not confirmed yet.", "warning"),),
            **at(0),
        ),
        "prove": page(
            "prove.new",
            "Please prove that it is you",
            intro="What you are about to do asks for your password again.",
            forms=(FormView("prove.prove", "/auth/prove", "Continue", fields=(PASSWORD,)),),
            **signed_in,
        ),
        "acting": page(
            "manage_account.account",
            "Your account",
            forms=ACCOUNT_FORMS[:2],
            data={"created_at": datetime(2024, 3, 5, 8, 12, tzinfo=UTC)},
            banner=BannerView("You act as augusta.ada.king.noel@example.com.", "/auth/impersonate/end", "Stop"),
            **at(0),
        ),
        "acting_problem": page(
            "problem.owner_only",
            "Only the owner of this account may do this. Stop acting as them first.",
            banner=BannerView("You act as somebody else.", "/auth/impersonate/end", "Stop"),
        ),
        "several": page("shop.settings", "Settings", forms=ACCOUNT_FORMS[1:3] + ACCOUNT_FORMS[4:], **at(2)),
    }


def mails() -> dict[str, MailView]:
    """Return a mail with a link and one without."""
    more: Any = {"application": "Lovelace & Co", "words": Words(MESSAGES)}
    url = "https://example.com/auth/reset-password/kq3v7m2x5n4b6c8d9f1g2h3j4k5l6m7n8p9q1r2s3t4u5v6w7x8y"
    return {
        "mail_link": MailView("reset_password.link", "Choose a new password", {"url": url}, **more),
        "mail_plain": MailView("security_mails.password_changed", "Your password was changed", {}, **more),
    }


def templates() -> JinjaTemplates:
    """Return the theme with the templates of the extensions that have some."""
    folders = sorted((ROOT / "src" / "powauth" / "extensions").glob("*/templates"))
    return JinjaTemplates().with_folders([(folder.parent.name, str(folder)) for folder in folders])


def output() -> Path:
    """Return the folder for what is to be looked at, which git ignores."""
    SCREENSHOTS.mkdir(exist_ok=True)
    (SCREENSHOTS / ".gitignore").write_text("*\n")
    return SCREENSHOTS


def main() -> None:
    """Write every page and mail, with the theme beside them."""
    jinja, folder = templates(), output()
    (folder / "assets").mkdir(exist_ok=True)
    for name in ("powauth.css", "powauth.js"):
        found = jinja.asset(name)
        if found:
            (folder / "assets" / name).write_bytes(found[0])
    for name, view in pages().items():
        (folder / f"{name}.html").write_text(jinja.page(replace(view, asset="assets/{}".format)))
    for name, mail in mails().items():
        text, html = jinja.mail(mail)
        (folder / f"{name}.txt").write_text(text)
        (folder / f"{name}.html").write_text(html)
    print(folder)


if __name__ == "__main__":
    main()
