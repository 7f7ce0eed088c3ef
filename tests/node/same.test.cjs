/* same_process = yes: the wrapper API, and that a main module can't tell whether it was wrapped: each kind of main
 * runs plain and behind a wrapper, and what it sees, prints and ends with has to be the same. */
'use strict';

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { describe, it } = require('node:test');
const { files, preload, run, stub } = require('./harness.cjs');

const [major, minor] = process.versions.node.split('.').map(Number);
const plain = files({
    'plain.cjs': 'module.exports = ({ runMain }) => runMain();',
    'plain.mjs': 'export default ({ runMain }) => runMain();',
    'late.cjs': 'module.exports = ({ runMain }) => setImmediate(runMain);',
    'async.cjs': 'module.exports = async ({ runMain }) => { await null; runMain(); };',
    'await.mjs': 'await new Promise((go) => setImmediate(go)); export default ({ runMain }) => runMain();',
});
const wrappers = ['plain.cjs', 'plain.mjs', 'late.cjs', 'async.cjs', 'await.mjs'].map((name) => path.join(plain, name));

const see = `
const seen = { argv: process.argv, argv0: process.argv0, execArgv: process.execArgv, execPath: process.execPath,
  title: process.title, loaded: globalThis.loaded, mainModule: process.mainModule && process.mainModule.filename,
  hasMainModule: 'mainModule' in process, stdin: require('fs').readFileSync(0, 'utf8') };`;
const seeCommon = `${see}
Object.assign(seen, { main: require.main === module, id: module.id, parent: module.parent, filename: __filename,
  cached: Object.keys(require.cache).filter((name) => !/plain|late|async|await/.test(name)),
  children: module.children.length, paths: module.paths });
console.log(JSON.stringify(seen));`;
const seeModule = `import { createRequire } from 'module'; const require = createRequire(import.meta.url);${see}
Object.assign(seen, { url: import.meta.url, main: import.meta.main, requireMain: String(require.main),
  cached: Object.keys(require.cache).filter((name) => !/plain|late|async|await/.test(name)) });
console.log(JSON.stringify(seen));`;

// Stacks differ, and with them the pid of a warning and the place where an error was thrown.
function withoutStack(text) {
    return text
        .split('\n')
        .filter((line) => !/^    at /.test(line))
        .join('\n')
        .replace(/\(node:\d+\)/g, '(node)');
}

// The error itself: where a wrapper was asynchronous node shows another source line above it.
function errorOf(text) {
    return withoutStack(text)
        .split('\n')
        .filter((line) => /^[A-Za-z]*(Error|boom)/.test(line))
        .join('\n');
}

async function same(
    before,
    main,
    after = [],
    options = {},
    filter = withoutStack,
    chosen = [wrappers[0], wrappers[4]],
) {
    const expected = await run([...before, main, ...after], options);
    for (const wrapper of chosen) {
        const seen = await run([...before, stub('same', [wrapper]), main, ...after], options);
        assert.deepStrictEqual(
            { code: seen.code, signal: seen.signal, out: seen.stdout, error: filter(seen.stderr) },
            { code: expected.code, signal: expected.signal, out: expected.stdout, error: filter(expected.stderr) },
            wrapper,
        );
    }
    return expected;
}

