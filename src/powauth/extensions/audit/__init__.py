"""Every event as a row: who, what, when, from where, on whose behalf. Rows are added, and end by age alone."""

from pathlib import Path

from powauth.context import on
from powauth.events import Event
from powauth.extension import Chore, Manifest
from powauth.extensions.audit.commands import COMMANDS
from powauth.extensions.audit.handlers import ACTIVITY
from powauth.extensions.audit.lines import event_log
from powauth.extensions.audit.messages import MESSAGES, PAGE_MESSAGES
from powauth.extensions.audit.operations import forget_old, write
from powauth.extensions.audit.records import AuditRecord
from powauth.extensions.audit.settings import AuditSettings

__all__ = ["ACTIVITY", "Audit", "AuditRecord", "event_log"]


class Audit(AuditSettings):
    """Every event as a row, and a page on which people see those of their own account."""

    templates = Path(__file__).parent / "templates"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(ACTIVITY,) if self.shows_activity else (),
            hooks=(on(Event, write),),
            records=(AuditRecord,),
            commands=COMMANDS,
            chores=(Chore(name="forget", run=forget_old),),
            messages={**MESSAGES, **(PAGE_MESSAGES if self.shows_activity else {})},
        )
