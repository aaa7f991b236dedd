"""Powauth's own catalogues: `python -m tests.catalogues` brings them up to date with the codes, and compiles them."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations
from pathlib import Path

import powauth.demo
import powauth.extensions
from powauth import Extension, catalogues
from powauth.catalogues import compiled, source
from powauth.cli.catalogues import compile_, extract, opened, text_of
from powauth.demo.app import MESSAGES
from powauth.languages import Languages
from powauth.messages import CORE_MESSAGES

TRANSLATED = ("de", "fr")
DEMO = Path(powauth.demo.__file__).parent / "locale"


def shipped() -> Iterator[Extension]:
    """Give every extension that ships, as it is without settings."""
    for found in pkgutil.iter_modules(powauth.extensions.__path__):
        module = importlib.import_module(f"powauth.extensions.{found.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Extension) and kind.__module__.startswith(module.__name__) and kind.name:
                yield kind()


def english() -> Mapping[str, str]:
    """Return the English words of everything that ships."""
    brought = {f"{e.name}.{code}": text for e in shipped() for code, text in e.manifest().messages.items()}
    return {**CORE_MESSAGES, **brought}


def houses() -> Mapping[Path, Languages]:
    """Return whose words are kept in which folder: the package's own, and those of the demo."""
    return {
        catalogues.OURS: Languages(english=english(), folders=(catalogues.OURS,)),
        DEMO: Languages(english=MESSAGES, folders=(DEMO,)),
    }


def written(folder: Path, language: str) -> Mapping[str, str]:
    """Return what translators wrote, without what they are not sure of."""
    catalog = opened(source(folder, language), language)
    return {
        str(message.id): str(message.string)
        for message in catalog
        if message.id and message.string and not message.fuzzy
    }


def read(folder: Path, language: str) -> Mapping[str, str]:
    """Return what gettext reads, all of it."""
    path = compiled(folder, language)
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        found: Mapping[str, str] = vars(GNUTranslations(file))["_catalog"]
    return {code: text for code, text in found.items() if code}


def write(folder: Path, language: str, words: Mapping[str, str]) -> Path:
    """Make a catalogue of somebody else's, and return its folder."""
    path = source(folder, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = opened(path, language)
    for code, text in words.items():
        catalog.add(code, text)
    path.write_bytes(text_of(catalog, language))
    compile_(path, language)
    return folder


def main() -> int:
    """Bring every catalogue up to date; say what is still without words, and exit with 1 if anything is."""
    missing = 0
    for folder, languages in houses().items():
        for language in TRANSLATED:
            row = extract(languages, folder, language)
            if written(folder, language) != read(folder, language):  # it holds the version of what wrote it
                compile_(source(folder, language), language)
            print(row)
            missing += len(languages.gaps(language))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