describe('main modules as without a wrapper', { concurrency: 3 }, () => {
    const cwd = files({
        'main.cjs': seeCommon,
        'main.js': seeCommon,
        'main.mjs': seeModule,
        plainmain: seeCommon,
        'in/package.json': '{"main":"lib/x.js"}',
        'in/lib/x.js': seeCommon,
        'index/index.js': seeCommon,
        'esm/package.json': '{"type":"module"}',
        'esm/main.js': seeModule,
        '-dash.js': seeCommon,
        'a b\n$x.js': seeCommon,
        'throws.js': 'console.log(1); throw new Error("boom");',
        'throws.mjs': 'console.log(1); throw new Error("boom");',
        'rejects.js': 'Promise.reject(new Error("boom"));',
        'exits.js': 'process.exit(7);',
        'code.mjs': 'process.exitCode = 9;',
        'never.mjs': 'await new Promise(() => {});',
        'dies.js': 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 9);',
        'syntax.js': 'let = ;',
        'handler.js':
            `process.on('uncaughtException', (error, origin) => console.log(error.message, origin));
      throw new Error('boom');`,
        'pre.cjs': 'globalThis.loaded = (globalThis.loaded || 0) + 1;',
        'pre.mjs': 'globalThis.loaded = (globalThis.loaded || 0) + 1;',
        'thread.js': `const w = require('worker_threads');
      if (w.isMainThread) {
        new w.Worker(__filename, { argv: ['x'], workerData: 5 }).on('message', (m) => console.log(m));
      }
      else w.parentPort.postMessage([process.argv, process.execArgv, w.workerData, require.main === module]);`,
    });
    fs.symlinkSync('in/lib/x.js', path.join(cwd, 'link'));
    for (const main of [
        'main.cjs',
        './main.js',
        'main',
        'main.mjs',
        'plainmain',
        'in',
        './index/',
        'esm/main.js',
        'link',
        'a b\n$x.js',
        path.join(cwd, 'main.js'),
    ]) {
        it(`runs ${JSON.stringify(main)}`, async () => {
            const chosen = /^main/.test(main) ? wrappers : undefined;
            const seen = await same(
                [],
                main,
                ['a', '', '--x', '-'],
                { cwd, input: 'stdin', argv0: 'other' },
                undefined,
                chosen,
            );
            assert.strictEqual(seen.code, 0, seen.stderr);
        });
    }
    for (const before of [
        ['--no-warnings', '--stack-size=900', '--title', 'mine'],
        ['-r', './pre.cjs'],
        ['--import', './pre.mjs'],
        ['--preserve-symlinks-main'],
        ['--'],
        ['-C', 'dev', '--'],
    ]) {
        for (const main of ['main.js', 'main.mjs']) {
            it(`${before.join(' ')} ${main}`, async () => {
                const seen = await same(before, main, ['a'], { cwd }, undefined, wrappers.slice(0, 2));
                assert.strictEqual(seen.code, 0, seen.stderr);
            });
        }
    }
    it('NODE_OPTIONS', async () => {
        const seen = await same([], 'main.js', [], { cwd, env: { NODE_OPTIONS: '--require ./pre.cjs' } });
        assert.match(seen.stdout, /"loaded":1/);
    });
    for (const [main, code] of [
        ['missing.js', 1],
        ['missing.mjs', 1],
        ['throws.js', 1],
        ['throws.mjs', 1],
        ['rejects.js', 1],
        ['exits.js', 7],
        ['code.mjs', 9],
        ['never.mjs', 13],
        ['dies.js', null],
        ['syntax.js', 1],
        ['handler.js', 0],
        ['thread.js', 0],
    ]) {
        it(`${main} ends as plain`, async () => {
            const seen = await same([], main, [], { cwd }, errorOf);
            assert.strictEqual(seen.code, code);
        });
    }
    it("an error of a synchronous wrapper has node's own source line", async () => {
        const filter = (text) => withoutStack(text).split('\n').slice(0, 4).join('\n');
        await same([], 'throws.js', [], { cwd }, filter, [wrappers[0], wrappers[2]]);
    });
    it('a main that begins with a dash', () => same(['--'], '-dash.js', [], { cwd }, errorOf));
    if (major > 22 || (major === 22 && minor >= 12)) {
        it('--entry-url', async () => {
            const seen = await same(['--entry-url'], 'file:main.mjs?x', ['b'], { cwd });
            assert.match(seen.stdout, /main.mjs\?x"/);
        });
    }
    it('another process.title', async () => {
        assert.match((await same(['--title=mine'], 'main.js', [], { cwd })).stdout, /"title":"mine"/);
    });
});

