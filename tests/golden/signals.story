; What a signal does is the config's to say: sent on, sent on as another one, sent to one group. TERM sent on does not
; stop anything, real-time signals are signals like others, and one that nobody named goes to everybody as it is.

[signals]
TERM = forward
INT = forward
USR1 = forward HUP
USR2 = forward:jobs
RTMIN+3 = forward RTMIN+4
HUP = ignore

[worker:web]
start = node server.js

[worker:jobs]
start = node jobs.js
count = 2
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
  [     0] jobs/0: spawn -> starting
  [     0] jobs/1: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [     3] jobs/0 executed
  [     3] jobs/0: executed -> ready
< [     3] jobs/1 executed
  [     3] jobs/1: executed -> ready

< [  1000] USR1
> [  1000] web/0#1 SIGNAL HUP
> [  1000] jobs/0#1 SIGNAL HUP
> [  1000] jobs/1#1 SIGNAL HUP
< [  2000] USR2
> [  2000] jobs/0#1 SIGNAL USR2
> [  2000] jobs/1#1 SIGNAL USR2
< [  3000] TERM
> [  3000] web/0#1 SIGNAL TERM
> [  3000] jobs/0#1 SIGNAL TERM
> [  3000] jobs/1#1 SIGNAL TERM
< [  3001] jobs/1 killed by TERM
  [  3001] jobs/1: killed by TERM -> backoff 100ms
< [  3050] RTMIN+3
> [  3050] web/0#1 SIGNAL RTMIN+4
> [  3050] jobs/0#1 SIGNAL RTMIN+4
< [  3060] RTMIN+7
> [  3060] web/0#1 SIGNAL RTMIN+7
> [  3060] jobs/0#1 SIGNAL RTMIN+7
< [  3070] HUP
< [  3080] WINCH
  [  3101] jobs/1: spawn -> starting
< [  3104] jobs/1 executed
  [  3104] jobs/1: executed -> ready

; QUIT is what stops it. TERM and INT are sent on in the stop, too, and mean no impatience.
< [  5000] QUIT
  [  5000] container: QUIT -> stop, 10s
  [  5000] web/0: stop signal QUIT -> stopping
> [  5000] web/0#1 SIGNAL QUIT, CONT
  [  5000] jobs/0: stop signal QUIT -> stopping
> [  5000] jobs/0#1 SIGNAL QUIT, CONT
  [  5000] jobs/1: stop signal QUIT -> stopping
> [  5000] jobs/1#2 SIGNAL QUIT, CONT
< [  5001] web/0 exited 0
  [  5001] web/0: exited 0 -> down
< [  5002] jobs/1 exited 0
  [  5002] jobs/1: exited 0 -> down
< [  6000] INT
> [  6000] jobs/0#1 SIGNAL INT
< [  7000] INT
> [  7000] jobs/0#1 SIGNAL INT
< [  7001] jobs/0 exited 0
  [  7001] jobs/0: exited 0 -> down
  [  7001] container: no worker left -> stragglers
> [  7001] stragglers SIGNAL TERM
< [  7001] no child left
  [  7001] container: no process left -> done
= 0: stopped by QUIT
