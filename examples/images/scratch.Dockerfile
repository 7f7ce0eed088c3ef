# Nothing but brood, its config and one static program: no /etc/passwd, no /tmp, no /run. The config says grace = 8s.

FROM gcc:12 AS build
COPY server.c /
RUN gcc -O2 -static -o /server /server.c

FROM scratch
COPY --from=brood /brood /brood
COPY --from=build /server /server
COPY pair.ini /etc/brood.ini
ENTRYPOINT ["/brood"]
