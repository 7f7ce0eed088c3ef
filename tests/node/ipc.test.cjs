/* A channel to the parent, as child_process.fork() makes it: messages and handles go both ways, early ones aren't
 * lost, and its end is seen; and as the cluster module uses it. The same story runs plain, behind wrappers in the same
 * process, and through foregroundChild. */
'use strict';

const assert = require('assert');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { spawn } = require('child_process');
const { describe, it } = require('node:test');
const { ended, environment, files, firstLine, run, stub } = require('./harness.cjs');

const cwd = files({
    'plain.cjs': 'module.exports = ({ runMain }) => runMain();',
    'late.mjs': 'await new Promise((go) => setTimeout(go, 50)); export default ({ runMain }) => runMain();',
    'sub.cjs': 'module.exports = ({ args, context }) => context.deps.foregroundChild(process.execPath, args);',
    'sub.mjs':
        'await null; export default ({ args, context }) => { context.deps.foregroundChild(process.execPath, args); };',
    'echo.js': `process.on('message', (message) => {
    if (message === 'end') { process.disconnect(); return; }
    process.send({ echo: message, type: Object.prototype.toString.call(message.value) });
  });`,
    'late.js': 'setTimeout(() => process.on("message", (message) => process.send(message, () => process.exit())), 50);',
    'first.js': 'for (let i = 0; i < 200; i++) process.send({ i, fill: "x".repeat(5000) });',
    'handles.js': `process.on('message', (message, handle) => {
    if (message === 'socket') handle.on('data', (data) => handle.end('child got ' + data));
    if (message === 'server') {
      handle.on('connection', (socket) => socket.end(String(process.pid)));
      process.send({ pid: process.pid });
    }
    if (message === 'give') {
      const server = require('net').createServer();
      server.listen(0, '127.0.0.1', () => process.send('given', server));
    }
    if (message === 'end') process.exit(3);
  });`,
    'gone.js':
        `process.on('disconnect', () => console.log('disconnected'));
    process.on('message', () => {}); process.send('ready');`,
    'primary.js': `const cluster = require('cluster');
  const net = require('net');
  const [policy, exec, ...args] = process.argv.slice(2);
  const seen = { online: 0, answers: 0, workers: 0, ends: [] };
  const workers = new Set();
  let listening = 0;
  const ask = (port, left) => {
    if (left === 0) return cluster.disconnect();
    net.connect(port, '127.0.0.1').on('data', (data) => workers.add(String(data)))
      .on('close', () => { seen.answers += 1; ask(port, left - 1); });
  };
  cluster.schedulingPolicy = policy === 'round-robin' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({ exec, args });
  cluster.on('online', () => (seen.online += 1));
  cluster.on('listening', (worker, { port }) => { if ((listening += 1) === 2) ask(port, 10); });
  cluster.on('exit', (worker, code, signal) => {
    seen.ends.push([code, signal, worker.exitedAfterDisconnect]);
    seen.workers = workers.size;
    if (seen.ends.length === 2) console.log(JSON.stringify(seen));
  });
  cluster.fork();
  cluster.fork();`,
    'worker.js': `require('net').createServer((socket) => socket.end(String(require('cluster').worker.id)))
    .listen(0, '127.0.0.1');`,
    next: `#!/bin/sh\nexec "${process.execPath}" "$@"\n`,
});
fs.chmodSync(path.join(cwd, 'next'), 0o755);
const file = (name) => path.join(cwd, name);
const ways = {
    plain: [],
    'same process': [stub('same', [file('plain.cjs')])],
    'same process, late': [stub('same', [file('late.mjs')])],
    'sub process': [stub('sub', [file('sub.cjs')])],
    'sub process, late': [stub('sub', [file('sub.mjs')])],
};

function start(way, main, options = {}) {
    return spawn(process.execPath, [...ways[way], file(main)], {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
        env: environment({ SPAWN_WRAP_MAIN: file('next') }),
        ...options,
    });
}

