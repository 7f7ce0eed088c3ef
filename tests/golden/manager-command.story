; A command alone: $NOTIFY_SOCKET is the command's, and brood says nothing to it.
$ manager
$ no config
$ -- node server.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] main: spawn -> starting
< [     3] main executed
  [     3] main: executed -> ready
< [  1000] TERM
  [  1000] container: TERM -> stop, 10s
  [  1000] main: stop signal TERM -> stopping
> [  1000] main#1 SIGNAL TERM, CONT
< [  1001] main exited 0
  [  1001] main: exited 0 -> down
  [  1001] container: no worker left -> stragglers
> [  1001] stragglers SIGNAL TERM
< [  1001] no child left
  [  1001] container: no process left -> done
= 0: main exited 0
