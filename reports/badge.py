"""The score as a small picture for a README: SVG that loads nothing and runs nothing."""

from __future__ import annotations

from html import escape

from assay.reports import figures
from assay.reports.plain import plain
from assay.scanner.results import ScanResult, ServiceResult

LABEL = "backend standard"
_COLOURS = {"A": "#2da44e", "B": "#57892d", "C": "#9a6700", "D": "#bc4c00", "E": "#cf222e"}
_UNRATED = "#6e7781"
_HEIGHT, _PADDING = 20, 6
_WIDE, _NARROW = "mwMW%@—", "fijlrtI1 .,:;|!'()[]·"

_PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{title}">
<title>{title}</title>
<rect width="{left}" height="{height}" fill="#24292f"/>
<rect x="{left}" width="{right}" height="{height}" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left_middle}" y="14" textLength="{left_text}" lengthAdjust="spacingAndGlyphs">{label}</text>
<text x="{right_middle}" y="14" textLength="{right_text}" lengthAdjust="spacingAndGlyphs">{value}</text>
</g>
</svg>
"""


def render(result: ScanResult) -> str:
    """The score, grade and coverage of the only service, or of the one that does worst among several.

    Where any service is not rated, nothing is: a picture of the others would pass for all of them.
    """
    return of_services(result.services)


def of_services(services: tuple[ServiceResult, ...]) -> str:
    """The same for services alone."""
    service = _worst(services)
    title = "; ".join(_told(each) for each in services) or "nothing was scanned"
    colour = _COLOURS.get(service.grade, _UNRATED) if service else _UNRATED
    return picture(_value(service, len(services)), title, colour)


def picture(value: str, title: str, colour: str = _UNRATED) -> str:
    """A badge that says `value`; `title` is what it says to those who don't see it."""
    left_text, right_text = _width(LABEL), _width(value)
    left, right = left_text + 2 * _PADDING, right_text + 2 * _PADDING
    return _PICTURE.format(
        width=left + right,
        height=_HEIGHT,
        left=left,
        right=right,
        left_text=left_text,
        right_text=right_text,
        left_middle=f"{left / 2:g}",
        right_middle=f"{left + right / 2:g}",
        colour=colour,
        label=LABEL,
        value=escape(value),
        title=escape(f"{LABEL}: {title}"),
    )


def _worst(services: tuple[ServiceResult, ...]) -> ServiceResult | None:
    return min(services, key=lambda s: (_is_rated(s), s.score or 0.0, s.coverage), default=None)


def _is_rated(service: ServiceResult) -> bool:
    return service.grade in _COLOURS and service.score is not None


def _value(service: ServiceResult | None, number: int) -> str:
    if service is None:
        return "not rated"
    rating = f"{service.grade} {figures.score(service.score)}" if _is_rated(service) else "not rated"
    among = f" · lowest of {number}" if number > 1 else ""
    return f"{rating} · {figures.percent(service.coverage)} judged{among}"


def _told(service: ServiceResult) -> str:
    rating = f"{service.grade}, {figures.score(service.score)} of 100" if _is_rated(service) else "not rated"
    return plain(f"{service.name} {rating}, {figures.percent(service.coverage)} judged")


def _width(text: str) -> int:
    """Pixels in Verdana 11, near enough: the picture says how wide its texts are drawn, whatever the font."""
    return round(sum(10.5 if sign in _WIDE else 4.3 if sign in _NARROW else 7 for sign in text))
