; A migration that fails: no worker is started, no stop hook is run, and its status is the container's.

[primary]
start = /app/migrate
stop = /app/cleanup

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> primary
  [     0] primary: start -> running
< [     2] primary executed
< [   700] primary exited 3
  [   700] primary: exited 3 -> ended
  [   700] container: primary failed -> stragglers
> [   700] stragglers SIGNAL TERM
< [   700] no child left
  [   700] container: no process left -> done
= 3: the primary's start exited 3
