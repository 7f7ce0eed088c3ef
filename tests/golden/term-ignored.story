; A worker that ignores TERM is killed when the grace period ends, not a millisecond before, and the exit status says
; that it had to be: 137.

[supervisor]
grace = 4s

[worker:web]
start = node server.js
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
  [  1000] container: TERM -> stop, 4s
  [  1000] web/0: stop signal TERM -> stopping
> [  1000] web/0#1 SIGNAL TERM, CONT
  [  1000] web/1: stop signal TERM -> stopping
> [  1000] web/1#1 SIGNAL TERM, CONT
< [  1010] web/0 exited 0
  [  1010] web/0: exited 0 -> down
; Descendants that left their group are asked at three quarters of the grace period at the latest.
> [  4000] stragglers SIGNAL TERM
< [  4999] tick
> [  5000] stragglers SIGNAL KILL
  [  5000] web/1: 4s of grace over, KILL -> killed
> [  5000] web/1#1 SIGNAL KILL
< [  5001] web/1 killed by KILL
  [  5001] web/1: killed by KILL -> down
  [  5001] container: no worker left -> stragglers
> [  5001] stragglers SIGNAL KILL
< [  5001] no child left
  [  5001] container: no process left -> done
= 137: web/1 was killed after 4s of grace
