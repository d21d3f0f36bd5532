"""Orders over HTTP."""

from marketplace.orders.api.claims import ClaimController
from marketplace.orders.api.documents import DocumentController
from marketplace.orders.api.orders import OrderController, StatusController, SuggestionController

CONTROLLERS = [
    OrderController,
    DocumentController,
    ClaimController,
    StatusController,
    SuggestionController,
]
