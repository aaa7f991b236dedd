"""The demo's own provider: a small OpenID Connect provider that lets anybody be whoever they like to be.

It is there so that signing in with a provider can be tried without an account elsewhere, and it proves nothing. It
knows one client, whose secret is made at each start, sends browsers back to one address, and answers this machine only.
"""

from powauth.demo.provider.client import PREFIX, Client, client_of
from powauth.demo.provider.serving import provider_app

__all__ = ["PREFIX", "Client", "client_of", "provider_app"]
