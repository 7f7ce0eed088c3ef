; The terminal of brood is gone: that is a stop, whatever a HUP that somebody sends would do. A second one in the stop
; is nothing.

[signals]
HUP = forward USR1

[worker:web]
start = node server.js
----
< [     0] boot
  [     0] container: boot -> run
  [     0] web/0: spawn -> starting
< [     3] web/0 executed
  [     3] web/0: executed -> ready
< [  1000] HUP
> [  1000] web/0#1 SIGNAL USR1
< [  2000] HUP of the terminal
  [  2000] container: HUP -> stop, 10s
  [  2000] web/0: stop signal HUP -> stopping
> [  2000] web/0#1 SIGNAL HUP, CONT
< [  3000] HUP of the terminal
< [  3500] HUP
> [  3500] web/0#1 SIGNAL USR1
< [  4000] web/0 killed by HUP
  [  4000] web/0: killed by HUP -> down
  [  4000] container: no worker left -> stragglers
> [  4000] stragglers SIGNAL TERM
< [  4000] no child left
  [  4000] container: no process left -> done
= 0: stopped by HUP
