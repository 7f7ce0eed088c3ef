; A process that the kernel does not let go (in uninterruptible sleep, or another user's whom brood may not kill) is
; waited for five seconds after its KILL, once: the primary's stop hook runs then, and when it has ended so has brood.

[supervisor]
grace = 1s

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
  [  1000] container: TERM -> stop, 1s
  [  1000] web/0: stop signal TERM -> stopping
> [  1000] web/0#1 SIGNAL TERM, CONT
> [  1750] stragglers SIGNAL TERM
> [  2000] stragglers SIGNAL KILL
  [  2000] web/0: 1s of grace over, KILL -> killed
> [  2000] web/0#1 SIGNAL KILL
  [  7000] container: killed processes remain -> stragglers
> [  7000] stragglers SIGNAL KILL
  [  7000] container: killed processes remain -> finish
  [  7000] primary: stop hook -> running
< [  7002] primary executed
< [  8000] primary exited 0
  [  8000] primary: exited 0 -> ended
> [  8000] stragglers SIGNAL KILL
  [  8100] container: killed processes remain -> done
= 137: web/0 was killed after 1s of grace
