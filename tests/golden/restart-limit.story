; Two failures within ten seconds are borne, the third is for good: the container stops, those that are left get TERM,
; and the status is that of the worker that failed.

[worker:web]
start = node server.js
restart_limit = 2/10s

[worker:log]
start = /app/log
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
  [     0] log/0: spawn -> starting
< [     3] log/0 executed
  [     3] log/0: executed -> ready
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] web/0 exited 7
  [  1000] web/0: exited 7 -> backoff 100ms
  [  1100] web/0: spawn -> starting
< [  1103] web/0 executed
  [  1103] web/0: executed -> ready
< [ 10999] web/0 exited 7
  [ 10999] web/0: exited 7 -> backoff 200ms
  [ 11199] web/0: spawn -> starting
< [ 11202] web/0 executed
  [ 11202] web/0: executed -> ready
; The one at 1000 is more than ten seconds ago, so this is the second within them.
< [ 11300] web/0 exited 7
  [ 11300] web/0: exited 7 -> backoff 400ms
  [ 11700] web/0: spawn -> starting
< [ 11703] web/0 executed
  [ 11703] web/0: executed -> ready
< [ 20999] web/0 exited 8
  [ 20999] web/0: exited 8 -> failed
  [ 20999] container: web/0 failed -> stop, 10s
  [ 20999] log/0: stop signal TERM -> stopping
> [ 20999] log/0#1 SIGNAL TERM, CONT
< [ 21100] log/0 exited 0
  [ 21100] log/0: exited 0 -> down
  [ 21100] container: no worker left -> stragglers
> [ 21100] stragglers SIGNAL TERM
< [ 21100] no child left
  [ 21100] container: no process left -> done
= 8: web/0 failed for good: it exited 8
