; on_failure = continue: the others go on. When no worker is left the container ends with the status of the first that
; failed for good, though the last one completed.

[worker:a]
start = /app/a
restart = no
on_failure = continue

[worker:b]
start = /app/b
restart = no
on_failure = continue

[worker:c]
start = /app/c
----
< [     0] boot
  [     0] container: boot -> run
  [     0] a/0: spawn -> starting
  [     0] b/0: spawn -> starting
  [     0] c/0: spawn -> starting
< [     3] a/0 executed
  [     3] a/0: executed -> ready
< [     3] b/0 executed
  [     3] b/0: executed -> ready
< [     3] c/0 executed
  [     3] c/0: executed -> ready
< [  1000] b/0 killed by SEGV
  [  1000] b/0: killed by SEGV -> failed
< [  2000] a/0 exited 4
  [  2000] a/0: exited 4 -> failed
< [  3000] c/0 exited 0
  [  3000] c/0: exited 0 -> completed
  [  3000] container: no worker left -> stragglers
> [  3000] stragglers SIGNAL TERM
< [  3000] no child left
  [  3000] container: no process left -> done
= 139: b/0 failed for good: it was killed by SEGV
