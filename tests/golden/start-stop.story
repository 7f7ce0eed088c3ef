; Two groups start, run, and are stopped by TERM. Every worker gets the signal once, each as soon as it is asked, and
; how it answers (an exit with 0, a death by the signal) makes no difference: a stop that was asked for ends with 0.

[worker:web]
start = node server.js
count = 2

[worker:jobs]
start = node jobs.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
  [     0] web/1: spawn -> starting
  [     0] jobs/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [     3] jobs/0 executed
  [     3] jobs/0: executed -> ready
< [     4] web/1 executed
  [     4] web/1: executed -> ready

< [  5000] TERM
  [  5000] container: TERM -> stop, 10s
  [  5000] web/0: stop signal TERM -> stopping
> [  5000] web/0#1 SIGNAL TERM, CONT
  [  5000] web/1: stop signal TERM -> stopping
> [  5000] web/1#1 SIGNAL TERM, CONT
  [  5000] jobs/0: stop signal TERM -> stopping
> [  5000] jobs/0#1 SIGNAL TERM, CONT
< [  5020] web/0 exited 0
  [  5020] web/0: exited 0 -> down
< [  5031] jobs/0 killed by TERM
  [  5031] jobs/0: killed by TERM -> down
< [  5040] web/1 exited 1
  [  5040] web/1: exited 1 -> down
  [  5040] container: no worker left -> stragglers
> [  5040] stragglers SIGNAL TERM
< [  5040] no child left
  [  5040] container: no process left -> done
= 0: stopped by TERM
