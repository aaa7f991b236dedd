"""The mailer that posts mails to a service over HTTP; needs `powauth[http]`."""

from powauth.http_mail.bodies import for_templates, whole
from powauth.http_mail.mailer import HttpMailer

__all__ = ["HttpMailer", "for_templates", "whole"]
