; A worker may let its watchdog strike by itself, and may start one where its config has none. What its life before asked
; for is forgotten, and ABRT is a failure even where the worker answers it with 0.

[worker:web]
start = node server.js
ready = notify
stop = /app/drain
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
< [   100] web/0 unhealthy
< [   200] web/0 ready
  [   200] web/0: ready -> ready
< [   300] web/0 alive
< [  9000] web/0 alive every 1500ms
  [ 10500] web/0: unhealthy -> stop hook
  [ 10500] hook web/0: spawn -> running
< [ 10502] hook web/0 executed
< [ 10600] hook web/0 exited 0
  [ 10600] hook web/0: exited 0 -> ended
  [ 10600] web/0: stop signal ABRT -> stopping
> [ 10600] web/0#1 SIGNAL ABRT, CONT
< [ 10601] web/0 exited 0
  [ 10601] web/0: exited 0 -> backoff 100ms

  [ 10701] web/0: spawn -> starting
< [ 10704] web/0 executed
  [ 10704] web/0: executed -> starting
< [ 10800] web/0 ready
  [ 10800] web/0: ready -> ready
< [ 20000] web/0 unhealthy
  [ 20000] web/0: unhealthy -> stop hook
  [ 20000] hook web/0: spawn -> running
< [ 20002] hook web/0 executed
< [ 20003] web/0 unhealthy
< [ 20100] hook web/0 exited 0
  [ 20100] hook web/0: exited 0 -> ended
  [ 20100] web/0: stop signal ABRT -> stopping
> [ 20100] web/0#2 SIGNAL ABRT, CONT
< [ 20101] web/0 killed by ABRT
  [ 20101] web/0: killed by ABRT -> backoff 200ms
  [ 20301] web/0: spawn -> starting
= goes on
