; `after` is an order: web is started once every db is ready, and db is asked to stop once the last web is gone.

[worker:web]
start = node server.js
after = db

[worker:db]
start = /app/db
count = 2
ready = notify
----
< [     0] boot
  [     0] container: boot -> run
  [     0] db/0: spawn -> starting
  [     0] db/1: spawn -> starting
< [     3] db/0 executed
  [     3] db/0: executed -> starting
< [     3] db/1 executed
  [     3] db/1: executed -> starting
< [   200] db/1 ready
  [   200] db/1: ready -> ready
< [   450] db/0 ready
  [   450] db/0: ready -> ready
  [   450] web/0: spawn -> starting
< [   453] web/0 executed
  [   453] web/0: executed -> ready

; A db that crashes later is no reason to stop web.
< [  1000] db/1 exited 1
  [  1000] db/1: exited 1 -> backoff 100ms
  [  1100] db/1: spawn -> starting
< [  1103] db/1 executed
  [  1103] db/1: executed -> starting
< [  1300] db/1 ready
  [  1300] db/1: ready -> ready

< [  2000] TERM
  [  2000] container: TERM -> stop, 10s
  [  2000] web/0: stop signal TERM -> stopping
> [  2000] web/0#1 SIGNAL TERM, CONT
< [  3000] web/0 exited 0
  [  3000] web/0: exited 0 -> down
  [  3000] db/0: stop signal TERM -> stopping
> [  3000] db/0#1 SIGNAL TERM, CONT
  [  3000] db/1: stop signal TERM -> stopping
> [  3000] db/1#2 SIGNAL TERM, CONT
< [  3100] db/0 exited 0
  [  3100] db/0: exited 0 -> down
< [  3100] db/1 exited 0
  [  3100] db/1: exited 0 -> down
  [  3100] container: no worker left -> stragglers
> [  3100] stragglers SIGNAL TERM
< [  3100] no child left
  [  3100] container: no process left -> done
= 0: stopped by TERM
