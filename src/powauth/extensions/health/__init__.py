"""A page that says whether the parts work: for whatever watches over the application, load balancers and people."""

from dataclasses import asdict

from powauth.context import Context
from powauth.extension import Command, CommandResult, Extension, Manifest
from powauth.forms import NoForm
from powauth.health import State, examine
from powauth.http import Request
from powauth.pages import Outcome, Shown
from powauth.routing import Get

__all__ = ["PAGE", "Health"]

WELL, ILL = 200, 503


async def show(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Say how every part is."""
    health = await examine(ctx.plan, ctx.tenant)
    return Shown(
        data=described(health, details=ctx[Health].details),
        words={"state": ctx.words("health.well" if health.is_well else "health.ill")},
        status=WELL if health.is_well else ILL,
    )


def described(health: State, *, details: bool) -> dict[str, object]:
    """Return what is told: with details what each part took and how many wait there, else only whether it works."""
    parts = {part.name: asdict(part) if details else {"is_well": part.is_well} for part in health.parts}
    return {"is_well": health.is_well, "parts": parts}


async def ask(form: NoForm, ctx: Context) -> CommandResult:  # noqa: ARG001  the shape of a command
    """Say how every part is, as a command."""
    return [asdict(part) for part in (await examine(ctx.plan, ctx.tenant)).parts]


PAGE = Get(name="page", path="/health", show=show)


class Health(Extension):
    """A page that says whether store, database, outbox and hashing work: 200 if all do, 503 if not."""

    details: bool = False
    """Whether everybody is told what each part took and how many wait there; that tells how busy the site is."""

    name = "health"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(PAGE,),
            commands=(Command(name="show", help="Say how every part is.", form=NoForm, run=ask),),
            messages={
                "page.title": "State",
                "page.intro": "{state}",
                "well": "Everything works.",
                "ill": "Something does not work.",
            },
        )
