"""Catalogues as translators edit them: every code of an application, with the English words beside it."""

from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from powauth import catalogues
from powauth.catalogues import DOMAIN, source
from powauth.cli.output import Row
from powauth.languages import Languages

WIDTH = 100
COMMENT = "# The words of a language, by code. What is left empty is said by another catalogue, or in English."
HEAD = """{comment}
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def extract(languages: Languages, folder: Path, language: str) -> Row:
    """Write the catalogue of a language into a folder, or bring it up to date; say what is in it."""
    path = source(folder, language)
    catalog = opened(path, language)
    before = {message.id: said(message) for message in catalog}
    catalog.update(_template(languages), no_fuzzy_matching=True, update_creation_date=False)
    for message in catalog:
        if message.string and before.get(message.id) not in {None, "", said(message)}:
            message.flags.add("fuzzy")  # it translates other English words than those of now
    path.parent.mkdir(parents=True, exist_ok=True)
    written = text_of(catalog, language)
    if not path.is_file() or path.read_bytes() != written:
        path.write_bytes(written)
    others = {
        code for known in languages.folders if not _same(known, folder) for code in _read(known, languages, language)
    }
    empty = [str(message.id) for message in catalog if message.id and not message.string]
    return {
        "path": str(path),
        "codes": len(languages.codes),
        "missing": sum(code not in others for code in empty),
        "unsure": sum(message.fuzzy for message in catalog if message.id),
        "obsolete": len(catalog.obsolete),
    }


def said(message: Message) -> str:
    """Return the English words that stand above a translation, however they were wrapped."""
    return " ".join(" ".join(message.auto_comments).split())


def compile_(path: Path, language: str) -> None:
    """Write beside a catalogue what gettext reads."""
    buffer = BytesIO()
    write_mo(buffer, opened(path, language))
    path.with_suffix(".mo").write_bytes(buffer.getvalue())


def opened(path: Path, language: str) -> Catalog:
    """Return what a catalogue holds, or an empty one."""
    tag = language.replace("-", "_")
    if not path.is_file():
        return Catalog(locale=tag, domain=DOMAIN, header_comment=COMMENT, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=tag, domain=DOMAIN)


def text_of(catalog: Catalog, language: str) -> bytes:
    """Return a catalogue as its file has it. What changes with every run, such as a date, is left out."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=WIDTH, no_location=True, omit_header=True)
    head = HEAD.format(comment=catalog.header_comment.strip(), language=language.replace("-", "_"))
    return head.encode() + buffer.getvalue()


def _template(languages: Languages) -> Catalog:
    template = Catalog()
    english = {**languages.own, **languages.english}
    for code in languages.codes:
        template.add(code, auto_comments=english[code].split("\n"))
    return template


def _read(folder: Path, languages: Languages, language: str) -> dict[str, str]:
    return catalogues.read(folder, language, languages.codes)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
