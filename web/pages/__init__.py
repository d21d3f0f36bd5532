"""The portal's pages, one file an area: a controller loads, renders, and posts to the services."""

from __future__ import annotations

from litestar import Router

from web.pages.acts import ActPages
from web.pages.addenda import AddendumPages
from web.pages.agreements import AgreementPages
from web.pages.assignees import OrderAssigneePages, TenderAssigneePages
from web.pages.auction import AuctionPage
from web.pages.awards import AwardPages, AwardSheetPages
from web.pages.catalogue import CataloguePages
from web.pages.entrance import EntranceController
from web.pages.files import built_file
from web.pages.forms import FormTokenMiddleware
from web.pages.home import HomePage
from web.pages.invitation import InvitationPages
from web.pages.joining import JoiningPages
from web.pages.keys import KeyPages
from web.pages.ledger import LedgerPages
from web.pages.offers import OfferPages, TenderOfferPages
from web.pages.orders import OrderPages, StatusPage
from web.pages.organisations import OrganisationPages
from web.pages.own_offer import OwnOfferPages
from web.pages.password_resets import PasswordResetPages
from web.pages.payouts import PayoutPages
from web.pages.practice import PracticePages
from web.pages.prices import PricePages
from web.pages.problem import problem_page
from web.pages.programme import ProgrammePages
from web.pages.questions import QuestionPages
from web.pages.ratings import RatingPages
from web.pages.reauthentication import ReauthenticationPage
from web.pages.security import SecurityPages
from web.pages.suppliers import SupplierPages
from web.pages.team import TeamPages
from web.pages.tenders import TenderPages
from web.pages.verify import VerifyPage
from web.pages.visit import VISITS

PAGES = [
    Router(
        path="/",
        route_handlers=[
            EntranceController,
            HomePage,
            AuctionPage,
            PracticePages,
            TenderPages,
            JoiningPages,
            AddendumPages,
            QuestionPages,
            TenderOfferPages,
            OfferPages,
            OwnOfferPages,
            AwardSheetPages,
            AwardPages,
            SupplierPages,
            OrganisationPages,
            CataloguePages,
            OrderAssigneePages,
            TenderAssigneePages,
            OrderPages,
            StatusPage,
            RatingPages,
            ProgrammePages,
            AgreementPages,
            LedgerPages,
            PayoutPages,
            ActPages,
            KeyPages,
            TeamPages,
            SecurityPages,
            ReauthenticationPage,
            InvitationPages,
            PasswordResetPages,
            PricePages,
            VerifyPage,
            built_file,
        ],
        middleware=[FormTokenMiddleware],
        dependencies=VISITS,
        include_in_schema=False,
    )
]

__all__ = ["PAGES", "problem_page"]
