"""CORS policies as the model has them: however they are set up, with what surrounds them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.meanings import Firmness
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence
from assay.scanner.model.traffic import AuthStyle, CorsPolicy
from assay.scanner.traffic.auth_styles import auth_style
from assay.scanner.traffic.cors import CorsCalls, FoundPolicy
from assay.scanner.traffic.cors_headers import set_by_hand
from assay.scanner.traffic.cors_other_ways import other_policies
from assay.scanner.traffic.cors_settings import MECHANISM, site_policies
from assay.scanner.traffic.origins import Origins


def cors_policies(gathered: Gathered, production: Production) -> Iterator[CorsPolicy]:
    """Every policy of the project, in order of place."""
    project = gathered.project
    origins = Origins(project, production)
    found = [
        *CorsCalls(project, production, origins, tuple(gathered.settings)).all(),
        *other_policies(project, production, origins),
        *site_policies(production, origins),
        *set_by_hand(project, production, origins),
    ]
    ordinals = Ordinals()
    style, shown = auth_style(gathered, production) if found else (AuthStyle.UNKNOWN, None)
    for policy in sorted(found, key=lambda p: p.scope.module.location(p.node)):
        function = around(policy.scope)
        yield CorsPolicy(
            function=function,
            ordinal=ordinals.next(function, policy.mechanism),
            mechanism=policy.mechanism,
            location=policy.scope.module.location(policy.node),
            role=policy.scope.module.role,
            any_origin=policy.any_origin,
            credentials=policy.credentials,
            is_for_all=policy.is_for_all,
            auth_style=style,
            auth=shown,
            is_literal_star=policy.is_literal_star,
            exclusive=policy.exclusive,
            inactive=_inactive(policy, production),
        )


def _inactive(policy: FoundPolicy, production: Production) -> Evidence | None:
    """The test that keeps production from it. Settings have been read as production has them."""
    taken = production.taken(policy.node, policy.scope)
    if taken.truth is False and taken.firmness is not Firmness.DEFAULT and policy.mechanism != MECHANISM:
        return taken.evidence
    return None
