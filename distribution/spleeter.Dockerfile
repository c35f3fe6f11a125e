# Stemdock under Spleeter's name: see docs/spleeter.md. Build the image `stemdock` first.
ARG BASE=stemdock
FROM ${BASE}
LABEL org.opencontainers.image.title="Stemdock as spleeter"
USER root
RUN plugin-cli spleeter install-command && mkdir -m 1777 /model /output
# What is converted or downloaded stays in the volume of the models.
ENV MODEL_PATH=/model \
    STEMDOCK_MODELS=/model/stemdock
USER stemdock
ENTRYPOINT ["spleeter"]
