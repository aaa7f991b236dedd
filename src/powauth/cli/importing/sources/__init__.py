"""The systems that people move from, a module each."""

from powauth.cli.importing.source import Source
from powauth.cli.importing.sources import coherence, devise, django, fastapi_users, flask_security, given
from powauth.cli.importing.sources import pow as pow_

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        coherence.SOURCE,
        devise.SOURCE,
        pow_.SOURCE,
        django.SOURCE,
        fastapi_users.SOURCE,
        flask_security.SOURCE,
        given.CSV,
        given.JSON,
    )
}
"""By the name that `powauth import` knows them by."""
