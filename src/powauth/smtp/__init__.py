"""The mailer that speaks SMTP to a mail server; needs `powauth[smtp]`."""

from powauth.smtp.mailer import SMTPMailer

__all__ = ["SMTPMailer"]
