; A probe has 2 s. It is given up then, and the next one comes only when it is really over. One that succeeds at the
; last moment has seen a worker that is ready. A worker that is asked to stop takes its probe with it.

[worker:web]
start = node server.js
ready = exec:/app/ready
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
> [     3] probe web/0#1 BEGIN
> [  2003] probe web/0#1 END
< [  4000] probe web/0 failed
> [  4100] probe web/0#1 BEGIN
> [  6100] probe web/0#1 END
< [  6101] probe web/0 succeeded
  [  6101] web/0: ready -> ready

< [  7000] web/0 exited 1
  [  7000] web/0: exited 1 -> backoff 100ms
  [  7100] web/0: spawn -> starting
< [  7103] web/0 executed
  [  7103] web/0: executed -> starting
> [  7103] probe web/0#2 BEGIN
< [  8000] TERM
  [  8000] container: TERM -> stop, 10s
  [  8000] web/0: stop signal TERM -> stopping
> [  8000] probe web/0#2 END
> [  8000] web/0#2 SIGNAL TERM, CONT
< [  8001] probe web/0 failed
< [  8010] web/0 exited 0
  [  8010] web/0: exited 0 -> down
  [  8010] container: no worker left -> stragglers
> [  8010] stragglers SIGNAL TERM
< [  8010] no child left
  [  8010] container: no process left -> done
= 0: stopped by TERM
