; grace = 0: SIGKILL at once, no stop signal and no stop hook of a worker. The primary's stop hook still has its
; finish_grace.

[supervisor]
grace = 0
finish_grace = 3s

[primary]
stop = /app/cleanup

[worker:web]
start = node server.js
stop = /app/drain
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 0
> [  1000] stragglers SIGNAL KILL
  [  1000] web/0: 0 of grace over, KILL -> killed
> [  1000] web/0#1 SIGNAL KILL
< [  1001] web/0 killed by KILL
  [  1001] web/0: killed by KILL -> down
  [  1001] container: no worker left -> stragglers
> [  1001] stragglers SIGNAL KILL
< [  1001] no child left
  [  1001] container: no process left -> finish
  [  1001] primary: stop hook -> running
< [  1003] primary executed
< [  3900] primary exited 0
  [  3900] primary: exited 0 -> ended
> [  3900] stragglers SIGNAL TERM
< [  3900] no child left
  [  3900] container: stop hook done -> done
= 137: web/0 was killed after 0 of grace
