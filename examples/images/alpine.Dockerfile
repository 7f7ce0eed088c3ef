# musl, and busybox as the shell: brood needs nothing of either. --grace 8s: less than the 10 s of docker stop.

FROM alpine:3.22
COPY --from=brood /brood /brood
COPY jobs.sh /app/jobs.sh
ENTRYPOINT ["/brood", "--grace", "8s", "--"]
CMD ["sh", "/app/jobs.sh"]
