"""A mail as a message (RFC 5322): headers that nothing can be slipped into, and a body of text and HTML."""

import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from powauth.accounts import InvalidEmail, parse_email
from powauth.mail import Mail, Undeliverable

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
"""Control characters, separators of lines, halves of characters: where one stood in a subject, there is a space."""
MAILBOX = re.compile(r"(?P<name>[^<>]{0,200})<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s]+)")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # RFC 5646, as far as a header needs it
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_SUBJECT = 200  # characters; more is a mistake or an attack, and nobody reads it


def parse_mailbox(text: str) -> tuple[str, str]:
    """Return name and address of `Example <no-reply@example.com>` or a bare address. Raises `InvalidEmail`."""
    found = None if UNSEEN.search(text) else MAILBOX.fullmatch(text.strip())
    if found is None:
        raise InvalidEmail("write it as Example <no-reply@example.com>")
    name = (found["name"] or "").strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return name, parse_email(found["address"] or found["bare"])


def address_of(mail: Mail) -> str:
    """Return the address that a mail goes to, its domain in ASCII. Raises `Undeliverable` for what is none."""
    try:
        return parse_email(mail.to)
    except InvalidEmail as error:
        raise Undeliverable("this is no address that mail can be sent to") from error


def written(mail: Mail, *, to: str, sender: str, reply_to: str | None, now: datetime) -> bytes:
    """Return the message as it travels. Raises `Undeliverable` when it cannot be written down safely.

    The headers are written here and not by a parser of headers: those decode what looks encoded, and a subject may hold
    what somebody typed.
    """
    headers = (
        ("From", _mailbox(sender)),
        ("To", to),
        *((("Reply-To", _mailbox(reply_to)),) if reply_to else ()),
        ("Subject", _subject(mail.subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", _message_id(mail, sender)),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834 §5: no vacation notice answers it
        *((("Content-Language", mail.language),) if LANGUAGE.fullmatch(mail.language) else ()),
    )
    return b"".join(_lines(headers)) + _body(mail)


def is_ascii(*addresses: str) -> bool:
    """Say whether any server takes these addresses; others need SMTPUTF8 (RFC 6531)."""
    return all(address.isascii() for address in addresses)


def _lines(headers: Iterable[tuple[str, str]]) -> Iterable[bytes]:
    for name, value in headers:
        unfolded = re.sub(r"\r?\n[ \t]", " ", value)
        if UNSEEN.search(unfolded):  # the last gate: whatever made the value, no header begins inside it
            raise Undeliverable(f"{name} has a line break")
        yield f"{name}: {value}\r\n".encode()


def _mailbox(text: str) -> str:
    name, address = parse_mailbox(text)
    shown = name if name.isascii() and "=?" not in name else Header(name, "utf-8").encode(linesep="\r\n")
    if shown != name:
        return f"{shown} <{address}>"
    return f"{_quoted(name)} <{address}>" if name else address


def _quoted(name: str) -> str:
    return formataddr((name, "a@b")).removesuffix(" <a@b>")


def _subject(text: str) -> str:
    shown = UNSEEN.sub(" ", text).strip()[:MOST_SUBJECT]
    is_plain = shown.isascii() and "=?" not in shown  # what looks encoded is encoded once more, and read as it was
    return Header(shown, "us-ascii" if is_plain else "utf-8", header_name="Subject").encode(linesep="\r\n")


def _message_id(mail: Mail, sender: str) -> str:
    if not ID.fullmatch(mail.id):
        raise Undeliverable("its id fits into no Message-ID")
    return f"<{mail.id}@{parse_mailbox(sender)[1].rpartition('@')[2]}>"


def _body(mail: Mail) -> bytes:
    """Return the parts with their own headers: text alone where there is no HTML. Seven bits, lines of any length."""
    body = EmailMessage(policy=SMTP)
    body.set_content(_whole(mail.text), cte="quoted-printable")
    if mail.html:
        body.add_alternative(_whole(mail.html), subtype="html", cte="quoted-printable")
    return body.as_bytes()


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # half a character is no reason to lose a mail
