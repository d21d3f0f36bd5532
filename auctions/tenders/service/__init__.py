"""Use cases of tenders: authorise, load, ask the rules, write. Nothing here commits."""

from auctions.tenders.service.answering import (
    accept,
    decline,
    finish,
    fire_award,
    list_awards,
    show_award,
)
from auctions.tenders.service.awards import decide, propose, show_sheet
from auctions.tenders.service.dossier import (
    add_addendum,
    add_document,
    answer,
    ask,
    get_document,
    list_addenda,
    list_documents,
    list_questions,
)
from auctions.tenders.service.drafts import change, create, fill_lot
from auctions.tenders.service.ending import auctions_ended, cancel, fail, fire
from auctions.tenders.service.inviting import invite, withdraw
from auctions.tenders.service.joining import decline as decline_invitation
from auctions.tenders.service.joining import participate
from auctions.tenders.service.ocds import export, import_draft
from auctions.tenders.service.offer_room import show_own_offers
from auctions.tenders.service.offers import list_offers, submit, withdraw_offer
from auctions.tenders.service.opening import (
    open_offers,
    qualify,
    skip_auctions,
    start_auctions,
    tender_of_offer,
)
from auctions.tenders.service.opening_room import show_opening
from auctions.tenders.service.policies import set_policy, show_policy
from auctions.tenders.service.publishing import approve, publish, send_back
from auctions.tenders.service.suggestions import suggest
from auctions.tenders.service.views import (
    history_of,
    list_assignees,
    listing,
    set_assignees,
    show,
)

__all__ = [
    "accept",
    "add_addendum",
    "add_document",
    "answer",
    "approve",
    "ask",
    "auctions_ended",
    "cancel",
    "change",
    "create",
    "decide",
    "decline",
    "decline_invitation",
    "export",
    "fail",
    "fill_lot",
    "finish",
    "fire",
    "fire_award",
    "get_document",
    "history_of",
    "import_draft",
    "invite",
    "list_addenda",
    "list_assignees",
    "list_awards",
    "list_documents",
    "list_offers",
    "list_questions",
    "listing",
    "open_offers",
    "participate",
    "propose",
    "publish",
    "qualify",
    "send_back",
    "set_assignees",
    "set_policy",
    "show",
    "show_award",
    "show_opening",
    "show_own_offers",
    "show_policy",
    "show_sheet",
    "skip_auctions",
    "start_auctions",
    "submit",
    "suggest",
    "tender_of_offer",
    "withdraw",
    "withdraw_offer",
]
