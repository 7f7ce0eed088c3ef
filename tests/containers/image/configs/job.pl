# A shell's job that can be seen to run: says when it is there, and when it goes on after a stop.
$| = 1;
$SIG{CONT} = sub { print "back\n" };
print "up\n";
sleep 1000 while 1;
