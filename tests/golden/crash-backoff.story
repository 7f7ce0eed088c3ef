; A worker that crashes is started again: after 100ms, then 200ms, then 300ms and never more, as its restart_delay says.
; Once it was well for stable_after, counted from being ready, the delay begins anew.

[worker:web]
start = node server.js
restart_delay = 100ms..300ms
stable_after = 10s
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  2000] web/0 exited 1
  [  2000] web/0: exited 1 -> backoff 100ms
  [  2100] web/0: spawn -> starting
< [  2103] web/0 executed
  [  2103] web/0: executed -> ready
< [  2200] web/0 killed by SEGV
  [  2200] web/0: killed by SEGV -> backoff 200ms
  [  2400] web/0: spawn -> starting
< [  2400] web/0 exec failed ENOENT
  [  2400] web/0: cannot be executed: ENOENT
< [  2400] web/0 exited 127
  [  2400] web/0: exited 127 -> backoff 300ms
  [  2700] web/0: spawn -> starting
< [  2703] web/0 executed
  [  2703] web/0: executed -> ready

; 9.999 s of health are not enough, 10 s are.
< [ 12702] web/0 exited 1
  [ 12702] web/0: exited 1 -> backoff 300ms
  [ 13002] web/0: spawn -> starting
< [ 13005] web/0 executed
  [ 13005] web/0: executed -> ready
< [ 23005] web/0 exited 1
  [ 23005] web/0: exited 1 -> backoff 100ms
  [ 23105] web/0: spawn -> starting
= goes on
