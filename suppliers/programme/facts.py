"""What upper floors may learn of the programme, in the transaction of the deed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from marketplace.kernel.facts import Fact


class TierChanged(Fact, frozen=True, kw_only=True):
    """What a partner's agreement with the operator grants from now on; `after` is None when the
    agreement grants no tier (none approved yet, suspended or ended).
    """

    agreement_id: UUID
    operator_id: UUID
    partner_id: UUID
    before: str | None
    after: str | None
    at: datetime
