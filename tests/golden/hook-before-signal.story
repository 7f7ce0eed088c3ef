; A worker with a stop hook is asked by it first; the signal comes when the hook has ended, however it ended. A hook
; that takes more than half of the grace period is left running and the signal comes all the same.

[worker:web]
start = node server.js
stop = /app/drain
count = 2
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
  [     0] web/1: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [     3] web/1 executed
  [     3] web/1: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 10s
  [  1000] web/0: stop hook -> stop hook
  [  1000] web/1: stop hook -> stop hook
  [  1000] hook web/0: spawn -> running
  [  1000] hook web/1: spawn -> running
< [  1003] hook web/0 executed
< [  1003] hook web/1 executed
< [  1500] hook web/0 exited 1
  [  1500] hook web/0: exited 1 -> ended
  [  1500] web/0: stop signal TERM -> stopping
> [  1500] web/0#1 SIGNAL TERM, CONT
< [  1510] web/0 exited 0
  [  1510] web/0: exited 0 -> down
  [  6000] web/1: stop signal TERM -> stopping
> [  6000] web/1#1 SIGNAL TERM, CONT
< [  6010] web/1 exited 0
  [  6010] web/1: exited 0 -> stopping
< [  7000] hook web/1 exited 0
  [  7000] hook web/1: exited 0 -> ended
  [  7000] web/1: hook ended -> down
  [  7000] container: no worker left -> stragglers
> [  7000] stragglers SIGNAL TERM
< [  7000] no child left
  [  7000] container: no process left -> done
= 0: stopped by TERM