describe('the wrapper API', { concurrency: 3 }, () => {
    const main = path.join(
        files({ 'main.js': 'console.log("main", process.env.FOO, JSON.stringify(process.argv.slice(2)));' }),
        'main.js',
    );

    async function wrapped(contents, args = [], options = {}, more = {}, data = { foo: 'bar' }) {
        const cwd = files(contents);
        const names = Object.keys(contents)
            .filter((name) => /^w/.test(name))
            .sort();
        const wraps = names.map((name) => ({ wrapper: path.join(cwd, name), data }));
        return { cwd, ...(await run([stub('same', wraps, more), main, ...args], { cwd, ...options })) };
    }

    it('the wrapper of the README', async () => {
        const seen = await wrapped({
            'w.js': `module.exports = function (wrapper) {
      const data = wrapper.context.data; process.env.FOO = data.foo; wrapper.runMain(); };`,
        });
        assert.deepStrictEqual([seen.code, seen.stdout, seen.stderr], [0, 'main bar []\n', '']);
    });
    it('args, argv and context', async () => {
        const seen = await wrapped(
            {
                'w.js': `module.exports = ({ args, context, runMain }) => {
      console.log(JSON.stringify({ args, argv: process.argv, context, frozen: Object.isFrozen(context),
        inside: process.env.SPAWN_WRAP_INSIDE,
        types: [typeof runMain, typeof context.deps.foregroundChild, typeof context.deps.debug] })); };`,
            },
            ['a', 'b c'],
        );
        const api = JSON.parse(seen.stdout);
        const wrapper = path.join(seen.cwd, 'w.js');
        assert.deepStrictEqual(api.args, [main, 'a', 'b c']);
        assert.deepStrictEqual(api.argv, [process.execPath, wrapper, main, 'a', 'b c']);
        assert.deepStrictEqual(api.types, ['function', 'function', 'function']);
        assert.strictEqual(api.frozen, true);
        assert.strictEqual(api.inside, 'outer inner');
        const { module, shimScript, deps, ...context } = api.context;
        assert.deepStrictEqual(context, {
            key: 'the-key',
            shimDir: '/the/shims',
            shimExecutable: '/the/shims/node',
            preloadScript: preload,
            wrapper,
            data: { foo: 'bar' },
            mode: 'same-process',
            sameProcess: true,
            root: { execPath: '/the/brood', pid: 1 },
        });
        assert.ok(fs.existsSync(context.preloadScript));
    });
    for (const [name, text] of Object.entries({
        'w.cjs': 'exports.default = ({ runMain }) => runMain();',
        'w.mjs': 'export default ({ runMain }) => runMain();',
        'wa.mjs':
            `const x = await import('fs');
      export default async ({ runMain }) => { await x.promises.stat('/'); runMain(); }`,
        'w.js': 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = (w) => w.runMain();',
    })) {
        it(`default export of ${name}`, async () => {
            const seen = await wrapped({ [name]: text }, ['x']);
            assert.deepStrictEqual([seen.code, seen.stdout, seen.stderr], [0, 'main undefined ["x"]\n', '']);
        });
    }
    it('a .js wrapper under "type": "module"', async () => {
        const seen = await wrapped({
            'package.json': '{"type":"module"}',
            'w.js': 'export default ({ runMain }) => runMain();',
        });
        assert.deepStrictEqual([seen.code, seen.stdout], [0, 'main undefined []\n']);
    });
    it('a module that exports no function is loaded', async () => {
        const seen = await wrapped({ 'w.js': 'console.log("loaded"); module.exports = { x: 1 };' });
        assert.deepStrictEqual([seen.code, seen.stdout, seen.stderr], [0, 'loaded\n', '']);
    });
    for (const [name, text] of Object.entries({
        'w1.js': 'throw new TypeError("boom");',
        'w2.js': 'module.exports = () => { throw new TypeError("boom"); };',
        'w3.js': 'module.exports = async () => { throw new TypeError("boom"); };',
        'w4.mjs': 'throw new TypeError("boom");',
        'w5.mjs': 'export default () => { throw new TypeError("boom"); };',
        'w6.mjs': 'await 1; throw new TypeError("boom");',
    })) {
        it(`an error of ${name}: ${text}`, async () => {
            const seen = await wrapped({ [name]: text }, [], { env: { NODE_OPTIONS: '--unhandled-rejections=none' } });
            assert.deepStrictEqual([seen.code, seen.stdout, errorOf(seen.stderr)], [1, '', 'TypeError: boom']);
        });
    }
    it('a wrapper that is not there', async () => {
        const seen = await run([stub('same', ['/not/there.js']), main]);
        assert.strictEqual(seen.code, 1);
        assert.match(seen.stderr, /Cannot find module '\/not\/there.js'/);
    });
    it('nested wraps, the outermost first', async () => {
        const text = (
            name,
        ) => `module.exports = ({ args, context, runMain }) => { console.log("${name}", context.wrapper === __filename,
      process.argv[1] === __filename, args.length, process.env.SPAWN_WRAP_INSIDE);
      runMain(); console.log("after ${name}"); };`;
        const seen = await wrapped({ 'w1.js': text('one'), 'w2.js': text('two'), 'w3.js': text('three') }, ['x']);
        const inside = 'true true 2 outer inner';
        assert.strictEqual(
            seen.stdout,
            `one ${inside}\ntwo ${inside}\nthree ${inside}\nmain undefined ["x"]\nafter three\nafter two\nafter one\n`,
        );
    });
    it('a wrapper edits the arguments, and has loaded main before', async () => {
        const seen = await wrapped({
            'w.js': `module.exports = ({ args, runMain }) => {
        require(args[0]); process.argv.push("more"); runMain(); };`,
        });
        assert.strictEqual(seen.stdout, 'main undefined ["' + main + '"]\nmain undefined ["more"]\n');
    });
    it('a wrapper changes the directory', async () => {
        const cwd = files({
            'w.js': 'module.exports = ({ runMain }) => { process.chdir("/"); runMain(); };',
            'm.js': 'console.log(process.argv[1]);',
        });
        const seen = await run([stub('same', [path.join(cwd, 'w.js')]), './m.js'], { cwd });
        assert.strictEqual(seen.stdout, path.join(cwd, 'm.js') + '\n');
    });
    it('runMain() again is an error', async () => {
        const seen = await wrapped({ 'w.js': 'module.exports = ({ runMain }) => { runMain(); runMain(); };' });
        assert.deepStrictEqual([seen.code, seen.stdout], [1, 'main undefined []\n']);
        assert.match(seen.stderr, /runMain\(\) was called before/);
    });
    it('SPAWN_WRAP_INSIDE loses our item for main', async () => {
        const show = path.join(files({ 'm.js': 'console.log(process.env.SPAWN_WRAP_INSIDE);' }), 'm.js');
        for (const [before, after] of [
            ['a b', 'a'],
            ['a', 'undefined'],
            [undefined, 'undefined'],
        ]) {
            const seen = await run([stub('same', [wrappers[0]]), show], { env: { SPAWN_WRAP_INSIDE: before } });
            assert.strictEqual(seen.stdout, after + '\n');
        }
    });
    it('SPAWN_WRAP_DEBUG', async () => {
        const seen = await wrapped({ 'w.js': 'module.exports = ({ runMain }) => runMain();' }, [], {
            env: { SPAWN_WRAP_DEBUG: '1' },
        });
        assert.deepStrictEqual([seen.code, seen.stdout], [0, 'main undefined []\n']);
        const lines = seen.stderr.trimEnd().split('\n');
        for (const line of lines) assert.match(line, /^brood-adapter\[\d+\]: /);
        assert.ok(lines.length >= 3);
    });
});

