# One program under brood, where tini or dumb-init would stand. Its exit status is the container's.
#
# grace, from TERM to KILL, is 10 s, and so is the patience of docker stop: at a tie brood is killed before it can kill
# what is left and say so. Hence --stop-timeout 15; where that can't be said, --grace 8s before the --.

FROM node:22-slim
COPY --from=brood /brood /brood
COPY server.js /app/server.js
ENTRYPOINT ["/brood", "--"]
CMD ["node", "/app/server.js"]
