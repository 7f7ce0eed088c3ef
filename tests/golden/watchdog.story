; The watchdog counts from READY on. A ping in time moves it, a worker may ask for more time once, and may change how
; often it has to ping for the rest of its life. A missed ping is ABRT, the grace period, KILL, and then a failure. A
; worker that is being stopped owes no pings.

[worker:web]
start = node server.js
ready = notify
watchdog = 2s
grace = 4s
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
< [  5000] web/0 ready
  [  5000] web/0: ready -> ready
< [  6999] web/0 alive
  [  8999] web/0: unhealthy, ABRT -> stopping
> [  8999] web/0#1 SIGNAL ABRT, CONT
< [  9000] web/0 alive
  [ 12999] web/0: 4s of grace over, KILL -> killed
> [ 12999] web/0#1 SIGNAL KILL
< [ 13000] web/0 killed by KILL
  [ 13000] web/0: killed by KILL -> backoff 100ms

  [ 13100] web/0: spawn -> starting
< [ 13103] web/0 executed
  [ 13103] web/0: executed -> starting
< [ 13200] web/0 alive every 5s
< [ 14000] web/0 ready
  [ 14000] web/0: ready -> ready
< [ 18000] web/0 alive
< [ 22000] web/0 extend 20s
< [ 41000] web/0 alive every 1s
< [ 41999] web/0 alive
< [ 42500] TERM
  [ 42500] container: TERM -> stop, 10s
  [ 42500] web/0: stop signal TERM -> stopping
> [ 42500] web/0#2 SIGNAL TERM, CONT
< [ 42600] web/0 alive
< [ 44000] web/0 exited 0
  [ 44000] web/0: exited 0 -> down
  [ 44000] container: no worker left -> stragglers
> [ 44000] stragglers SIGNAL TERM
< [ 44000] no child left
  [ 44000] container: no process left -> done
= 0: stopped by TERM
