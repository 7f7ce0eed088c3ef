/* same_process = no and foregroundChild: which program runs, what it gets, and that signals go in and exit codes and
 * deaths by a signal come out. */
'use strict';

const assert = require('assert');
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { describe, it } = require('node:test');
const { ended, environment, files, firstLine, stub } = require('./harness.cjs');

const cwd = files({
    next: `#!/bin/sh\nNEXT="$0" exec "${process.execPath}" "$@"\n`,
    'show.js':
        `const { NEXT, SPAWN_WRAP_INSIDE } = process.env;
      console.log(JSON.stringify([NEXT, process.execArgv, process.argv.slice(2), SPAWN_WRAP_INSIDE]));`,
});
const next = path.join(cwd, 'next');
fs.chmodSync(next, 0o755);

// Runs a wrapper, the text of a function's body, in mode sub.
function start(body, args = [], options = {}, more = {}) {
    const wrapper = path.join(
        files({
            'w.js':
                `module.exports = function ({ args, context, ...api }) {\n` +
                `const { foregroundChild } = context.deps;\n${body}\n};`,
        }),
        'w.js',
    );
    const { env, ...rest } = options;
    return spawn(process.execPath, [stub('sub', [wrapper], more), ...args], {
        cwd,
        env: environment({ SPAWN_WRAP_MAIN: next, ...env }),
        stdio: ['ignore', 'pipe', 'pipe'],
        ...rest,
    });
}

describe('a wrapper in a process of its own', { concurrency: 3 }, () => {
    it('gets all arguments, no runMain, and the next layer as process.execPath', async () => {
        const seen = await ended(
            start(
                `console.log(JSON.stringify({ args, api, argv: process.argv, execPath: process.execPath,
      same: context.sameProcess, mode: context.mode, data: context.data, inside: process.env.SPAWN_WRAP_INSIDE,
      wrapper: context.wrapper === __filename && process.argv[1] === __filename }));`,
                ['-r', './x.js', 'foo.js', 'bar', ''],
            ),
        );
        assert.deepStrictEqual(JSON.parse(seen.stdout), {
            args: ['-r', './x.js', 'foo.js', 'bar', ''],
            api: {},
            argv: [next, JSON.parse(seen.stdout).argv[1], '-r', './x.js', 'foo.js', 'bar', ''],
            execPath: next,
            same: false,
            mode: 'sub-process',
            data: {},
            inside: 'outer inner',
            wrapper: true,
        });
    });
    const real = JSON.stringify(process.execPath);
    for (const [call, via] of [
        ['process.execPath, args', true],
        ['"node", args', true],
        [`${real}, args`, true],
        ['context.shimExecutable, args', true],
        ['"nodejs", args', true],
        ['"/usr/bin/was", args', true],
        ['"node", ...args', true],
        ['["node", ...args]', true],
        ['"node", args, (done) => done()', true],
        ['"node", args, {}', true],
        ['"node", args, { env: process.env }, async () => {}', true],
        [JSON.stringify(path.join(cwd, 'next2')) + ', args', 'next2'],
    ]) {
        it(`foregroundChild(${call}) runs the next layer`, async () => {
            const other = path.join(cwd, 'next2');
            if (via === 'next2') fs.copyFileSync(next, other);
            const seen = await ended(
                start(
                    `foregroundChild(${call});`,
                    ['--no-warnings', 'show.js', 'a', '', 'b c'],
                    {},
                    {
                        shimExecutable: '/the/shims/nodejs',
                        files: [{ executed: process.execPath, path: '/usr/bin/was' }],
                    },
                ),
            );
            assert.deepStrictEqual(
                [seen.code, seen.stderr, JSON.parse(seen.stdout)],
                [0, '', [via === 'next2' ? other : next, ['--no-warnings'], ['a', '', 'b c'], 'outer inner']],
            );
        });
    }
    it('child_process.spawn(process.execPath) runs the next layer', async () => {
        const seen = await ended(
            start('require("child_process").spawn(process.execPath, args, { stdio: "inherit" });', ['show.js']),
        );
        assert.strictEqual(JSON.parse(seen.stdout)[0], next);
    });
    it("adds arguments, as the original's README shows", async () => {
        const seen = await ended(
            start('foregroundChild(process.execPath, ["--require", context.preloadScript, ...args]);', ['-p', '1+1']),
        );
        assert.deepStrictEqual([seen.code, seen.stdout, seen.stderr], [0, '2\n', '']);
    });
    it('an error, also a rejection, is an exit with 1', async () => {
        for (const body of ['throw new Error("boom");', 'return Promise.reject(new Error("boom"));']) {
            const seen = await ended(start(body));
            assert.strictEqual(seen.code, 1);
            assert.match(seen.stderr, /^Error: boom$/m);
        }
    });
    it('stdin goes to the child', async () => {
        const child = start('foregroundChild("cat");', [], { stdio: ['pipe', 'pipe', 'pipe'] });
        child.stdin.end('some bytes');
        assert.strictEqual((await ended(child)).stdout, 'some bytes');
    });
});

