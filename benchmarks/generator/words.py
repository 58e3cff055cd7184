"""What the generated code is called and what it says: a vocabulary, and seeded choices among it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

DOMAINS = {
    "orders": "order order_line cart cart_item return_request fulfillment backorder discount_code gift_card wishlist",
    "billing": "invoice invoice_line payment refund subscription plan credit_note tax_rate payout dunning_notice",
    "users": "user profile role membership invitation login_attempt api_key device preference consent",
    "catalog": "product variant category brand price_list attribute media_asset bundle review collection",
    "shipping": "shipment parcel carrier tracking_event label delivery_slot pickup_point route depot customs_form",
    "inventory": "stock_item stock_movement warehouse bin_location supplier purchase_order reservation count_sheet lot",
    "support": "ticket comment escalation macro canned_reply satisfaction_survey queue knowledge_article incident",
    "marketing": "campaign audience segment newsletter landing_page coupon referral experiment push_message",
    "analytics": "metric_point dashboard saved_report data_export funnel cohort alert_rule annotation goal",
    "compliance": "audit_entry retention_policy data_request risk_score document_check sanction_hit approval policy",
    "scheduling": "appointment calendar shift availability booking holiday reminder timesheet rota",
    "partners": "partner contract commission settlement integration webhook feed lead onboarding_step",
}
QUALIFIERS = "archived partner regional draft recurring internal external bulk legacy scheduled shared trial".split()

VERBS = """
    apply assign calculate check collect compare complete confirm convert distribute enrich estimate expire export
    finalize group handle ingest load lock mark match merge notify prepare process publish rebuild recalculate
    reconcile refresh reject release rename reopen reserve resolve restore review revoke rotate schedule settle split
    submit summarize suspend sync transfer validate verify withdraw
""".split()
TAILS = """
    batch changes daily_totals for_account for_customer for_export for_period for_region from_import history in_bulk
    limits names on_hold overdue owners pending priorities schedule states status totals values windows with_discount
""".split()
NUMBERS = "total amount balance count limit remaining score threshold weight average margin offset ratio excess".split()
TEXTS = "label title reason key region channel source summary reference prefix note locale".split()
LISTS = "candidates entries matches pending rows selected results overdue items accepted skipped batch".split()
MAPPINGS = "by_status grouped totals index seen counts by_owner lookup payload context".split()
STATES = "draft pending active paused confirmed completed cancelled expired failed archived".split()
TEAMS = "finance warehouse support partner compliance sales platform data mobile".split()
REASONS = (
    "the provider answers late on Mondays",
    "older clients still send the short form",
    "finance wants the gross value here",
    "the importer may send the same row twice",
    "rounding has to match the invoice",
    "this runs inside the nightly job",
    "the mobile app shows this text as it is",
    "zero means that there is no limit",
    "support edits these by hand",
    "a missing value stands for the default region",
    "the order matters for the export",
    "kept until all tenants have moved",
)


class Words:
    """A vocabulary with a source of chance: the same seed says the same things."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - variety, not secrecy

    def pick(self, options: Sequence[_T]) -> _T:
        return self._random.choice(options)

    def weighted(self, options: Sequence[_T], weights: Sequence[float]) -> _T:
        return self._random.choices(options, weights)[0]

    def some(self, options: Sequence[_T], low: int, high: int) -> list[_T]:
        """Between `low` and `high` of them, in their order."""
        count = min(len(options), self.number(low, high))
        chosen = sorted(self._random.sample(range(len(options)), count))
        return [options[i] for i in chosen]

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def size(self, mean: float, low: int, high: int) -> int:
        """Sizes as they occur in code: mostly small, a few large."""
        return max(low, min(high, round(self._random.lognormvariate(0, 0.75) * mean / 1.32)))

    def hexadecimal(self, digits: int) -> str:
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def reason(self) -> str:
        return self.pick(REASONS)

    def team(self) -> str:
        return self.pick(TEAMS)

    def state(self) -> str:
        return self.pick(STATES)

    def action(self) -> str:
        """What is done to a thing: a verb in its base form."""
        return self.pick(VERBS)

    def docstring(self, verb: str, thing: str, depth: int = 4) -> str:
        """One sentence, a few, or none: about as often as people write them. `depth` is the indentation, in columns."""
        thing, verb = thing.replace("_", " "), verb.capitalize()
        first = self.weighted(
            (
                "",
                f"{verb} the {thing}.",
                f"{verb} {thing} entries for one account.",
                f"{verb} the {thing} and return what changed.",
                f"{verb} each {thing} that the {self.team()} team asked for.",
                f"{verb} the {thing}; {self.reason()}.",
            ),
            (5, 2, 1, 1, 1, 1),
        )
        if not first or self.chance(0.7):
            return f'"""{first}"""' if first else ""
        more = [f"{self.reason().capitalize()}." for _ in range(self.number(1, 3))]
        if self.chance(0.5):
            more += ["", "Args:", "    rows: what was selected before.", f"    amount: {self.reason()}."]
        margin = " " * depth
        return "\n".join((f'"""{first}', "", *(f"{margin}{line}" if line else "" for line in more), f'{margin}"""'))
