; A worker ends and leaves others behind in its process group: they count as that worker. They get the stop signal,
; its grace period and KILL, and only then is it started again.

[worker:web]
start = sh -c 'node server.js & node other.js'
grace = 1s
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  2000] web/0 exited 1, members left
  [  2000] web/0: exited 1 -> stopping
> [  2000] web/0#1 SIGNAL TERM, CONT
  [  3000] web/0: 1s of grace over, KILL -> killed
> [  3000] web/0#1 SIGNAL KILL
< [  3001] web/0 group empty
  [  3001] web/0: members gone -> backoff 100ms
  [  3101] web/0: spawn -> starting
= goes on
