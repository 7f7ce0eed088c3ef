; The stop comes before every group was ready: READY is never said. A container that was paused asks late and
; gives its workers a quarter of the grace period all the same, which the manager is told.
$ manager

[worker:db]
start = /app/db
ready = notify
startup_timeout = 20s

[worker:web]
start = node server.js
after = db
----
< [     0] boot
  [     0] container: boot -> run
  [     0] db/0: spawn -> starting
> [     0] manager EXTEND 20s
< [     3] db/0 executed
  [     3] db/0: executed -> starting
< [  1000] TERM
  [  1000] container: TERM -> stop, 10s
> [  1000] manager STOPPING
> [  1000] manager EXTEND 15s
  [  1000] web/0: stop -> down
  [  1000] db/0: stop signal TERM -> stopping
> [  1000] db/0#1 SIGNAL TERM, CONT
! [ 60000] tick
> [ 60000] stragglers SIGNAL TERM
> [ 60000] manager EXTEND 7500ms
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