describe('the end of a child', { concurrency: 3 }, () => {
    for (const code of [0, 1, 2, 13, 42, 111, 127, 128, 143, 255]) {
        it(`exit ${code}`, async () => {
            const seen = await ended(start(`foregroundChild("sh", ["-c", "exit ${code}"]);`));
            assert.deepStrictEqual([seen.code, seen.signal, seen.stderr], [code, null, '']);
        });
    }
    for (const name of [
        'SIGHUP',
        'SIGINT',
        'SIGQUIT',
        'SIGILL',
        'SIGTRAP',
        'SIGABRT',
        'SIGBUS',
        'SIGFPE',
        'SIGKILL',
        'SIGUSR1',
        'SIGSEGV',
        'SIGUSR2',
        'SIGPIPE',
        'SIGALRM',
        'SIGTERM',
        'SIGSTKFLT',
        'SIGXCPU',
        'SIGXFSZ',
        'SIGVTALRM',
        'SIGPROF',
        'SIGIO',
        'SIGPWR',
        'SIGSYS',
    ]) {
        it(`death by ${name}`, async () => {
            const body = `foregroundChild("sh", ["-c", "ulimit -c 0; kill -${os.constants.signals[name]} $$"]);`;
            const seen = await ended(start(body));
            assert.deepStrictEqual([seen.code, seen.signal], [null, name]);
        });
    }
    it('the callback comes first, sees the code and may change it', async () => {
        const show = 'console.log(process.exitCode); process.exitCode = 7;';
        for (const callback of [
            `(done) => { ${show} setTimeout(() => { done(); done(); }, 1); }`,
            `async () => { ${show} }`,
        ]) {
            const seen = await ended(start(`foregroundChild("sh", ["-c", "exit 5"], ${callback});`));
            assert.deepStrictEqual([seen.code, seen.stdout], [7, '5\n']);
        }
    });
    it('the callback sees 128+n of a signal', async () => {
        const seen = await ended(
            start('foregroundChild("sh", ["-c", "kill $$"], (done) => { console.log(process.exitCode); done(); });'),
        );
        assert.deepStrictEqual([seen.code, seen.signal, seen.stdout], [null, 'SIGTERM', '143\n']);
    });
    it('a wrapper that exits hangs up on the child', async () => {
        const main = path.join(
            files({
                'm.js': `process.on("SIGHUP", () => { console.log("hung up"); process.exit(); });
      process.on("SIGUSR2", () => {}); console.log("ready"); setInterval(() => {}, 1000);`,
            }),
            'm.js',
        );
        const child = start('foregroundChild(process.execPath, args); process.on("SIGUSR2", () => process.exit(4));', [
            main,
        ]);
        const end = ended(child);
        await firstLine(child);
        child.kill('SIGUSR2');
        const seen = await end;
        assert.deepStrictEqual([seen.code, seen.stdout], [4, 'ready\nhung up\n']);
    });
});

describe('signals to the wrapper', { concurrency: 3 }, () => {
    const waits = 'setInterval(() => {}, 1000);';
    for (const name of [
        'SIGHUP',
        'SIGINT',
        'SIGQUIT',
        'SIGTRAP',
        'SIGABRT',
        'SIGUSR1',
        'SIGUSR2',
        'SIGALRM',
        'SIGTERM',
        'SIGSTKFLT',
        'SIGCONT',
        'SIGURG',
        'SIGXCPU',
        'SIGXFSZ',
        'SIGVTALRM',
        'SIGWINCH',
        'SIGIO',
        'SIGPWR',
        'SIGSYS',
    ]) {
        it(`${name} reaches the child, which exits as it likes`, async () => {
            const main = path.join(
                files({
                    'm.js': `process.on("${name}", (name) => { console.log(name); process.exit(5); });
        console.log("ready"); ${waits}`,
                }),
                'm.js',
            );
            const child = start('foregroundChild(process.execPath, args);', [main]);
            const end = ended(child);
            await firstLine(child);
            child.kill(name);
            const seen = await end;
            assert.deepStrictEqual([seen.code, seen.signal, seen.stdout.split('\n').length], [5, null, 3]);
        });
    }
    it('SIGTERM kills a child that does not handle it, and the wrapper dies of it too', async () => {
        const child = start('foregroundChild("sh", ["-c", "echo ready; exec sleep 1000"]);');
        const end = ended(child);
        await firstLine(child);
        child.kill('SIGTERM');
        assert.strictEqual((await end).signal, 'SIGTERM');
    });
    it('SIGTSTP stops both, SIGCONT continues both', async () => {
        const main = path.join(
            files({ 'm.js': `process.on("SIGCONT", () => process.exit(6)); console.log(process.pid); ${waits}` }),
            'm.js',
        );
        const child = start('foregroundChild(process.execPath, args);', [main]);
        const end = ended(child);
        const pid = Number(await firstLine(child));
        const stopped = (of) => / T /.test(fs.readFileSync(`/proc/${of}/stat`, 'latin1').replace(/.*\)/s, ''));
        child.kill('SIGTSTP');
        // No event tells a grandparent.
        while (!stopped(pid) || !stopped(child.pid)) await new Promise((again) => setTimeout(again, 5));
        child.kill('SIGCONT');
        assert.deepStrictEqual((await end).code, 6);
    });
});
