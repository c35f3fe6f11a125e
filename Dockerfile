# Stemdock with its model and ffmpeg: see docs/installing.md. `./dev image` builds it and tries it.
FROM debian:bookworm-slim AS build
# Such as remote,parquet: see docs/installing.md.
ARG EXTRAS=""
RUN apt-get update \
    && apt-get install --no-install-recommends -y ca-certificates python3 python3-venv
RUN python3 -m venv /opt/stemdock
COPY . /source
# What the packages bring to test themselves is a tenth of their size.
RUN /opt/stemdock/bin/pip install --no-cache-dir "/source${EXTRAS:+[$EXTRAS]}" \
    && /opt/stemdock/bin/pip uninstall -y pip setuptools \
    && find /opt/stemdock/lib -type d -name tests -prune -exec rm -r {} + \
    && /opt/stemdock/bin/python /source/distribution/notices.py > /opt/stemdock/share/THIRD-PARTY.txt

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Stemdock" \
      org.opencontainers.image.description="Separate songs into stems with Deezer's Spleeter models, without TensorFlow." \
      org.opencontainers.image.licenses="MIT AND BSD-3-Clause"
# ffmpeg depends on drivers of graphics cards, a sixth of the image, which nobody here has a use for.
RUN apt-get update \
    && apt-get install --no-install-recommends -y \
        -o Dpkg::Options::=--path-exclude=/usr/lib/*/dri/* \
        -o Dpkg::Options::=--path-exclude=/usr/lib/*/libLLVM-* \
        -o Dpkg::Options::=--path-exclude=/usr/lib/*/libz3.* \
        ca-certificates ffmpeg python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log \
    && useradd --uid 1000 --no-create-home --home-dir /nonexistent stemdock
# Any user of the container may fetch models, and keep what is prepared for the machine in a folder of its own.
RUN mkdir -m 1777 /models /cache /audio
COPY --from=build /opt/stemdock /opt/stemdock
ENV PATH=/opt/stemdock/bin:$PATH \
    STEMDOCK_MODELS=/models \
    STEMDOCK_CACHE=/cache/stemdock
USER stemdock
WORKDIR /audio
ENTRYPOINT ["plugin-cli"]
CMD ["--help"]
