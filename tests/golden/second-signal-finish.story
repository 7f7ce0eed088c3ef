; A second TERM while the primary's stop hook runs kills it, and the reason says how long it really had.

[supervisor]
grace = 5s
finish_grace = 10s

[primary]
stop = /app/cleanup

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 5s
  [  1000] web/0: stop signal TERM -> stopping
> [  1000] web/0#1 SIGNAL TERM, CONT
< [  1100] web/0 killed by TERM
  [  1100] web/0: killed by TERM -> down
  [  1100] container: no worker left -> stragglers
> [  1100] stragglers SIGNAL TERM
< [  1100] no child left
  [  1100] container: no process left -> finish
  [  1100] primary: stop hook -> running
< [  1500] TERM
  [  1500] container: second TERM -> kill
  [  1500] primary: second signal, KILL -> killed
> [  1500] primary#1 SIGNAL KILL
> [  1500] stragglers SIGNAL KILL
< [  1501] primary killed by KILL
  [  1501] primary: killed by KILL -> ended
< [  1501] no child left
  [  1501] container: stop hook done -> done
= 137: the primary's stop hook was killed after 400ms of grace
