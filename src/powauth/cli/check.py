"""`powauth check`."""

from collections import Counter
from typing import Any

import click

from powauth.auth import Auth
from powauth.cli import hashes
from powauth.cli.apps import find, named_option
from powauth.cli.checks import CHECKS
from powauth.cli.failures import Failure
from powauth.cli.findings import Finding, findings, ordered
from powauth.cli.output import Output, Row, json_option
from powauth.cli.standards import DEMANDS
from powauth.cli.stores import look_at_store
from powauth.cli.work import run
from powauth.errors import ConfigurationError
from powauth.plan import Plan

COLUMNS = ("severity", "code", "says", "do", "identifiers")
DEMAND_COLUMNS = ("identifier", "level", "status", "title", "reason")


@click.command("check")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@click.option("--accounts/--no-accounts", default=True, help="Look at the hashes of all accounts, or leave them out.")
@click.option("--store/--no-store", default=True, help="Ask the store's server about itself, or leave it alone.")
@click.option("--standards/--no-standards", default=True, help="Print the table of requirements, or leave it out.")
@named_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, app: str, *, strict: bool, accounts: bool, store: bool, standards: bool, out: Output
) -> None:
    """Tell what of an application is unsafe, and which requirements it meets.

    Looks at the settings as they are, at the server of a store on Redis, and at the hashes of accounts, of which it
    prints only how many. What it finds
    is to refuse: unsafe whatever was meant; to warn: unsafe unless it was meant; or info. Exits with 1 where something
    is refused, with --strict also where something is warned of.

    Then it lists what OWASP ASVS 5.0 and NIST SP 800-63B-4 ask of a library, and how the application stands to each:
    met, met by setting, not met and why, the application's duty, or not offered, where nothing here could miss it.
    """
    found, plan = look(app, out, accounts=accounts, store=store)
    demands = [stand(plan, place) for place in range(len(DEMANDS))] if plan and standards else []
    if out.as_json:
        name = plan.name if plan else None
        out.json(
            {"application": app, "auth": name, "findings": [as_row(one) for one in found], "requirements": demands}
        )
    else:
        out.rows([as_row(one) for one in found], COLUMNS, empty="nothing found")
        out.table(demands, DEMAND_COLUMNS, title="Requirements") if demands else None
        out.say(summary(found, demands))
    bad = {"refuse", "warn"} if strict else {"refuse"}
    ctx.exit(1 if any(one.severity in bad for one in found) else 0)


def look(app: str, out: Output, *, accounts: bool, store: bool) -> tuple[list[Finding], Plan | None]:
    """Return what is found, and the plan; without one where the settings are refused."""
    try:
        auth = find(app)
    except ConfigurationError as error:
        return [refused(problem) for problem in error.problems], None
    found = findings(auth.plan, CHECKS)
    found += look_at_store(auth) if store else []
    found += look_at_accounts(auth, out) if accounts else []
    return ordered(found), auth.plan


def refused(problem: str) -> Finding:
    """Return why there is no `Auth` at all."""
    return Finding(code="configuration", severity="refuse", says=problem, do="mend it: the application does not start")


def look_at_accounts(auth: Auth[Any], out: Output) -> list[Finding]:
    """Return what the hashes of all accounts say, or that they could not be read."""

    async def work() -> Counter[hashes.Kind]:
        counted: Counter[hashes.Kind] = Counter()
        with out.progress("looking at hashes") as advance:
            for tenant in auth.plan.all_tenants():
                counted.update(await hashes.count(auth, tenant, advance))
        return counted

    try:
        return list(hashes.findings(run(auth, work)))
    except Failure as failure:
        says = f"accounts could not be looked at: {failure.message}"
        return [Finding(code="accounts_not_read", severity="warn", says=says, do="mend it, or say --no-accounts")]


def as_row(finding: Finding) -> Row:
    """Return a finding as data."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "says": finding.says,
        "do": finding.do,
        "identifiers": list(finding.identifiers),
    }


def stand(plan: Plan, place: int) -> Row:
    """Return how an application stands to a demand, as data."""
    demand = DEMANDS[place]
    standing = demand.judge(plan)
    return {
        "identifier": demand.identifier,
        "level": demand.level,
        "title": demand.title,
        "status": standing.status,
        "reason": standing.reason,
    }


def summary(found: list[Finding], demands: list[Row]) -> str:
    """Return how much there is of each."""
    severities = Counter(one.severity for one in found)
    parts = [f"{name}: {severities[name]}" for name in ("refuse", "warn", "info")]
    statuses = Counter(str(row["status"]) for row in demands)
    return ", ".join([*parts, *(f"{name}: {count}" for name, count in statuses.items())])
