; Not ready in time: the start has failed, whatever a probe that is in flight would have said, and it is given up. The
; worker may ask for more time, which moves the end of its start and not its probes.

[worker:web]
start = node server.js
ready = exec:/app/ready
startup_timeout = 1500ms
grace = 1s
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
> [     3] probe web/0#1 BEGIN
  [  1500] web/0: not ready in time, TERM -> stopping
> [  1500] probe web/0#1 END
> [  1500] web/0#1 SIGNAL TERM, CONT
< [  1501] probe web/0 succeeded
< [  1502] web/0 exited 0
  [  1502] web/0: exited 0 -> backoff 100ms
  [  1602] web/0: spawn -> starting
< [  1605] web/0 executed
  [  1605] web/0: executed -> starting
> [  1605] probe web/0#2 BEGIN
< [  1700] probe web/0 failed
< [  1750] web/0 extend 2s
> [  1800] probe web/0#2 BEGIN
< [  1900] probe web/0 failed
> [  2100] probe web/0#2 BEGIN
< [  2200] probe web/0 failed
> [  2600] probe web/0#2 BEGIN
< [  2700] probe web/0 failed
> [  3500] probe web/0#2 BEGIN
  [  3750] web/0: not ready in time, TERM -> stopping
> [  3750] probe web/0#2 END
> [  3750] web/0#2 SIGNAL TERM, CONT
< [  3751] probe web/0 failed
< [  3752] web/0 killed by TERM
  [  3752] web/0: killed by TERM -> backoff 200ms
  [  3952] web/0: spawn -> starting
  [  5452] web/0: not ready in time, TERM -> stopping
> [  5452] web/0#3 SIGNAL TERM, CONT
  [  6452] web/0: 1s of grace over, KILL -> killed
> [  6452] web/0#3 SIGNAL KILL
= goes on
