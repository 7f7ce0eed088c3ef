; A group that waits for one that has failed for good is never started, and counts as failed; the status is that of
; the one that failed first.

[worker:db]
start = /app/db
ready = notify
restart = no
on_failure = continue

[worker:web]
start = node server.js
after = db

[worker:log]
start = /app/log
----
< [     0] boot
  [     0] container: boot -> run
  [     0] db/0: spawn -> starting
  [     0] log/0: spawn -> starting
< [     3] db/0 executed
  [     3] db/0: executed -> starting
< [     3] log/0 executed
  [     3] log/0: executed -> ready
< [   100] db/0 exited 2
  [   100] db/0: exited 2 -> failed
  [   100] web/0: what it waits for failed -> failed
  [   100] container: web/0 failed -> stop, 10s
  [   100] log/0: stop signal TERM -> stopping
> [   100] log/0#1 SIGNAL TERM, CONT
< [   110] log/0 killed by TERM
  [   110] log/0: killed by TERM -> down
  [   110] container: no worker left -> stragglers
> [   110] stragglers SIGNAL TERM
< [   110] no child left
  [   110] container: no process left -> done
= 2: db/0 failed for good: it exited 2
