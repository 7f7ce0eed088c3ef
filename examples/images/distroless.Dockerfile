# No shell, and a user who isn't root: brood starts programs by itself and needs neither. --stop-timeout 15, as for any
# command with 10 s of grace.

FROM gcc:12 AS build
COPY server.c /
RUN gcc -O2 -o /server /server.c

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=brood /brood /brood
COPY --from=build /server /server
ENTRYPOINT ["/brood", "--"]
CMD ["/server"]
