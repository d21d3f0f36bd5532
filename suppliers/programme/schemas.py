"""The partner programme on the wire. Percentages, targets and values are decimal texts; periods are
half-open: `from` is in, `to` is not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from marketplace.kernel.money import Amount

Name = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="What people call it.", examples=["Partners"]),
]
Word = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9_-]{0,49}$",
        description="A short name in small letters, digits, - and _.",
        examples=["silver"],
    ),
]
Place = Annotated[
    str, Meta(min_length=1, max_length=100, description="A free word.", examples=["north"])
]
Decimals = Annotated[
    str, Meta(min_length=1, max_length=24, description="A decimal text.", examples=["50000.00"])
]
Percent = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=6,
        description="Percent from 0 to 100 with at most two decimals.",
        examples=["2.50"],
    ),
]
MeasureCode = Annotated[
    str,
    Meta(min_length=1, max_length=60, description="A code of /measures.", examples=["sales"]),
]
Days = Annotated[
    int, Meta(ge=1, le=3_660, description="Days of 24 hours back from now.", examples=[365])
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=1_000, description="Why.", examples=["Too high for us"])
]


class MeasureView(Struct, frozen=True, kw_only=True):
    """Something that can be measured of a partner."""

    code: Annotated[str, Meta(description="Its stable name.", examples=["sales"])]
    unit: Annotated[
        str,
        Meta(
            description="What its values are: `money` in the programme's currency, `count`,"
            " `percent` or `points`.",
            examples=["money"],
        ),
    ]
    title: Annotated[str, Meta(description="In words.", examples=["Sales"])]
    feeds: Annotated[
        str, Meta(description="What feeds it.", examples=["What was won, less what was taken back"])
    ]


class MeasurePage(Struct, frozen=True):
    """Everything that can be measured."""

    items: list[MeasureView]
    next_cursor: str | None = None


class ParameterBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reached when the value is at least (or at most) the target; then its score counts."""

    measure: MeasureCode
    target: Decimals
    score: Annotated[int, Meta(ge=0, le=1_000_000, description="Points.", examples=[40])]
    period_days: Days | None = None
    direction: Annotated[
        Literal["at_least", "at_most"],
        Meta(description="Which side of the target is good.", examples=["at_least"]),
    ] = "at_least"


class RewardBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tier grants."""

    sale_percent: Annotated[Percent, Meta(description="Commission on a won sale, in percent.")]
    fund_percent: Annotated[
        Percent, Meta(description="What a won sale credits to the marketing fund, in percent.")
    ]
    points_per_major: (
        Annotated[
            Decimals, Meta(description="Points for each whole unit of currency.", examples=["0.5"])
        ]
        | None
    ) = None
    leads_priority: (
        Annotated[
            int, Meta(ge=0, le=1_000, description="Higher is offered leads first.", examples=[10])
        ]
        | None
    ) = None


class TierBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level of the programme.

    reward  what it grants
    """

    code: Word
    partner_type: Annotated[
        Word, Meta(description="Which kind of partner it is for.", examples=["reseller"])
    ]
    threshold: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Eligible from this score on.", examples=[60]),
    ]
    parameters: Annotated[
        list[ParameterBody], Meta(max_length=20, description="What is looked at.")
    ]
    reward: RewardBody


Tiers = Annotated[
    list[TierBody], Meta(min_length=1, max_length=20, description="Lowest first, of all types.")
]


