; The primary's start runs to its end before any worker is started, its stop hook after the last one is reaped, and
; what that leaves behind is looked for too.

[primary]
start = /app/migrate
stop = /app/cleanup

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> primary
  [     0] primary: start -> running
< [     2] primary executed
< [  3000] primary exited 0
  [  3000] primary: exited 0 -> ended
  [  3000] container: primary done -> run
  [  3000] web/0: spawn -> starting
< [  3003] web/0 executed
  [  3003] web/0: executed -> ready
< [  5000] TERM
  [  5000] container: TERM -> stop, 10s
  [  5000] web/0: stop signal TERM -> stopping
> [  5000] web/0#1 SIGNAL TERM, CONT
< [  5010] web/0 exited 0
  [  5010] web/0: exited 0 -> down
  [  5010] container: no worker left -> stragglers
> [  5010] stragglers SIGNAL TERM
< [  5010] no child left
  [  5010] container: no process left -> finish
  [  5010] primary: stop hook -> running
< [  5012] primary executed
< [  5100] primary exited 0
  [  5100] primary: exited 0 -> ended
> [  5100] stragglers SIGNAL TERM
< [  5100] no child left
  [  5100] container: stop hook done -> done
= 0: stopped by TERM
