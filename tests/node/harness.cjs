/* What the tests of the Node adapter share: files in a directory of their own, a stub as brood writes it, and node
 * run with and without it. Everything is awaited by its event; a child that doesn't end is killed after a minute. */
'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.resolve(__dirname, '../..');
const adapter = path.join(root, 'wrap/node/adapter.cjs');
const preload = path.join(root, 'wrap/node/preload.cjs');
const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'brood-node-')));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));

let count = 0;

// Writes { name: text } into a new directory and returns its path.
function files(contents) {
    const target = path.join(directory, String((count += 1)));
    fs.mkdirSync(target);
    for (const [name, text] of Object.entries(contents)) {
        fs.mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
        fs.writeFileSync(path.join(target, name), text);
    }
    return target;
}

// A stub that runs wrappers, each a path or { wrapper, data }; `more` is what else the configuration has.
function stub(mode, wrappers, more = {}) {
    const wraps = wrappers.map((wrap) => (typeof wrap === 'string' ? { wrapper: wrap, data: {} } : wrap));
    const config = {
        mode,
        key: 'the-key',
        shimDir: '/the/shims',
        shimExecutable: '/the/shims/node',
        preloadScript: preload,
        root: { execPath: '/the/brood', pid: 1 },
        wraps,
        execPath: null,
        files: [],
        ...more,
    };
    const file = path.join(files({}), 'stub.cjs');
    fs.writeFileSync(file, `require(${JSON.stringify(adapter)})(${JSON.stringify(config)});\n`);
    return file;
}

function environment(more = {}) {
    const env = { ...process.env, SPAWN_WRAP_INSIDE: 'outer inner', ...more };
    for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_CHANNEL_FD']) if (!(name in more)) delete env[name];
    for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
    return env;
}

// Returns a promise of { code, signal, stdout, stderr }.
function ended(child) {
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        if (child[name]) child[name].setEncoding('utf8').on('data', (text) => (out[name] += text));
    }
    const limit = setTimeout(() => child.kill('SIGKILL'), 60000);
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => {
            clearTimeout(limit);
            resolve({ code, signal, ...out });
        });
    });
}

// Runs this node; options: cwd, env (added), input, argv0, stdio.
function run(args, { input, env, ...options } = {}) {
    const child = spawn(process.execPath, args, { env: environment(env), ...options });
    if (child.stdin) child.stdin.on('error', () => {}).end(input);
    return ended(child);
}

// Awaits the first line that a child writes.
function firstLine(child) {
    return new Promise((resolve) => {
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (more) => {
            text += more;
            if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
        });
    });
}

module.exports = { directory, environment, ended, files, firstLine, preload, run, stub };
