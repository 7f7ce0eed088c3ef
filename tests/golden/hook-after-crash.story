; A worker that ends by itself has its stop hook run after it, and is not started again before the hook has ended. One
; that never became ready has nothing to clean up.

[worker:web]
start = node server.js
ready = notify
stop = /app/cleanup
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> starting
< [    50] web/0 ready
  [    50] web/0: ready -> ready
< [  1000] web/0 killed by ABRT
  [  1000] web/0: killed by ABRT -> cleanup
  [  1000] hook web/0: spawn -> running
< [  1003] hook web/0 executed
< [  1800] hook web/0 exited 0
  [  1800] hook web/0: exited 0 -> ended
  [  1800] web/0: hook ended -> backoff 100ms
  [  1900] web/0: spawn -> starting
< [  1903] web/0 executed
  [  1903] web/0: executed -> starting
< [  2000] web/0 exited 1
  [  2000] web/0: exited 1 -> backoff 200ms
  [  2200] web/0: spawn -> starting
= goes on