async function talk(address) {
    const socket = net.connect(address.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (data) => (text += data));
    await once(socket, 'close');
    return text;
}

for (const way of Object.keys(ways)) {
    describe(way, { concurrency: 3 }, () => {
        it('messages both ways', async () => {
            const child = start(way, 'echo.js');
            const end = ended(child);
            for (let i = 0; i < 20; i++) {
                child.send({ i });
                assert.strictEqual((await once(child, 'message'))[0].echo.i, i);
            }
            child.send('end');
            await once(child, 'disconnect');
            assert.strictEqual((await end).code, 0);
        });
        it('a message that comes before the listener', async () => {
            const child = start(way, 'late.js');
            child.send({ early: true });
            const end = ended(child);
            assert.deepStrictEqual((await once(child, 'message'))[0], { early: true });
            assert.strictEqual((await end).code, 0);
        });
        it('many messages at the end', async () => {
            const child = start(way, 'first.js');
            const seen = [];
            child.on('message', ({ i }) => seen.push(i));
            assert.strictEqual((await ended(child)).code, 0);
            assert.deepStrictEqual(seen, [...Array(200).keys()]);
        });
        it('advanced serialization', async () => {
            const child = start(way, 'echo.js', { serialization: 'advanced' });
            const end = ended(child);
            child.send({ value: new Map([[1, 2n]]) });
            const [message] = await once(child, 'message');
            assert.deepStrictEqual([message.type, message.echo.value], ['[object Map]', new Map([[1, 2n]])]);
            child.send('end');
            assert.strictEqual((await end).code, 0);
        });
        it('a socket', async () => {
            const child = start(way, 'handles.js');
            const server = net
                .createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket))
                .listen(0, '127.0.0.1');
            await once(server, 'listening');
            const socket = net.connect(server.address().port, '127.0.0.1');
            socket.write('hello');
            assert.strictEqual(String((await once(socket, 'data'))[0]), 'child got hello');
            server.close();
            child.send('end');
            assert.strictEqual((await ended(child)).code, 3);
        });
        it('a server, to the child and from it', async () => {
            const child = start(way, 'handles.js');
            const end = ended(child);
            const server = net.createServer().listen(0, '127.0.0.1');
            await once(server, 'listening');
            const address = server.address();
            child.send('server', server);
            const [{ pid }] = await once(child, 'message');
            server.close();
            // A copy that a relay kept open would take some of these and never answer.
            for (let i = 0; i < 10; i++) assert.strictEqual(await talk(address), String(pid));
            child.send('give');
            const [message, given] = await once(child, 'message');
            assert.strictEqual(message, 'given');
            given.on('connection', (socket) => socket.end('ours'));
            child.send('end');
            assert.strictEqual((await end).code, 3);
            assert.strictEqual(await talk(given.address()), 'ours');
            given.close();
        });
        it('a cluster', async () => {
            for (const policy of ['round-robin', 'none']) {
                const words = [file('primary.js'), policy, ...ways[way], file('worker.js')];
                const { stdout, code } = await run(words, { env: { SPAWN_WRAP_MAIN: file('next') } });
                assert.strictEqual(code, 0);
                const { workers, ...rest } = JSON.parse(stdout);
                // Without a policy the kernel chooses, perhaps always the same one.
                assert.ok(policy === 'round-robin' ? workers === 2 : workers >= 1, `${workers} answered`);
                const end = [0, null, true];
                assert.deepStrictEqual(rest, { online: 2, answers: 10, ends: [end, end] });
            }
        });
        it('the parent disconnects', async () => {
            // Node emits no 'close' for a child that the parent disconnected from.
            const child = start(way, 'gone.js');
            const line = firstLine(child);
            await once(child, 'message');
            child.disconnect();
            const [code, signal] = await once(child, 'exit');
            assert.deepStrictEqual([code, signal, await line], [0, null, 'disconnected']);
        });
    });
}
