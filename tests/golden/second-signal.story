; A second TERM or INT is impatience: everybody is killed at once. One within 300 ms of the first is the same
; keystroke that came by another way, and means nothing.

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] INT
  [  1000] container: INT -> stop, 10s
  [  1000] web/0: stop signal INT -> stopping
> [  1000] web/0#1 SIGNAL INT, CONT
< [  1299] TERM
< [  1300] INT
  [  1300] container: second INT -> kill
> [  1300] stragglers SIGNAL KILL
  [  1300] web/0: second signal, KILL -> killed
> [  1300] web/0#1 SIGNAL KILL
< [  1301] web/0 killed by KILL
  [  1301] web/0: killed by KILL -> down
  [  1301] container: no worker left -> stragglers
> [  1301] stragglers SIGNAL KILL
< [  1301] no child left
  [  1301] container: no process left -> done
= 137: web/0 was killed after 300ms of grace
