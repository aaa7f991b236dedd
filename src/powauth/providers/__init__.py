"""Providers by name: values that know where a provider's doors are and what it calls things."""

from powauth.providers.apple import Apple
from powauth.providers.github import GitHub
from powauth.providers.google import Google

__all__ = ["Apple", "GitHub", "Google"]
