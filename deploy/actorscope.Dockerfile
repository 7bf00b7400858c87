# Actorscope in one image; its roles are commands: ingest, analyze, explore. Written without Docker at hand: not tried.
FROM python:3.13-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt ".[server]" && useradd --create-home actorscope && mkdir /data && chown actorscope /data
USER actorscope
WORKDIR /home/actorscope
ENTRYPOINT ["actorscope"]
