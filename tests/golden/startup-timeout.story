; Not ready in time is a failed start: TERM, the worker's grace period, KILL; its stop hook isn't run. A worker may
; ask for more time while it starts.

[worker:web]
start = node server.js
ready = notify
startup_timeout = 5s
grace = 2s
stop = /app/drain
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
< [  4000] web/0 extend 3s
  [  7000] web/0: not ready in time, TERM -> stopping
> [  7000] web/0#1 SIGNAL TERM, CONT
< [  7500] web/0 ready
  [  9000] web/0: 2s of grace over, KILL -> killed
> [  9000] web/0#1 SIGNAL KILL
< [  9001] web/0 killed by KILL
  [  9001] web/0: killed by KILL -> backoff 100ms
  [  9101] web/0: spawn -> starting
< [  9104] web/0 executed
  [  9104] web/0: executed -> starting
< [ 14100] web/0 ready
  [ 14100] web/0: ready -> ready
= goes on
