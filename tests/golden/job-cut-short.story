; A stop that comes before a job's work is done cuts it short, and the status says so: 128 + the signal. A job that
; answers the stop with a success status has completed.

[worker:index]
start = /app/index
kill_after_completed = yes
count = 2
----
< [     0] boot
  [     0] container: boot -> run
  [     0] index/0: spawn -> starting
  [     0] index/1: spawn -> starting
< [     3] index/0 executed
  [     3] index/0: executed -> ready
< [     3] index/1 executed
  [     3] index/1: executed -> ready
< [  2000] TERM
  [  2000] container: TERM -> stop, 10s
  [  2000] index/0: stop signal TERM -> stopping
> [  2000] index/0#1 SIGNAL TERM, CONT
  [  2000] index/1: stop signal TERM -> stopping
> [  2000] index/1#1 SIGNAL TERM, CONT
< [  2100] index/0 exited 0
  [  2100] index/0: exited 0 -> completed
< [  2200] index/1 killed by TERM
  [  2200] index/1: killed by TERM -> down
  [  2200] container: no worker left -> stragglers
> [  2200] stragglers SIGNAL TERM
< [  2200] no child left
  [  2200] container: no process left -> done
= 143: TERM cut index/1 short
