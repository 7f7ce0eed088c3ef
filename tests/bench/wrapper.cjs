// The smallest wrapper, for both: brood hands it runMain(), spawn-wrap has it among its exports. The exit status shows
// that it ran.
'use strict';

process.exitCode = 3;
if (process.env.BENCH_SPAWN_WRAP) require(process.env.BENCH_SPAWN_WRAP).runMain();
else module.exports = ({ runMain }) => runMain();
