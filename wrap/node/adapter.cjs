/* Runs wrapper modules with spawn-wrap's API inside a node that brood's shim has executed.
 *
 * The shim puts a small file, the stub, in front of node's main module; the stub calls what this module exports with
 * a description of the wrap. Mode "same": the wrappers run here, outermost first, and runMain() of the last one
 * starts the program as node itself would have. Mode "sub": one wrapper runs here, with all arguments, and
 * foregroundChild() runs the next layer, whose path is SPAWN_WRAP_MAIN, as a child.
 *
 * Public API, so that it holds for Node 18 and whatever comes; the exceptions, stopReading() and leaveCluster(), do
 * nothing where they find nothing. No dependency; child_process is loaded when it is needed: every wrapped process
 * pays for this. */
'use strict';

const Module = module.constructor; // require('module') builds an ESM facade too, some 0.2 ms in each process
const path = require('path');

const stub = process.argv[1];
const executed = process.execPath;
const startDirectory = directoryNow();

// The directory may be gone. Node then leaves the main module's path as it is, and so do we.
function directoryNow() {
    try {
        return process.cwd();
    } catch {
        return null;
    }
}

function debug(text) {
    if (process.env.SPAWN_WRAP_DEBUG !== '1') return;
    try {
        require('fs').writeSync(2, `brood-adapter[${process.pid}]: ${text}\n`);
    } catch {
        // A full or closed stderr is no reason to fail.
    }
}

// --- the wrapper module ----------------------------------------------------------------------------------------------

// In a callback of its own a throw is an uncaught exception for node, whatever --unhandled-rejections says.
function rethrow(error) {
    process.nextTick(() => {
        throw error;
    });
}

// Calls then(exports), at once where require() can load the file: a synchronous wrapper delays nothing.
function loadWrapper(file, then) {
    let exported;
    try {
        exported = require(file);
    } catch (error) {
        if (!error || (error.code !== 'ERR_REQUIRE_ESM' && error.code !== 'ERR_REQUIRE_ASYNC_MODULE')) throw error;
        debug(`importing ${file}: ${error.code}`);
        // Out of the promise before anything of the program runs, so that what it throws is no rejection.
        import(require('url').pathToFileURL(file).href).then((names) => process.nextTick(then, names), rethrow);
        return;
    }
    then(exported);
}

function functionOf(exported) {
    if (typeof exported === 'function') return exported;
    let candidate = exported && exported.default;
    // An imported CommonJS module, or one that was compiled to CommonJS: its default export lies one level down.
    if (candidate && typeof candidate !== 'function') candidate = candidate.default;
    return typeof candidate === 'function' ? candidate : null;
}

function callWrapper(wrapper, api) {
    loadWrapper(wrapper, (exported) => {
        const wrap = functionOf(exported);
        if (wrap === null) {
            debug(`${wrapper} exports no function, it was loaded`);
            return;
        }
        debug(`calling ${wrapper}`);
        const result = wrap(api);
        if (result && typeof result.then === 'function') result.then(undefined, rethrow);
    });
}

function makeContext(config, wrap, foregroundChild) {
    const same = config.mode === 'same';
    return Object.freeze({
        module: __filename,
        deps: Object.freeze({ debug, foregroundChild }),
        key: config.key,
        shimDir: config.shimDir,
        shimScript: stub,
        shimExecutable: config.shimExecutable,
        preloadScript: config.preloadScript,
        wrapper: wrap.wrapper,
        data: wrap.data,
        mode: same ? 'same-process' : 'sub-process',
        sameProcess: same,
        root: Object.freeze({ ...config.root }),
    });
}

// --- one process -----------------------------------------------------------------------------------------------------

function isEntryUrl() {
    const words = process.execArgv.concat((process.env.NODE_OPTIONS || '').split(' '));
    return words.some((word) => word.replace(/_/g, '-') === '--entry-url');
}

// As node does before it loads a main module. The directory is that of the start: a wrapper may have left it.
function absoluteMain(main) {
    if (!main || main[0] === '-' || startDirectory === null || isEntryUrl()) return main;
    return path.resolve(startDirectory, main);
}

// The name in the package.json that is nearest to a file, or undefined.
function packageNameOf(file) {
    const fs = require('fs');
    for (let directory = path.dirname(fs.realpathSync(file)); ; directory = path.dirname(directory)) {
        try {
            return JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')).name;
        } catch (error) {
            if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
        }
        if (directory === path.dirname(directory)) return undefined;
    }
}

// These compute where global packages lie from process.execPath: with the shim's they would install into its directory.
function isPackageManager(main) {
    try {
        return ['npm', 'pnpm', '@pnpm/exe', 'yarn', 'corepack'].includes(
            packageNameOf(require.resolve(absoluteMain(main))),
        );
    } catch {
        return false; // no such main: node will say so
    }
}

function setExecPath(file) {
    process.execPath = file;
    process.argv[0] = file;
}

