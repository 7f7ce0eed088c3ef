# Wrapping where nothing can be written: the shims are made with the image, and found in it. The config says grace = 8s.

FROM node:22-slim
COPY --from=brood /brood /brood
COPY server.js wrapper.js /app/
COPY wrapped.ini /etc/brood.ini
ENV SPAWN_WRAP_SHIM_ROOT=/opt/shims
RUN ["/brood", "--write-shims", "/opt/shims", "-c", "/etc/brood.ini"]
ENTRYPOINT ["/brood"]