class NewProgramme(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A programme; its version 1 is a draft."""

    name: Name
    currency: Annotated[
        str,
        Meta(
            min_length=3,
            max_length=3,
            description="ISO 4217; sales in others do not count.",
            examples=["EUR"],
        ),
    ]
    tiers: Tiers


class NewVersion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next version of a programme, a draft."""

    tiers: Tiers


class VersionView(Struct, frozen=True, kw_only=True):
    """A version of a programme.

    tiers  lowest first, of all types
    """

    version: Annotated[int, Meta(description="Counted from 1.", examples=[1])]
    state: Annotated[
        str, Meta(description="`draft` or `published`; then it never changes.", examples=["draft"])
    ]
    tiers: list[TierBody]
    published_at: Annotated[datetime | None, Meta(description="Null while it is a draft.")]


class ProgrammeView(Struct, frozen=True, kw_only=True):
    """A partner programme with its versions.

    name      what people call it, e.g. `Partners`
    currency  ISO 4217, of every sum in it; sales in others do not count, e.g. `EUR`
    """

    id: Annotated[UUID, Meta(description="Of the programme.")]
    name: str
    currency: str
    versions: Annotated[
        list[VersionView], Meta(description="Newest first; a partner sees its own ones.")
    ]


class ProgrammePage(Struct, frozen=True):
    """Partner programmes."""

    items: list[ProgrammeView]
    next_cursor: str | None = None


class CpaBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one action of a lead that is paid for."""

    action: Annotated[
        Literal["received", "completed", "contract"],
        Meta(description="What is paid for.", examples=["contract"]),
    ]
    amount: Annotated[Amount, Meta(description="What one is paid.")]


class PayoutBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How money reaches the partner."""

    asset: Annotated[
        str,
        Meta(min_length=3, max_length=12, description="A currency or `points`.", examples=["EUR"]),
    ]
    minimum: Annotated[
        Decimals, Meta(description="Less is carried over to the next run.", examples=["50.00"])
    ]
    hold_days: Annotated[
        int, Meta(ge=0, le=365, description="Days from a sale to its due time.", examples=[30])
    ]


class NewAgreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of the terms with one partner.

    programme_id  the programme whose tiers and rewards hold
    payout        how money reaches the partner
    region        a free word for where it works; null: anywhere, e.g. `north`
    segment       a free word for whom it serves; null: anybody, e.g. `industry`
    cpa           what is paid for leads; null: nothing
    """

    partner_id: Annotated[UUID, Meta(description="The partner's organisation.")]
    programme_id: UUID
    partner_type: Annotated[Word, Meta(description="Whose tiers count.", examples=["reseller"])]
    payout: PayoutBody
    begins: Annotated[datetime, Meta(description="In force from then on.")] = field(name="from")
    ends: Annotated[datetime | None, Meta(description="In force until then; null: open.")] = field(
        name="to", default=None
    )
    version: (
        Annotated[int, Meta(ge=1, description="Null: the newest published one.", examples=[1])]
        | None
    ) = None
    tier: Annotated[
        Word | None, Meta(description="Granted from the start, unearned.", examples=["silver"])
    ] = None
    region: Place | None = None
    segment: Place | None = None
    cpa: CpaBody | None = None


class PartyView(Struct, frozen=True):
    """A name with its id.

    name  as people call it, e.g. `Pumps Ltd`
    """

    id: UUID
    name: str


class AgreementView(Struct, frozen=True, kw_only=True):
    """The terms between the operator and one partner.

    partner       the organisation of the partner
    programme     the programme whose tiers and rewards hold
    partner_type  whose tiers count, e.g. `reseller`
    tier          the one that was approved; null: none yet, e.g. `gold`
    eligible      what the last evaluation found, a proposal only; null: none, e.g. `gold`
    cpa           what is paid for leads; null: nothing
    payout        how money reaches the partner
    actions       what the caller may do now, as the last part of the path reads, e.g. `["suspend",
                  "end"]`
    """

    id: Annotated[UUID, Meta(description="Of the agreement.")]
    partner: PartyView
    programme: PartyView
    version: Annotated[int, Meta(description="Which it keeps until it is moved.", examples=[1])]
    partner_type: str
    state: Annotated[
        str, Meta(description="`draft`, `active`, `suspended` or `ended`.", examples=["active"])
    ]
    tier: Annotated[str | None, Meta(description="Approved; null: none yet.")]
    eligible: Annotated[
        str | None, Meta(description="What the last evaluation found; only a proposal.")
    ]
    region: str | None
    segment: str | None
    begins: Annotated[datetime, Meta(description="In force from then on.")] = field(name="from")
    ends: Annotated[datetime | None, Meta(description="In force until then.")] = field(name="to")
    cpa: CpaBody | None
    payout: PayoutBody
    created_at: datetime
    actions: Annotated[list[str], Meta(description="What the caller may do now.")]


class AgreementPage(Struct, frozen=True):
    """Agreements, the newest first."""

    items: list[AgreementView]
    next_cursor: str | None = None


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another version of the programme."""

    version: Annotated[int, Meta(ge=1, description="A published one.", examples=[2])]


class Approval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tier that is granted."""

    tier: Annotated[
        Word | None,
        Meta(
            description="One whose score suffices now; null takes the tier away.", examples=["gold"]
        ),
    ]


class FactView(Struct, frozen=True, kw_only=True):
    """One thing behind a figure."""

    kind: Annotated[str, Meta(description="What it is.", examples=["order"])]
    id: Annotated[UUID, Meta(description="Of that thing.")]
    at: Annotated[datetime, Meta(description="When it counted from.")]
    title: Annotated[str, Meta(description="In words.", examples=["Pumps for plant 3"])]
    value: Annotated[str, Meta(description="What it adds.", examples=["1200.5"])]


class ValueView(Struct, frozen=True, kw_only=True):
    """One measure, as far as it was reached.

    period_days  counted so many days back; null: since ever, e.g. `365`
    """

    measure: str
    period_days: int | None
    value: Annotated[
        str | None, Meta(description="Null where there is nothing to measure.", examples=["50000"])
    ]
    facts: Annotated[list[FactView], Meta(description="The newest 100 behind it.")]


class GapView(Struct, frozen=True, kw_only=True):
    """What is missing to a target.

    period_days  counted so many days back; null: since ever, e.g. `365`
    """

    measure: str
    period_days: int | None
    distance: Annotated[
        str | None, Meta(description="From the value to the target.", examples=["1000"])
    ]


class NextView(Struct, frozen=True, kw_only=True):
    """The lowest tier above the present one.

    tier  its code, e.g. `gold`
    gaps  for each parameter that is not reached
    """

    tier: str
    missing: Annotated[int, Meta(description="Points missing to its threshold.", examples=[20])]
    gaps: list[GapView]


class StandingView(Struct, frozen=True, kw_only=True):
    """What a partner's figures reach at one moment.

    version   of the programme, which the agreement keeps, e.g. `1`
    tier      the one that was approved; null: none yet, e.g. `silver`
    scores    points of each tier of the partner's type, e.g. `{"silver": 60, "gold": 40}`
    eligible  the highest tier whose score suffices; null: none, e.g. `silver`
    values    everything that was measured, with what is behind it
    """

    at: Annotated[datetime, Meta(description="The moment it is judged at.")]
    version: int
    tier: Annotated[str | None, Meta(description="The approved one.")]
    scores: Annotated[dict[str, int], Meta(description="Of each tier of the partner's type.")]
    eligible: Annotated[str | None, Meta(description="The highest whose score suffices.")]
    next: Annotated[NextView | None, Meta(description="Null at the top.")]
    values: list[ValueView]


class SnapshotView(Struct, frozen=True, kw_only=True):
    """What an agreement granted from `at` on, and the figures behind it.

    at           from then on
    state        of the agreement, `draft`, `active`, `suspended` or `ended`, e.g. `active`
    version      of the programme, e.g. `1`
    tier_before  the former one; null: none, e.g. `silver`
    tier         the one from then on; null: none, e.g. `gold`
    standing     scores, values and reached parameters of that moment, e.g. `{"eligible": "gold",
                 "scores": {"gold": 60}}`
    """

    id: UUID
    at: datetime
    event: Annotated[str, Meta(description="What happened.", examples=["set_tier"])]
    state: str
    version: int
    tier_before: str | None
    tier: str | None
    author_id: Annotated[UUID | None, Meta(description="Null: by the passing of time.")]
    standing: Annotated[
        dict[str, Any], Meta(description="Scores, values and reached parameters of that moment.")
    ]


class SnapshotPage(Struct, frozen=True):
    """What was granted, the newest first."""

    items: list[SnapshotView]
    next_cursor: str | None = None


class NewCertificate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proof that a person passed a course."""

    person: Annotated[UUID, Meta(description="A member of the partner's organisation.")]
    course: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="What was passed.", examples=["Basics"]),
    ]
    issued_at: Annotated[datetime, Meta(description="Counts from then on.")]
    expires_at: Annotated[
        datetime | None, Meta(description="Counts until then; null: for ever.")
    ] = None
    document_id: Annotated[UUID | None, Meta(description="A document that proves it.")] = None


