; No memory, no pids: that is the system's fault, not the worker's. It is tried again after the first delay as often
; as it takes, and counts towards no limit.

[worker:web]
start = node server.js
restart = no
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     0] web/0 fork failed EAGAIN
  [     0] web/0: cannot fork: EAGAIN -> backoff 100ms
  [   100] web/0: spawn -> starting
< [   100] web/0 fork failed ENOMEM
  [   100] web/0: cannot fork: ENOMEM -> backoff 100ms
  [   200] web/0: spawn -> starting
< [   203] web/0 executed
  [   203] web/0: executed -> ready
; What was said about an earlier life is void.
< [   300] web/0#1 exited 1
= goes on
