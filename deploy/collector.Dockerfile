# otelcol-actorscope. Written without Docker at hand: not tried.
FROM golang:1.26 AS build
WORKDIR /src
COPY collector collector
RUN CGO_ENABLED=0 sh collector/build.sh

FROM debian:13-slim
RUN useradd --create-home otelcol && mkdir /queue && chown otelcol /queue
COPY --from=build /src/build/collector/otelcol-actorscope /usr/local/bin/otelcol-actorscope
COPY otel-config.yaml /etc/otelcol/config.yaml
USER otelcol
ENTRYPOINT ["otelcol-actorscope", "--config=/etc/otelcol/config.yaml"]