class CertificateView(Struct, frozen=True, kw_only=True):
    """Proof that a person passed a course.

    person       a member of the partner's organisation
    course       what was passed, e.g. `Basics`
    issued_at    it counts from then on
    expires_at   it counts until then; null: for ever
    revoked_at   when it was taken back; null: it was not
    document_id  a document that proves it; null: none
    """

    id: UUID
    person: PartyView
    course: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    document_id: UUID | None
    counts: Annotated[bool, Meta(description="Whether it counts now.")]


class CertificatePage(Struct, frozen=True):
    """Certificates of the partner's people."""

    items: list[CertificateView]
    next_cursor: str | None = None


class TargetBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be reached."""

    measure: MeasureCode
    target: Annotated[Decimals, Meta(description="More than 0.")]


class NewPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An individual plan, a draft of the caller's side."""

    agreement_id: UUID
    targets: Annotated[
        list[TargetBody], Meta(min_length=1, max_length=20, description="Each measure once.")
    ]
    payout_formula: Annotated[
        str,
        Meta(
            max_length=10_000,
            description="In the formula language; inputs are each measure by its code and its"
            " target as `CODE_target`. The result is money of the programme's currency.",
            examples=["sales * 0.02 if sales >= sales_target else 0"],
        ),
    ]
    begins: Annotated[datetime, Meta(description="Counts from then on.")] = field(name="from")
    ends: Annotated[datetime, Meta(description="Counts until then.")] = field(name="to")


