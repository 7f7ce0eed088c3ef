; A TERM in the first millisecond, before anything is started: nothing is started.

[worker:web]
start = node server.js
----
< [     0] TERM
  [     0] container: TERM -> stop, 10s
  [     0] web/0: stop -> down
  [     0] container: no worker left -> stragglers
> [     0] stragglers SIGNAL TERM
< [     0] boot
< [     0] no child left
  [     0] container: no process left -> done
= 0: stopped by TERM
