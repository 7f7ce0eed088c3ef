; [primary] alone: its start, then its stop hook, then the end. A fork that the system refuses is tried again.

[primary]
start = /app/once
stop = /app/cleanup
----
< [     0] boot
  [     0] container: boot -> primary
  [     0] primary: start -> running
< [     0] primary fork failed EAGAIN
  [     0] primary: cannot fork: EAGAIN -> wanted
  [   100] primary: start -> running
< [   102] primary executed
< [   900] primary exited 0
  [   900] primary: exited 0 -> ended
  [   900] container: primary done -> run
  [   900] container: no worker left -> stragglers
> [   900] stragglers SIGNAL TERM
< [   900] no child left
  [   900] container: no process left -> finish
  [   900] primary: stop hook -> running
< [   902] primary executed
< [   950] primary exited 1
  [   950] primary: exited 1 -> ended
> [   950] stragglers SIGNAL TERM
< [   950] no child left
  [   950] container: stop hook done -> done
= 0: all is done