function setExecPathSame(config) {
    const bound = (config.files || []).find((entry) => entry.executed === executed);
    if (bound) setExecPath(bound.path);
    if (config.execPath && !isPackageManager(process.argv[1])) setExecPath(config.execPath);
    debug(`process.execPath is ${process.execPath}`);
}

// The shim added one item while the wrappers run; from here on programs are wrapped again.
function leaveWrapper() {
    const items = (process.env.SPAWN_WRAP_INSIDE || '').split(' ').filter((item) => item !== '');
    items.pop();
    if (items.length > 0) process.env.SPAWN_WRAP_INSIDE = items.join(' ');
    else delete process.env.SPAWN_WRAP_INSIDE;
}

// Nothing of ours is in the cache that a program may look through, and a main that a wrapper loaded runs again.
function forgetModules(main) {
    delete require.cache[stub];
    delete require.cache[__filename];
    delete process.mainModule;
    try {
        delete require.cache[require.resolve(main)];
    } catch {
        // A URL, or no such file: node will say so.
    }
}

function runProgram() {
    leaveWrapper();
    const main = absoluteMain(process.argv[1]);
    process.argv[1] = main;
    debug(`running ${main}`);
    forgetModules(main);
    Module.runMain(main);
}

function runSame(config, at) {
    const wrap = config.wraps[at];
    let ran = false;
    process.argv.splice(1, 0, wrap.wrapper);
    callWrapper(wrap.wrapper, {
        args: process.argv.slice(2),
        context: makeContext(config, wrap, foregroundChild),
        runMain() {
            if (ran) throw new Error('runMain() was called before, the main module has been started');
            ran = true;
            process.argv.splice(1, 1);
            if (at + 1 < config.wraps.length) runSame(config, at + 1);
            else runProgram();
        },
    });
}

// --- a process of its own --------------------------------------------------------------------------------------------

function runSub(config) {
    const next = process.env.SPAWN_WRAP_MAIN;
    const aliases = new Set(['node', path.basename(config.shimExecutable), config.shimExecutable, executed]);
    for (const entry of config.files || []) if (entry.executed === executed) aliases.add(entry.path);
    if (next) setExecPath(next);
    debug(`the next layer is ${next}`);
    // Messages wait until somebody listens, but a socket that comes with one reads from the moment it is there, and
    // what it reads before foregroundChild() could not be passed on.
    if (process.connected) process.on('internalMessage', (message, raw) => stopReading({ _handle: raw }));
    const wrap = config.wraps[0];
    process.argv.splice(1, 0, wrap.wrapper);
    callWrapper(wrap.wrapper, {
        args: process.argv.slice(2),
        context: makeContext(config, wrap, (...words) => {
            const call = readCall(words);
            if (next && aliases.has(call.program)) call.program = next;
            return runChild(call);
        }),
    });
}

// --- foregroundChild: a child in this process's place ----------------------------------------------------------------

// (program, args?, options?, callback?), (program, ...args, callback?) or ([program, ...args], options?, callback?).
function readCall(words) {
    const rest = words.slice();
    const callback = typeof rest[rest.length - 1] === 'function' ? rest.pop() : (done) => done();
    const last = rest[rest.length - 1];
    const options = last !== null && typeof last === 'object' && !Array.isArray(last) ? rest.pop() : {};
    const list = rest.flat().filter((word) => word !== undefined);
    return { program: list[0], args: list.slice(1), options, callback };
}

function foregroundChild(...words) {
    return runChild(readCall(words));
}

