; No worker is left to run: everything was ready, in that its work is done, and the stop follows by itself.
$ manager

[worker:job]
start = /app/job
kill_after_completed = yes
----
< [     0] boot
  [     0] container: boot -> run
  [     0] job/0: spawn -> starting
< [     3] job/0 executed
  [     3] job/0: executed -> ready
< [  1000] job/0 exited 0
  [  1000] job/0: exited 0 -> completed
> [  1000] manager READY
  [  1000] container: no worker left -> stragglers
> [  1000] stragglers SIGNAL TERM
> [  1000] manager STOPPING
> [  1000] manager EXTEND 15s
< [  1000] no child left
  [  1000] container: no process left -> done
= 0: all workers completed
