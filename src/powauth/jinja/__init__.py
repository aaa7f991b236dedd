"""The pages and their theme, made with Jinja; the application's templates come before ours."""

from powauth.jinja.templates import JinjaTemplates
from powauth.jinja.words import WORDS

__all__ = ["WORDS", "JinjaTemplates"]
