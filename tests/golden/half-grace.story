; Nobody is killed unasked: when half of the grace period is gone, order gives way. Here web ignores TERM, so that db,
; which stops after it, is asked at 5 s of 10.

[worker:web]
start = node server.js
after = db

[worker:db]
start = /app/db
----
< [     0] boot
  [     0] container: boot -> run
  [     0] db/0: spawn -> starting
< [     3] db/0 executed
  [     3] db/0: executed -> ready
  [     3] web/0: spawn -> starting
< [     6] web/0 executed
  [     6] web/0: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 10s
  [  1000] web/0: stop signal TERM -> stopping
> [  1000] web/0#1 SIGNAL TERM, CONT
  [  6000] db/0: stop signal TERM -> stopping
> [  6000] db/0#1 SIGNAL TERM, CONT
< [  6100] db/0 exited 0
  [  6100] db/0: exited 0 -> down
> [  8500] stragglers SIGNAL TERM
> [ 11000] stragglers SIGNAL KILL
  [ 11000] web/0: 10s of grace over, KILL -> killed
> [ 11000] web/0#1 SIGNAL KILL
< [ 11001] web/0 killed by KILL
  [ 11001] web/0: killed by KILL -> down
  [ 11001] container: no worker left -> stragglers
> [ 11001] stragglers SIGNAL KILL
< [ 11001] no child left
  [ 11001] container: no process left -> done
= 137: web/0 was killed after 10s of grace
