; One that missed its watchdog has failed, whatever its status: the last record says that as well.

[worker:web]
start = node server.js
watchdog = 5s
restart = no
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
  [  5003] web/0: unhealthy, ABRT -> stopping
> [  5003] web/0#1 SIGNAL ABRT, CONT
< [  5100] web/0 exited 0
  [  5100] web/0: exited 0 -> failed
  [  5100] container: web/0 failed -> stop, 10s
  [  5100] container: no worker left -> stragglers
> [  5100] stragglers SIGNAL TERM
< [  5100] no child left
  [  5100] container: no process left -> done
= 1: web/0 failed for good: it was unhealthy and exited 0
