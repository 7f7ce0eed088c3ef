# Groups of workers, of a config. It says grace = 6s and finish_grace = 2s, together less than the 10 s of docker stop:
# docker run needs no --stop-timeout.

FROM node:22-slim
COPY --from=brood /brood /brood
COPY server.js jobs.sh /app/
COPY site.ini /etc/brood.ini
ENTRYPOINT ["/brood"]
