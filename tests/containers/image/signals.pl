# Says the number of each signal that it gets, and goes on; with the argument "leave" it ends at TERM, INT and QUIT.
use Config;
use IO::Handle;
STDOUT->autoflush;
my @names = split / /, $Config{sig_name};
for my $number (1 .. $#names) {
    next if $names[$number] =~ /^(KILL|STOP|CHLD|CLD|IOT|POLL|UNUSED)$/;
    my $last = @ARGV && $names[$number] =~ /^(TERM|INT|QUIT)$/;
    $SIG{$names[$number]} = sub { print "got $number\n"; exit 0 if $last };
}
print "ready $$\n";
select undef, undef, undef, undef while 1;
