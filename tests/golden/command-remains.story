; A command that doesn't end although it was sent KILL (a setuid program whose user brood may not signal, a disk that
; hangs) is given up five seconds later. It counts as killed: it did run, and the stop did not cut its start short.
$ --grace 2s
$ -- sudo make
$ no config
----
< [     0] boot
  [     0] container: boot -> run
  [     0] main: spawn -> starting
< [     3] main executed
  [     3] main: executed -> ready
< [   500] TERM
  [   500] container: TERM -> stop, 2s
  [   500] main: stop signal TERM -> stopping
> [   500] main#1 SIGNAL TERM, CONT
> [  2000] stragglers SIGNAL TERM
> [  2500] stragglers SIGNAL KILL
  [  2500] main: 2s of grace over, KILL -> killed
> [  2500] main#1 SIGNAL KILL
  [  7500] container: killed processes remain -> stragglers
> [  7500] stragglers SIGNAL KILL
  [  7500] container: killed processes remain -> done
= 137: main was killed after 2s of grace
