; Readiness by probes: the first at once, then, each after the one before has failed, after 100 ms doubling to 1 s. The
; first that succeeds makes the worker ready, and there is no probe after it.

[worker:web]
start = node server.js
ready = tcp:127.0.0.1:8080

[worker:slow]
start = /app/slow
ready = file:/run/slow.ready
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
  [     0] slow/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
> [     3] probe web/0#1 BEGIN
< [     4] probe web/0 failed
> [   104] probe web/0#1 BEGIN
< [   105] probe web/0 failed
> [   305] probe web/0#1 BEGIN
< [   306] probe web/0 succeeded
  [   306] web/0: ready -> ready

< [  1000] slow/0 executed
  [  1000] slow/0: executed -> starting
> [  1000] probe slow/0#1 BEGIN
< [  1000] probe slow/0 failed
> [  1100] probe slow/0#1 BEGIN
< [  1100] probe slow/0 failed
> [  1300] probe slow/0#1 BEGIN
< [  1300] probe slow/0 failed
> [  1700] probe slow/0#1 BEGIN
< [  1700] probe slow/0 failed
> [  2500] probe slow/0#1 BEGIN
< [  2500] probe slow/0 failed
> [  3500] probe slow/0#1 BEGIN
< [  3500] probe slow/0 failed
> [  4500] probe slow/0#1 BEGIN
< [  4500] probe slow/0 succeeded
  [  4500] slow/0: ready -> ready
= goes on