describe('process.execPath', { concurrency: 3 }, () => {
    const show = 'console.log(process.execPath, process.argv[0]);';
    const cwd = files({
        'm.js': show,
        'node_modules/npm/package.json': '{"name":"npm"}',
        'node_modules/npm/bin/npm-cli.js': show,
        'node_modules/pnpm/package.json': '{"name":"pnpm"}',
        'node_modules/pnpm/bin/pnpm.cjs': show,
        'node_modules/mine/package.json': '{"name":"mine"}',
        'node_modules/mine/npm-cli.js': show,
    });
    fs.symlinkSync('node_modules/npm/bin/npm-cli.js', path.join(cwd, 'npm'));
    const of = async (main, more) => (await run([stub('same', [wrappers[0]], more), main], { cwd })).stdout.trim();

    it('stays', async () => assert.strictEqual(await of('m.js', {}), `${process.execPath} ${process.execPath}`));
    it('becomes the shim', async () =>
        assert.strictEqual(await of('m.js', { execPath: '/s/node' }), '/s/node /s/node'));
    it('becomes the path a bound file was at', async () => {
        const bound = [
            { executed: '/other', path: '/no' },
            { executed: process.execPath, path: '/usr/bin/mynode' },
        ];
        assert.strictEqual(await of('m.js', { files: bound }), '/usr/bin/mynode /usr/bin/mynode');
    });
    for (const main of ['npm', 'node_modules/npm/bin/npm-cli.js', 'node_modules/pnpm/bin/pnpm.cjs']) {
        it(`stays for ${main}`, async () =>
            assert.strictEqual(await of(main, { execPath: '/s/node' }), `${process.execPath} ${process.execPath}`));
    }
    it('becomes the shim for others of that name', async () =>
        assert.strictEqual(await of('node_modules/mine/npm-cli.js', { execPath: '/s/node' }), '/s/node /s/node'));
    it('leaves npm its global prefix', async () => {
        const npm = (process.env.PATH || '')
            .split(':')
            .map((name) => path.join(name, 'npm'))
            .find((name) => fs.existsSync(name));
        assert.ok(npm, 'npm is on PATH');
        const cli = fs.realpathSync(npm);
        const env = {
            npm_config_prefix: undefined,
            NPM_CONFIG_PREFIX: undefined,
            npm_config_cache: path.join(cwd, 'cache'),
        };
        const expected = await run([cli, 'prefix', '-g'], { cwd, env });
        const seen = await run([stub('same', [wrappers[0]], { execPath: '/s/bin/node' }), cli, 'prefix', '-g'], {
            cwd,
            env,
        });
        assert.strictEqual(seen.stdout, expected.stdout);
        assert.strictEqual(seen.code, expected.code);
        if (expected.code === 0) assert.match(expected.stdout, /^\//);
        else assert.match(expected.stderr, /does not support|requires|not.*compatible|SyntaxError|Error/i);
    });
});
