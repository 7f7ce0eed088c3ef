; on_second_signal = ignore: a second TERM is logged and does nothing; the worker's own, shorter grace period ends
; first.

[supervisor]
on_second_signal = ignore

[worker:web]
start = node server.js
grace = 3s
stop_signal = QUIT
stop_to = leader
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 10s
  [  1000] web/0: stop signal QUIT -> stopping
> [  1000] web/0#1 SIGNAL QUIT to leader, CONT
< [  2000] TERM
  [  2000] container: second TERM -> ignored
  [  4000] web/0: 3s of grace over, KILL -> killed
> [  4000] web/0#1 SIGNAL KILL
< [  4001] web/0 killed by KILL
  [  4001] web/0: killed by KILL -> down
  [  4001] container: no worker left -> stragglers
> [  4001] stragglers SIGNAL TERM
< [  4001] no child left
  [  4001] container: no process left -> done
= 137: web/0 was killed after 3s of grace
