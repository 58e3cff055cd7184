"""Jobs of CI that publish images, and what looks for known holes in them."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.scanning import SecurityScan


@dataclass(frozen=True, slots=True)
class ImagePublication:
    """A job that pushes images. `pushes` are the steps that do so.

    `before` are scans of the image in the job before the first push, or in jobs that it needs, `after` those behind
    it, `elsewhere` those of other jobs, and `in_part` what looks through its files without the image. `perhaps` are
    steps that speak of a scan and can't be followed.
    """

    service_root: str
    subject_id: str
    job: str
    location: Location
    role: Role
    pushes: tuple[Evidence, ...]
    before: tuple[SecurityScan, ...] = ()
    after: tuple[SecurityScan, ...] = ()
    elsewhere: tuple[SecurityScan, ...] = ()
    in_part: tuple[SecurityScan, ...] = ()
    perhaps: tuple[Evidence, ...] = ()

    @property
    def label(self) -> str:
        return f"images that {self.job} publishes"
