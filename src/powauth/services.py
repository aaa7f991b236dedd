"""Services: what is asked over a network. Whether they are on this machine, and whether they show who they are."""

import ssl
from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Say whether a host is written as this machine, so that nobody on a line can read along.

    >>> is_this_machine("127.0.0.1"), is_this_machine("localhost"), is_this_machine("example.com")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def certificate_problem(context: ssl.SSLContext | None) -> str | None:
    """Return what is wrong with a context of an application's own, in words, or `None`: it has to check who answers."""
    if context is None or (context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname):
        return None
    return "ssl_context: it takes anybody's certificate: load that of your authority instead"
