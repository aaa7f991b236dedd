"""How an application stands to OWASP ASVS 5.0 and NIST SP 800-63B-4, as far as a library can tell."""

from powauth.cli.standards.asvs import ASVS
from powauth.cli.standards.federation import FEDERATION
from powauth.cli.standards.nist import NIST
from powauth.cli.standards.standing import Demand, Standing, Status

DEMANDS: tuple[Demand, ...] = (*ASVS, *FEDERATION, *NIST)
"""Everything in them that concerns what Powauth does, in their order."""

__all__ = ["DEMANDS", "Demand", "Standing", "Status"]
