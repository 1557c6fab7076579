# mlcube-conformance as an image: docs/docker-image.md says how to run it.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
# pip reads these: another index, or a folder of the context and no index.
ARG PIP_FIND_LINKS
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
COPY . /source
RUN python3 -m venv /opt/mlcube-conformance \
    && /opt/mlcube-conformance/bin/pip install --no-cache-dir /source

FROM ${BASE}
COPY --from=build /opt/mlcube-conformance /opt/mlcube-conformance
# Any user can run it: `--user` names one whom the image does not know.
RUN mkdir -m 1777 /home/mlcube
ENV HOME=/home/mlcube \
    PATH=/opt/mlcube-conformance/bin:$PATH
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["mlcube-conformance"]
CMD ["--help"]
