"""Tenders over HTTP. `CONTROLLERS` is everything that answers."""

from auctions.tenders.api.awards import AwardController, FinishController, LotAwardController
from auctions.tenders.api.dossier import DossierController
from auctions.tenders.api.ocds import OcdsController
from auctions.tenders.api.offers import LotOfferController, OfferController, TenderOfferController
from auctions.tenders.api.tenders import PolicyController, TenderController

CONTROLLERS = [
    TenderController,
    PolicyController,
    DossierController,
    TenderOfferController,
    LotOfferController,
    OfferController,
    LotAwardController,
    AwardController,
    FinishController,
    OcdsController,
]

__all__ = ["CONTROLLERS"]
