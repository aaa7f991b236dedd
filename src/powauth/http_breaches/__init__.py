"""The list of breached passwords that is asked over HTTP; needs `powauth[http]`."""

from powauth.http_breaches.lookup import PwnedPasswords

__all__ = ["PwnedPasswords"]
