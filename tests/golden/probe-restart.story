; A worker that is started again while a probe of its former life is not over: it has at most one probe in flight, so its
; own waits for that one's end, and what that one says is about somebody else.

[worker:web]
start = node server.js
ready = exec:/app/ready
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
> [     3] probe web/0#1 BEGIN
< [   500] web/0 exited 1
  [   500] web/0: exited 1 -> backoff 100ms
> [   500] probe web/0#1 END
  [   600] web/0: spawn -> starting
< [   603] web/0 executed
  [   603] web/0: executed -> starting
< [   700] probe web/0#1 succeeded
> [   700] probe web/0#2 BEGIN
< [   701] probe web/0#1 succeeded
< [   702] probe web/0 failed
> [   802] probe web/0#2 BEGIN
< [   803] probe web/0 succeeded
  [   803] web/0: ready -> ready

; The other way round: the old probe is over before the new life's program runs.
< [  1000] restart web/0
  [  1000] web/0: operator, TERM -> stopping
> [  1000] web/0#2 SIGNAL TERM, CONT
< [  1001] web/0 exited 0
  [  1001] web/0: exited 0 -> waiting
  [  1001] web/0: spawn -> starting
< [  1004] web/0 executed
  [  1004] web/0: executed -> starting
> [  1004] probe web/0#3 BEGIN
< [  1010] web/0 exited 1
  [  1010] web/0: exited 1 -> backoff 200ms
> [  1010] probe web/0#3 END
  [  1210] web/0: spawn -> starting
< [  1211] probe web/0#3 failed
< [  1213] web/0 executed
  [  1213] web/0: executed -> starting
> [  1213] probe web/0#4 BEGIN
< [  1214] probe web/0 succeeded
  [  1214] web/0: ready -> ready
= goes on
