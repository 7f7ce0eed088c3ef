; What a manager above brood is told: READY once every group is, or was, ready (a job when it is done), and how long it
; may have to wait, where that is known: as a group with a startup_timeout begins, and in the stop.
$ manager

[primary]
stop = /app/cleanup

[worker:db]
start = /app/db
ready = notify
startup_timeout = 1m

[worker:migrate]
start = /app/migrate
kill_after_completed = yes
after = db

[worker:web]
start = node server.js
ready = notify
startup_timeout = 30s
after = migrate
----
< [     0] boot
  [     0] container: boot -> run
  [     0] db/0: spawn -> starting
> [     0] manager EXTEND 1m
< [     3] db/0 executed
  [     3] db/0: executed -> starting
; A worker that asks for more time asks for brood, too.
< [ 50000] db/0 extend 30s
> [ 50000] manager EXTEND 30s
< [ 70000] db/0 ready
  [ 70000] db/0: ready -> ready
  [ 70000] migrate/0: spawn -> starting
< [ 70002] migrate/0 executed
  [ 70002] migrate/0: executed -> ready
< [ 71000] migrate/0 exited 0
  [ 71000] migrate/0: exited 0 -> completed
  [ 71000] web/0: spawn -> starting
> [ 71000] manager EXTEND 30s
< [ 71003] web/0 executed
  [ 71003] web/0: executed -> starting
; db is restarted meanwhile: it was ready once, and that is what counts.
< [ 71500] db/0 exited 1
  [ 71500] db/0: exited 1 -> backoff 100ms
  [ 71600] db/0: spawn -> starting
< [ 72000] web/0 ready
  [ 72000] web/0: ready -> ready
> [ 72000] manager READY
< [ 72001] db/0 executed
  [ 72001] db/0: executed -> starting
< [ 72002] db/0 ready
  [ 72002] db/0: ready -> ready
< [ 80000] web/0 exited 1
  [ 80000] web/0: exited 1 -> backoff 100ms
  [ 80100] web/0: spawn -> starting
< [ 80103] web/0 executed
  [ 80103] web/0: executed -> starting
< [ 80200] web/0 extend 5m
< [ 80300] web/0 ready
  [ 80300] web/0: ready -> ready

; 10 s of grace, 10 s of finish_grace, and after each 5 s for what is killed and does not go.
< [ 90000] TERM
  [ 90000] container: TERM -> stop, 10s
> [ 90000] manager STOPPING
> [ 90000] manager EXTEND 30s
  [ 90000] web/0: stop signal TERM -> stopping
> [ 90000] web/0#2 SIGNAL TERM, CONT
< [ 90100] web/0 exited 0
  [ 90100] web/0: exited 0 -> down
  [ 90100] db/0: stop signal TERM -> stopping
> [ 90100] db/0#2 SIGNAL TERM, CONT
< [ 90200] db/0 exited 0
  [ 90200] db/0: exited 0 -> down
  [ 90200] container: no worker left -> stragglers
> [ 90200] stragglers SIGNAL TERM
< [ 90200] no child left
  [ 90200] container: no process left -> finish
  [ 90200] primary: stop hook -> running
< [ 90202] primary executed
< [ 90300] primary exited 0
  [ 90300] primary: exited 0 -> ended
> [ 90300] stragglers SIGNAL TERM
< [ 90300] no child left
  [ 90300] container: stop hook done -> done
= 0: stopped by TERM