// All that can be caught, but CHLD; PIPE, which node ignores; PROF, which its profiler uses; and what a fault in this
// very process raises: a handler for it would return into the fault for ever.
function forwardedSignals() {
    const never = ['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGPIPE', 'SIGPROF', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL'];
    const numbers = new Map();
    for (const [name, number] of Object.entries(require('os').constants.signals)) {
        if (!never.includes(name) && ![...numbers.values()].includes(number)) numbers.set(name, number);
    }
    return [...numbers.keys()];
}

// Begins before there is a child: one that came between the spawn and the first listener would end this process alone.
// Returns a function that ends the forwarding to what childOf() returns. A signal that stops has to stop this process
// too: the shell that waits for it would wait for ever for a child that it doesn't know; SIGCONT then wakes both.
function forwardSignals(childOf) {
    const listeners = new Map();
    for (const name of forwardedSignals()) {
        const stops = name === 'SIGTSTP' || name === 'SIGTTIN' || name === 'SIGTTOU';
        const listener = () => {
            childOf().kill(name);
            if (stops) process.kill(process.pid, 'SIGSTOP');
        };
        try {
            process.on(name, listener);
            listeners.set(name, listener);
        } catch {
            // One that this platform names and libuv doesn't take.
        }
    }
    return () => {
        for (const [name, listener] of listeners) process.removeListener(name, listener);
    };
}

// A socket that came as a handle reads at once; what it read here would be lost for the one it goes to.
function stopReading(handle) {
    const raw = handle && handle._handle;
    if (raw && typeof raw.readStop === 'function') {
        raw.readStop();
        raw.reading = false;
    }
}

// A server or datagram socket stays open after it was sent, and would take connections here that nobody answers.
function closeSent(handle) {
    const { Socket } = require('net');
    if (handle && !(handle instanceof Socket) && typeof handle.close === 'function') handle.close();
}

// A worker of the cluster module was made one before anything of this file ran: node has told the primary that it is
// online, and would take the connections that the primary deals out. Both are the child's: returns the variable that
// makes it the worker.
function leaveCluster() {
    const worker = process.connected && require('cluster').worker;
    if (!worker) return {};
    worker.exitedAfterDisconnect = true; // else node exits when the channel ends, without waiting for the child
    for (const listener of process.listeners('internalMessage'))
        if (listener.name === 'onInternalMessage') process.removeListener('internalMessage', listener);
    return { NODE_UNIQUE_ID: String(worker.id) };
}

// What comes from one side goes to the other, and so does its disconnection, once all before it is written. Returns a
// function that calls back when nothing is on its way any more.
function relay(from, to) {
    let sending = 0;
    const waiting = [];
    const whenSent = (callback) => {
        waiting.push(callback);
        if (sending === 0) waiting.splice(0).forEach((call) => call());
    };
    const pass = (message, handle, close) => {
        if (!to.connected) return;
        sending += 1;
        to.send(message, handle, () => {
            close(handle);
            sending -= 1;
            if (sending === 0) waiting.splice(0).forEach((call) => call());
        });
    };
    from.on('message', (message, handle) => {
        stopReading(handle);
        pass(message, handle, closeSent);
    });
    // What a cluster's primary and its worker tell each other, with bare handles. See leaveCluster().
    from.on('internalMessage', (message, raw) => {
        if (message && message.cmd === 'NODE_CLUSTER' && message.act !== 'online')
            pass(message, raw, () => raw && raw.close());
    });
    from.on('disconnect', () => whenSent(() => to.connected && to.disconnect()));
    return whenSent;
}

function relayBoth(child) {
    if (!process.connected) return (callback) => callback();
    process.removeAllListeners('message');
    relay(process, child);
    return relay(child, process);
}

// Node deletes the variable that says how messages are coded; the environment as it was at exec still has it.
function serialization() {
    try {
        const words = require('fs').readFileSync('/proc/self/environ', 'latin1').split('\0');
        return words.includes('NODE_CHANNEL_SERIALIZATION_MODE=advanced') ? 'advanced' : 'json';
    } catch {
        return 'json';
    }
}

// Dies as the child did. A listener that comes and goes leaves the default action behind, also where node had another
// one (USR1, PIPE). Where the signal can't end this process (blocked, or it is PID 1) a shell's status says the same.
function dieOf(name) {
    const number = require('os').constants.signals[name];
    try {
        const nothing = () => {};
        process.on(name, nothing);
        process.removeListener(name, nothing);
    } catch {
        // KILL and STOP need no default action.
    }
    try {
        process.kill(process.pid, name);
    } finally {
        setTimeout(() => process.exit(128 + number), 200);
    }
}

function runChild({ program, args, options, callback }) {
    const stdio = [0, 1, 2];
    if (process.connected) stdio.push('ipc');
    debug(`running ${program} as a child`);
    let child;
    const unforward = forwardSignals(() => child);
    const env = { ...(options.env || process.env), ...leaveCluster() };
    const spawned = { serialization: serialization(), ...options, env, stdio };
    try {
        child = require('child_process').spawn(program, args, spawned);
    } catch (error) {
        unforward();
        throw error;
    }
    const whenSent = relayBoth(child);
    const hangUp = () => child.kill('SIGHUP');
    process.on('exit', hangUp);
    const end = (code, signal) => {
        // The callback may look at it, and change it.
        process.exitCode = signal ? 128 + require('os').constants.signals[signal] : code;
        let ended = false;
        const done = () => {
            if (ended) return;
            ended = true;
            unforward();
            process.removeListener('exit', hangUp);
            debug(`${program} ended with ${signal || code}`);
            if (signal) dieOf(signal);
            else process.exit();
        };
        const result = callback(done);
        if (result && typeof result.then === 'function') result.then(done, rethrow);
    };
    // Not 'close': where this side disconnected it never comes. What the child sent last comes before 'disconnect'.
    child.on('exit', (code, signal) => {
        const finish = () => whenSent(() => end(code, signal));
        if (child.connected) child.once('disconnect', finish);
        else finish();
    });
    return child;
}

module.exports = function run(config) {
    debug(`${config.mode}, arguments ${process.argv.slice(2).join(' ')}`);
    process.argv.splice(1, 1); // the stub
    if (config.mode === 'same') {
        setExecPathSame(config);
        runSame(config, 0);
    } else {
        runSub(config);
    }
};
