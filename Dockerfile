# lit serve, for 64-bit Linux. First, in this folder:
#   dotnet publish src/LiT.Cli -c Release --self-contained -p:DebugType=none -o out/container
#   docker build -t lit-serve .
# Then, with a model and a store of its tower:
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:8080:8080 -e LIT_API_KEY=… \
#     -v "$PWD/run/model:/model:ro" -v "$PWD/store:/store:ro" lit-serve
# For thumbnails, also  -v "$PWD/photos:/pictures:ro"  and at the end  --model /model --data /store --pictures /pictures
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libstdc++6 libgomp1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin lit
COPY out/container /opt/lit
# Nothing is written but to /tmp, and nobody attaches to the process.
ENV DOTNET_EnableDiagnostics=0 HOME=/tmp
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/bin/bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/opt/lit/lit", "serve", "--host", "0.0.0.0"]
CMD ["--model", "/model", "--data", "/store"]
