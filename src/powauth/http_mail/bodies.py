"""What a service is told of a mail. A `body` is any function of a `Mail` that returns what can be written as JSON."""

from powauth.mail import Mail


def whole(mail: Mail) -> dict[str, object]:
    """Return all of a mail: for a service that sends what it is given."""
    return {
        "id": mail.id,
        "kind": mail.kind,
        "to": mail.to,
        "language": mail.language,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "parts": dict(mail.parts),
    }


def for_templates(mail: Mail) -> dict[str, object]:
    """Return kind, address and parts, and no text: for a service with templates of its own."""
    return {"kind": mail.kind, "to": mail.to, "parts": dict(mail.parts)}
