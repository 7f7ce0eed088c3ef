; One that was not ready in time and ends with 0 has failed for good, with 1. The last record says why, since "exit 1: it
; exited 0" would explain nothing.

[worker:slow]
start = node server.js
ready = notify
startup_timeout = 5s
restart = no
----
< [     0] boot
  [     0] container: boot -> run
  [     0] slow/0: spawn -> starting
< [     3] slow/0 executed
  [     3] slow/0: executed -> starting
  [  5000] slow/0: not ready in time, TERM -> stopping
> [  5000] slow/0#1 SIGNAL TERM, CONT
< [  5100] slow/0 exited 0
  [  5100] slow/0: exited 0 -> failed
  [  5100] container: slow/0 failed -> stop, 10s
  [  5100] container: no worker left -> stragglers
> [  5100] stragglers SIGNAL TERM
< [  5100] no child left
  [  5100] container: no process left -> done
= 1: slow/0 failed for good: it was not ready in time and exited 0
