"""Files that clients send, at the places that store them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.uploads.names import checked, is_temporary, named_by_client
from assay.scanner.dataflow.uploads.serving import Serving
from assay.scanner.dataflow.uploads.stores import stores
from assay.scanner.gathered import Gathered
from assay.scanner.model.upload import FileUpload


def uploads(gathered: Gathered) -> Iterator[FileUpload]:
    """Where files from clients are stored."""
    ordinals = Ordinals()
    serving: Serving | None = None
    for store in stores(gathered.project):
        serving = serving or Serving(gathered.project)
        scope = store.function.scope
        function = around(scope)
        yield FileUpload(
            function,
            ordinals.next(function, "upload"),
            scope.module.location(store.call),
            scope.module.role,
            named_by_client(store),
            checked(store),
            serving.of(store.path, scope),
            is_temporary(store),
            offline_reason(scope),
        )
