// A Node parent: for each line on its standard input it runs `node FILE` to its end, and prints its exit status and the
// nanoseconds that took. With BENCH_SPAWN_WRAP in its environment it has wrapped its children by spawn-wrap before.
'use strict';

const { spawn } = require('child_process');
const [file, wrapper] = process.argv.slice(2);

if (process.env.BENCH_SPAWN_WRAP) require(process.env.BENCH_SPAWN_WRAP)([wrapper]);

require('readline').createInterface({ input: process.stdin }).on('line', () => {
    const begin = process.hrtime.bigint();
    spawn('node', [file], { stdio: ['ignore', 'ignore', 'inherit'] }).on('exit', (code, signal) => {
        const duration = process.hrtime.bigint() - begin;
        process.stdout.write(`${signal || code} ${duration}\n`);
    });
});
