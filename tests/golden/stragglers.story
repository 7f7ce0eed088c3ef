; Descendants that left their group get TERM when the workers are gone, the rest of the grace period, then KILL, again
; and again while some are left. That they had to be killed does not change the status.

[supervisor]
grace = 1s

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 1s
  [  1000] web/0: stop signal TERM -> stopping
> [  1000] web/0#1 SIGNAL TERM, CONT
< [  1020] web/0 exited 0
  [  1020] web/0: exited 0 -> down
  [  1020] container: no worker left -> stragglers
> [  1020] stragglers SIGNAL TERM
> [  1750] stragglers SIGNAL TERM
> [  2000] stragglers SIGNAL KILL
> [  2100] stragglers SIGNAL KILL
< [  2150] no child left
  [  2150] container: no process left -> done
= 0: stopped by TERM
