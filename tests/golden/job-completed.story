; A job (kill_after_completed) is done when it reports ready: it is stopped then, and has completed however it
; answers. One that ends with 0 has completed too. When all have, the container ends with 0.

[worker:index]
start = /app/index
ready = notify
kill_after_completed = yes

[worker:import]
start = /app/import
ready = notify
kill_after_completed = yes
----
< [     0] boot
  [     0] container: boot -> run
  [     0] index/0: spawn -> starting
  [     0] import/0: spawn -> starting
< [     3] index/0 executed
  [     3] index/0: executed -> starting
< [     3] import/0 executed
  [     3] import/0: executed -> starting
< [  2000] import/0 exited 0
  [  2000] import/0: exited 0 -> completed
< [  3000] index/0 ready
  [  3000] index/0: ready -> ready
  [  3000] index/0: work done, TERM -> stopping
> [  3000] index/0#1 SIGNAL TERM, CONT
< [  3010] index/0 killed by TERM
  [  3010] index/0: killed by TERM -> completed
  [  3010] container: no worker left -> stragglers
> [  3010] stragglers SIGNAL TERM
< [  3010] no child left
  [  3010] container: no process left -> done
= 0: all workers completed
