; The whole container is paused during a stop (docker pause) and goes on long after its grace period: nobody is killed
; who was not asked a quarter of it before. Here db, which stops after web, is asked when brood wakes, and has 2.5 s.

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

; `!` is a fact that comes after a pause: what was due meanwhile was not seen.
! [ 60000] web/0 exited 0
  [ 60000] web/0: exited 0 -> down
> [ 60000] stragglers SIGNAL TERM
  [ 60000] db/0: stop signal TERM -> stopping
> [ 60000] db/0#1 SIGNAL TERM, CONT
> [ 62500] stragglers SIGNAL KILL
  [ 62500] db/0: 10s of grace over, KILL -> killed
> [ 62500] db/0#1 SIGNAL KILL
< [ 62501] db/0 killed by KILL
  [ 62501] db/0: killed by KILL -> down
  [ 62501] container: no worker left -> stragglers
> [ 62501] stragglers SIGNAL KILL
< [ 62501] no child left
  [ 62501] container: no process left -> done
= 137: db/0 was killed after 10s of grace
