"""The mailbox: mails are kept in a table instead of being sent, and everybody may read them."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from powauth import Auth, Mail
from powauth.demo.models import SentMail, User
from powauth.demo.pages import GetDb
from powauth.demo.theme import Theme, wants_html
from powauth.fastapi import current_user

FRAMED = {
    "Content-Security-Policy": "sandbox allow-top-navigation-by-user-activation; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""A mail's HTML runs nothing, loads nothing and has no origin: it only shows itself, and its links may be followed."""


class Mailbox:
    """A mailer that keeps what it is given."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def __call__(self, mail: Mail) -> None:
        """Keep a mail, once."""
        async with self._sessions.begin() as db:
            if await db.scalar(select(SentMail.number).where(SentMail.message == mail.id)) is None:
                db.add(
                    SentMail(
                        message=mail.id,
                        kind=mail.kind,
                        to=mail.to,
                        subject=mail.subject,
                        text=mail.text,
                        html=mail.html,
                        parts=dict(mail.parts),
                    )
                )


def mailbox_pages(auth: Auth[User], theme: Theme, get_db: GetDb) -> APIRouter:
    """Return the pages that show the mails, newest first."""
    router = APIRouter(tags=["demo"])
    somebody = current_user(auth, db=get_db, optional=True)

    @router.get("/mailbox")
    async def mailbox(
        request: Request,
        db: Annotated[AsyncSession, Depends(get_db)],
        user: Annotated[User | None, Depends(somebody)],
    ) -> Response:
        """Show every mail that was sent, newest first."""
        mails = (await db.scalars(select(SentMail).order_by(SentMail.number.desc()))).all()
        if wants_html(request):
            return await theme.page(request, "mailbox", "Mailbox", user, mails=mails)
        return JSONResponse([as_data(mail) for mail in mails])

    @router.get("/mailbox/{number}", response_class=HTMLResponse)
    async def html(
        number: Annotated[int, Path(ge=1, lt=2**31)], db: Annotated[AsyncSession, Depends(get_db)]
    ) -> Response:
        """Show the HTML of one mail, to be framed by the mailbox."""
        mail = await db.get(SentMail, number)
        if mail is None:
            raise HTTPException(404)
        # Its links lead the whole window, not the frame that they stand in.
        body = mail.html.replace("<head>", '<head><base target="_top">', 1)
        return HTMLResponse(body, headers=FRAMED)

    return router


def as_data(mail: SentMail) -> dict[str, object]:
    """Return a mail for programs."""
    return {
        "kind": mail.kind,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "parts": mail.parts,
        "sent_at": mail.sent_at.isoformat(),
    }
