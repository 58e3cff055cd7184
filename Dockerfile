# docker build -t assay . && docker run --rm -v "$PWD:/src" assay gate
FROM python:3.13.9-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml setup.py README.md LICENSE ./
COPY scanner scanner
COPY rules rules
COPY reports reports
RUN python -m venv /opt/assay \
    && /opt/assay/bin/pip install --no-cache-dir --no-compile '.[postgres,serve]' \
    && /opt/assay/bin/pip uninstall --yes pip

FROM python:3.13.9-slim-bookworm
# git tells what a change brings. Debian keeps one version of it a release, so there is none to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    # The mounted repository belongs to somebody else, and Assay runs nothing that its configuration names.
    && git config --system --add safe.directory '*' \
    && useradd --create-home --uid 10001 assay
COPY --from=build /opt/assay /opt/assay
ENV PATH=/opt/assay/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 XDG_CACHE_HOME=/tmp
USER assay
WORKDIR /src
ENTRYPOINT ["assay"]
CMD ["--help"]
