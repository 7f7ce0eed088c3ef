; One command and no config: it gets every signal; TERM begins the grace period, and a second one that counts kills. Its
; status is brood's, whatever happened.
$ --grace 2s
$ -- sleep 60
$ no config
----
< [     0] boot
  [     0] container: boot -> run
  [     0] main: spawn -> starting
< [     3] main executed
  [     3] main: executed -> ready
< [   500] USR1
> [   500] main#1 SIGNAL USR1
< [  1000] TERM
  [  1000] container: TERM -> stop, 2s
  [  1000] main: stop signal TERM -> stopping
> [  1000] main#1 SIGNAL TERM, CONT
< [  1100] USR2
> [  1100] main#1 SIGNAL USR2
< [  1200] main exited 5
  [  1200] main: exited 5 -> down
  [  1200] container: no worker left -> stragglers
> [  1200] stragglers SIGNAL TERM
< [  1200] no child left
  [  1200] container: no process left -> done
= 5: main exited 5
