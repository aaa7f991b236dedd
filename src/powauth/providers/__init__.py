"""Providers by name: values that know where a provider's doors are and what it calls things."""

from powauth.providers.apple import Apple
from powauth.providers.auth0 import Auth0
from powauth.providers.basecamp import Basecamp
from powauth.providers.bitbucket import Bitbucket
from powauth.providers.cognito import Cognito
from powauth.providers.digitalocean import DigitalOcean
from powauth.providers.discord import Discord
from powauth.providers.entra import Entra
from powauth.providers.facebook import Facebook
from powauth.providers.github import GitHub
from powauth.providers.gitlab import GitLab
from powauth.providers.google import Google
from powauth.providers.instagram import Instagram
from powauth.providers.keycloak import Keycloak
from powauth.providers.line import LINE
from powauth.providers.linkedin import LinkedIn
from powauth.providers.mastodon import Mastodon
from powauth.providers.okta import Okta
from powauth.providers.reddit import Reddit
from powauth.providers.slack import Slack
from powauth.providers.spotify import Spotify
from powauth.providers.strava import Strava
from powauth.providers.stripe import StripeConnect
from powauth.providers.telegram import Telegram
from powauth.providers.twitch import Twitch
from powauth.providers.vk import VK
from powauth.providers.x import Twitter, X
from powauth.providers.zitadel import Zitadel

__all__ = [
    "LINE",
    "VK",
    "Apple",
    "Auth0",
    "Basecamp",
    "Bitbucket",
    "Cognito",
    "DigitalOcean",
    "Discord",
    "Entra",
    "Facebook",
    "GitHub",
    "GitLab",
    "Google",
    "Instagram",
    "Keycloak",
    "LinkedIn",
    "Mastodon",
    "Okta",
    "Reddit",
    "Slack",
    "Spotify",
    "Strava",
    "StripeConnect",
    "Telegram",
    "Twitch",
    "Twitter",
    "X",
    "Zitadel",
]