class TargetView(Struct, frozen=True, kw_only=True):
    """One target, and what is there of it.

    target  a decimal text in the unit of the measure, e.g. `50000`
    now     what is there now; null: there is nothing to measure, e.g. `30750`
    """

    measure: str
    target: str
    now: Annotated[str | None, Meta(description="Null where there is nothing to measure.")]
    percent: Annotated[str | None, Meta(description="Of the target.", examples=["61.5"])]


class PlanView(Struct, frozen=True, kw_only=True):
    """The same bytes for both sides.

    partner  the organisation of the partner
    begins   counts from then on
    ends     counts until then
    targets  what is to be reached, and what is there of it
    formula  in the formula language; its result is money of the programme's currency, e.g. `sales *
             0.02 if sales >= sales_target else 0`
    inputs   what the formula is computed with now, e.g. `{"sales": "30750", "sales_target":
             "50000"}`
    reason   why it was declined; null: it was not, e.g. `Too high for us`
    """

    id: UUID
    agreement_id: UUID
    partner: PartyView
    proposed_by: Annotated[UUID, Meta(description="The side that wrote it.")]
    state: Annotated[
        str, Meta(description="`draft`, `proposed`, `agreed` or `declined`.", examples=["agreed"])
    ]
    begins: datetime = field(name="from")
    ends: datetime = field(name="to")
    targets: list[TargetView]
    payout_now: Annotated[
        Amount | None, Meta(description="By the values of now; null where it has no result.")
    ]
    payout_at_plan: Annotated[Amount | None, Meta(description="With every target just reached.")]
    formula: str
    inputs: Annotated[
        dict[str, str | None], Meta(description="What the formula is computed with now.")
    ]
    reason: Annotated[str | None, Meta(description="Why it was declined.")]


class PlanPage(Struct, frozen=True):
    """Plans, the newest first."""

    items: list[PlanView]
    next_cursor: str | None = None


class WithReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


class TotalView(Struct, frozen=True, kw_only=True):
    """One measure since ever.

    title  in words, e.g. `Sales`
    value  a decimal text in the unit of the measure; null: nothing to measure, e.g. `120500`
    """

    measure: str
    title: str
    value: str | None


class MineView(Struct, frozen=True, kw_only=True):
    """The partner's one page. Every figure can be opened: `standing` names the facts behind it.

    agreement     the terms
    standing      what the figures reach now
    certificates  of the partner's people
    history       what was granted, the newest first
    """

    agreement: AgreementView
    standing: StandingView
    reward: Annotated[RewardBody | None, Meta(description="Of the approved tier.")]
    tiers: Annotated[list[TierBody], Meta(description="Of the partner's type, lowest first.")]
    certificates: list[CertificateView]
    plan: Annotated[PlanView | None, Meta(description="The agreed one of this moment.")]
    totals: Annotated[list[TotalView], Meta(description="Each measure since ever.")]
    history: list[SnapshotView]


class NodeView(Struct, frozen=True, kw_only=True):
    """One organisation of a hierarchy.

    name   of the organisation, e.g. `Pumps Group`
    total  with everything under it; null: figures of this measure do not add up, e.g. `4800`
    """

    id: UUID
    name: str
    parent_id: Annotated[UUID | None, Meta(description="Null at the top of what was asked for.")]
    level: Annotated[int, Meta(description="Levels below the top.", examples=[0])]
    region: str | None
    segment: str | None
    own: Annotated[str | None, Meta(description="Its own figure.", examples=["1200.5"])]
    total: Annotated[
        str | None,
        Meta(description="With everything under it; null where figures do not add up."),
    ]


class SubtreeView(Struct, frozen=True, kw_only=True):
    """One measure of an organisation and of everything under it."""

    measure: str
    items: Annotated[list[NodeView], Meta(description="From the top down.")]


class ColumnView(Struct, frozen=True, kw_only=True):
    """A column of a report."""

    name: Annotated[str, Meta(description="Stable.", examples=["amount"])]
    title: Annotated[str, Meta(description="In words.", examples=["Amount"])]


class ReportView(Struct, frozen=True, kw_only=True):
    """A table; the CSV holds exactly these rows and totals.

    rows    cells in the order of the columns, e.g. `[["north", "1200.50"]]`
    totals  one line for each currency, as nothing is converted, e.g. `[["EUR", "1200.50"]]`
    """

    columns: list[ColumnView]
    rows: Annotated[list[list[str | None]], Meta(description="Cells in the order of the columns.")]
    totals: Annotated[
        list[list[str | None]], Meta(description="One line a currency: nothing is converted.")
    ]
    complete: Annotated[bool, Meta(description="False: there is more than one report may hold.")]
