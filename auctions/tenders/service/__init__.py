"""Use cases of tenders: authorise, load, ask the rules, write. Nothing here commits."""

from auctions.tenders.service.drafts import change, create
from auctions.tenders.service.inviting import invite, withdraw
from auctions.tenders.service.joining import participate
from auctions.tenders.service.publishing import cancel, publish
from auctions.tenders.service.views import listing, show

__all__ = [
    "cancel",
    "change",
    "create",
    "invite",
    "listing",
    "participate",
    "publish",
    "show",
    "withdraw",
]
