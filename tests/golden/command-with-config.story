; A command next to a config: the container ends when it ends, with its status; the workers are stopped with TERM, and
; that one of them had to be killed changes nothing.
$ -- ./server --port 80

[supervisor]
grace = 1s

[worker:log]
start = /app/log
----
< [     0] boot
  [     0] container: boot -> run
  [     0] log/0: spawn -> starting
  [     0] main: spawn -> starting
< [     3] log/0 executed
  [     3] log/0: executed -> ready
< [     3] main executed
  [     3] main: executed -> ready
< [  9000] main exited 0
  [  9000] main: exited 0 -> completed
  [  9000] container: main completed -> stop, 1s
  [  9000] log/0: stop signal TERM -> stopping
> [  9000] log/0#1 SIGNAL TERM, CONT
> [  9750] stragglers SIGNAL TERM
> [ 10000] stragglers SIGNAL KILL
  [ 10000] log/0: 1s of grace over, KILL -> killed
> [ 10000] log/0#1 SIGNAL KILL
< [ 10001] log/0 killed by KILL
  [ 10001] log/0: killed by KILL -> down
  [ 10001] container: no worker left -> stragglers
> [ 10001] stragglers SIGNAL KILL
< [ 10001] no child left
  [ 10001] container: no process left -> done
= 0: main exited 0
