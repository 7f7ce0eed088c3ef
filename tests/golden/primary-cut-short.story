; TERM while the primary's start runs: it gets the signal, its grace period, and KILL; no worker and no stop hook
; follow, and the status is the signal's, though it had to be killed.

[supervisor]
grace = 2s

[primary]
start = /app/migrate
stop = /app/cleanup

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> primary
  [     0] primary: start -> running
< [     2] primary executed
< [   500] TERM
  [   500] container: TERM -> stop, 2s
> [   500] primary#1 SIGNAL TERM, CONT
  [   500] web/0: stop -> down
> [  2000] stragglers SIGNAL TERM
  [  2500] primary: 2s of grace over, KILL -> killed
> [  2500] primary#1 SIGNAL KILL
> [  2500] stragglers SIGNAL KILL
< [  2501] primary killed by KILL
  [  2501] primary: killed by KILL -> ended
  [  2501] container: no worker left -> stragglers
> [  2501] stragglers SIGNAL KILL
< [  2501] no child left
  [  2501] container: no process left -> done
= 143: TERM came before the primary's start was done
