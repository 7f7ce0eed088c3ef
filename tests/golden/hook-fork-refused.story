; A stop hook that can't be forked for want of processes or memory is tried again, within what the hook may take: until
; the worker gets its signal at half of the grace period, and until the end of it.

[supervisor]
grace = 1s

[worker:web]
start = node server.js
stop = /app/drain
restart_delay = 5s
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
; After a crash: the restart waits for it.
< [  1000] web/0 exited 1
  [  1000] web/0: exited 1 -> cleanup
  [  1000] hook web/0: spawn -> running
< [  1001] hook web/0 fork failed EAGAIN
  [  1001] hook web/0: cannot fork: EAGAIN -> wanted
  [  1101] hook web/0: spawn -> running
< [  1102] hook web/0 fork failed ENOMEM
  [  1102] hook web/0: cannot fork: ENOMEM -> wanted
  [  1202] hook web/0: spawn -> running
< [  1205] hook web/0 executed
< [  1300] hook web/0 exited 0
  [  1300] hook web/0: exited 0 -> ended
  [  1300] web/0: hook ended -> backoff 5s
  [  6300] web/0: spawn -> starting
< [  6303] web/0 executed
  [  6303] web/0: executed -> ready
; Before the signal.
< [  7000] TERM
  [  7000] container: TERM -> stop, 1s
  [  7000] web/0: stop hook -> stop hook
  [  7000] hook web/0: spawn -> running
< [  7000] hook web/0 fork failed EAGAIN
  [  7000] hook web/0: cannot fork: EAGAIN -> wanted
  [  7100] hook web/0: spawn -> running
< [  7450] hook web/0 fork failed EAGAIN
  [  7450] hook web/0: cannot fork: EAGAIN -> wanted
  [  7500] web/0: stop signal TERM -> stopping
> [  7500] web/0#2 SIGNAL TERM, CONT
  [  7550] hook web/0: spawn -> running
< [  7551] hook web/0 fork failed EAGAIN
  [  7551] hook web/0: cannot fork: EAGAIN -> wanted
< [  7600] web/0 exited 0
  [  7600] web/0: exited 0 -> stopping
  [  7651] hook web/0: spawn -> running
< [  7653] hook web/0 executed
< [  7700] hook web/0 exited 0
  [  7700] hook web/0: exited 0 -> ended
  [  7700] web/0: hook ended -> down
  [  7700] container: no worker left -> stragglers
> [  7700] stragglers SIGNAL TERM
< [  7700] no child left
  [  7700] container: no process left -> done
= 0: stopped by TERM
