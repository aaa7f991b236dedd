"""The demo's own provider: a small OpenID Connect provider that lets anybody be whoever they like to be.

It is there so that signing in with a provider can be tried without an account elsewhere, and it proves nothing. It
knows one client, whose secret is made at each start, sends browsers back to one address, and answers this machine only.
"""

from powauth.demo.provider.client import Client, client_of
from powauth.demo.provider.pages import provider_app

__all__ = ["Client", "client_of", "provider_app"]
