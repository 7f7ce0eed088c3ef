/* node_args_main() against the node that runs this: its table with node's options (as the parser has them, and as
 * --help shows them), and for generated command lines the word that node took for the main module. NODE_ARGS is the
 * program built from node_args_cli.c. */
'use strict';

const assert = require('assert');
const { spawnSync } = require('child_process');
const os = require('os');
const path = require('path');
const { describe, it } = require('node:test');
const { environment, files, run } = require('./harness.cjs');

const major = Number(process.versions.node.split('.')[0]);
const program = process.env.NODE_ARGS;
assert.ok(program, 'NODE_ARGS names the program');

const table = { value: new Set(), stop: new Set() };
for (const line of spawnSync(program, ['--table'], { encoding: 'utf8' }).stdout.trim().split('\n')) {
    const [kind, name] = line.split(' ');
    table[kind].add(name);
}

// Their value is taken in some versions only; takes_word() in node_args.c says how they are told apart.
const differing = [
    '--experimental-specifier-resolution',
    '--es-module-specifier-resolution',
    '--experimental-config-file',
];
if (major < 22) differing.push('--stack-trace-limit'); // an option of V8 there, which refuses to be without `=`

function mainOf(lines) {
    const input = lines.map((words) => ['node', ...words, '\n'].map((word) => word + '\0').join('')).join('');
    const seen = spawnSync(program, [], { input, encoding: 'utf8' });
    assert.strictEqual(seen.status, 0);
    const numbers = seen.stdout.trim().split('\n').map(Number);
    assert.strictEqual(numbers.length, lines.length);
    return numbers;
}

describe('the table', () => {
    it('has the options of --help that take a value, and no others', async () => {
        const { stdout } = await run(['--help']);
        let count = 0;
        for (const line of stdout.split('\n')) {
            const shown = line.match(
                /^ {2}((?:-[-\w.]+(?:=\[?[[\]:a-z.]*)?(?:\[[^ ]*\])?, )*-[-\w.]+)(=\.\.\.|=\[host:\]port)?(?: |$)/,
            );
            if (!shown) continue;
            for (const name of shown[1].split(', ')) {
                if (name === '--' || name === '-' || differing.includes(name) || /default-config-file|\[/.test(name))
                    continue;
                count += 1;
                const takes = table.value.has(name) || table.stop.has(name);
                if (shown[2]) assert.ok(takes, `${name} takes a value`);
                else assert.ok(!table.value.has(name), `${name} takes none`);
            }
        }
        assert.ok(count > 100, `${count} options`);
    });

    it('has the options of the parser, also the undocumented', async () => {
        const script = `const o = require('internal/test/binding').internalBinding('options');
      const { options, aliases } = (o.getCLIOptionsInfo || o.getCLIOptions)();
      const kinds = Object.fromEntries(Object.entries(o.types).map(([k, v]) => [v, k]));
      console.log(JSON.stringify([[...options].map(([name, { type }]) => [name, kinds[type]]), [...aliases]]));`;
        const { stdout } = await run(['--expose-internals', path.join(files({ 'o.js': script }), 'o.js')]);
        const [options, aliases] = JSON.parse(stdout);
        assert.ok(options.length > 100 && aliases.length > 10);
        const kinds = new Map(options);
        for (const [name, [target, ...more]] of aliases) {
            // "--inspect=" and "--print <arg>" aren't names; an alias for more than one word has its values in it.
            if (/[= ]/.test(name)) continue;
            kinds.set(
                name,
                more.length > 0 && !more[0].startsWith('--eval') ? 'kBoolean' : kinds.get(target) || 'kBoolean',
            );
        }
        for (const [name, kind] of kinds) {
            if (name.startsWith('[') || differing.includes(name) || table.stop.has(name)) continue;
            const takes = ['kString', 'kStringList', 'kInteger', 'kUInteger', 'kHostPort'].includes(kind);
            if (name === '--experimental-default-config-file') continue; // an alias of a differing one
            assert.strictEqual(table.value.has(name), takes, `${name} is ${kind}`);
        }
    });
});

// --- command lines ---------------------------------------------------------------------------------------------------

let state = 20240229;
function below(limit) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
}
const pick = (list) => list[below(list.length)];

const flags = [
    '--no-warnings',
    '--enable-source-maps',
    '--stack-size=900',
    '--max_old_space_size=200',
    '--expose-gc',
    '--trace-uncaught',
    '--no-test',
    '--no-check',
    '--preserve_symlinks',
    '--title=x',
    '--conditions=x',
    '--test-only',
    '--unknown-option',
    '--inspect_port=0',
    '-rx',
    '--watch-preserve-output',
    '--no-conditions',
    '--stack-trace-limit=5',
    '--v8-pool-size=2',
    '--security-revert',
    '--require=./pre.cjs',
];
const values = [
    ['-r', './pre.cjs'],
    ['--require', './pre.cjs'],
    ['-C', 'dev'],
    ['--conditions', 'main.js'],
    ['--title', 'main.js'],
    ['--title', ''],
    ['--icu_data_dir', '.'],
    ['--inspect-port', '0'],
    ['--debug-port', '0'],
    ['--v8_pool-size', '2'],
    ['--unhandled-rejections', 'warn'],
    ['--disable-proto', 'delete'],
    ['--redirect-warnings', '/dev/null'],
    ['--max-http-header-size', '9000'],
    ['--report-dir', '.'],
    ['--title', '\\-x'],
    ['--title', '-x'],
    ['--loader'],
    ['--stack-trace-limit', '3'],
    ['--import', './pre.mjs'],
    ['--trace-event-categories', 'main.js'],
    ['--disable-warning', 'x'],
    ['--env-file', 'env'],
    ['--test-isolation', 'none'],
    ['--watch-kill-signal', 'SIGTERM'],
    ['--max-old-space-size-percentage', '50'],
    ['--experimental-default-type', 'commonjs'],
    ['--experimental-config-file', 'config.json'],
    ['--experimental-specifier-resolution', 'node'],
    ['--run', 'x'],
    ['-e', '0'],
    ['-p', '0'],
    ['-v'],
    ['--test', 'none'],
    ['-c'],
    ['--eval=0'],
    ['-pe', '0'],
    ['--print'],
    ['--help'],
    ['--completion-bash'],
    ['--prof-process'],
    ['--snapshot-blob', 'x'],
];
const mains = ['main.js', './main.js', 'main', 'dir', 'main.js', '--', '-', '', 'inspect', 'missing', undefined];
const rests = ['-r', '--', 'x', '', '--title', '-e', 'main.js', 'inspect'];

function generate() {
    const words = [];
    for (let i = below(4); i > 0; i--) words.push(...(below(2) ? [pick(flags)] : pick(values)));
    if (below(4) === 0) words.push('--');
    words.push(pick(mains));
    for (let i = words.includes('inspect') ? 0 : below(3); i > 0; i--) words.push(pick(rests));
    return words.filter((word) => word !== undefined);
}

describe('command lines', { concurrency: 4 }, () => {
    const probe = 'console.log("probe" + JSON.stringify(process.argv.slice(1)));\n';
    const cwd = files({
        'main.js': probe,
        'dir/index.js': probe,
        'pre.cjs': '',
        'pre.mjs': '',
        env: 'A=b\n',
        'config.json': '{}',
    });

    // What node took for main: the index of the word, 0 for none that it ran.
    async function nodeMain(words) {
        const { stdout } = await run(words, { cwd, env: { TMPDIR: os.tmpdir() } });
        const seen = stdout.match(/^probe(.*)$/m);
        if (!seen) return 0;
        return words.length - JSON.parse(seen[1]).length + 1;
    }

    const left = (words, at) =>
        words.slice(0, at).some((word) => ['-i', '--interactive', '-p', '--print'].includes(word));
    const byHand = [
        ['main.js'],
        ['-i', 'main.js'],
        ['--', 'main.js', 'x'],
        ['--title', 'main.js'],
        ['-C', 'x', '--', 'dir', '-e'],
        ['main.js', '-e', '0'],
        ['-r', './pre.cjs', '-r', './pre.cjs', 'main', '--title'],
        ['--no-warnings'],
        ['--stack_trace-limit=3', 'main.js'],
        ['--experimental-specifier-resolution', 'main.js'],
        ['--experimental-config-file=config.json', 'main.js'],
        ['--input-type', 'module', 'main.js'],
        ['--inspect-publish-uid', 'http', 'main.js'],
        ['--heapsnapshot_near-heap-limit', '2', 'main.js'],
    ];
    const lines = [...byHand, ...Array.from({ length: 40 }, generate)];
    const answers = mainOf(lines);

    lines.forEach((words, i) => {
        it(JSON.stringify(words), async () => {
            const real = await nodeMain(words);
            // A line that node refuses, or a main that isn't there, ends in the same error with or without a stub.
            if (real === 0) {
                const at = answers[i];
                const broken = at > 0 && (await run(words, { cwd })).code !== 0;
                assert.ok(at === 0 || broken, `node ran no main, word ${at} was expected`);
            } else if (left(words, real)) {
                assert.strictEqual(answers[i], 0, 'left alone');
            } else {
                assert.strictEqual(answers[i], real);
            }
        });
    });
    it('runs a main in many of them', () => assert.ok(answers.filter((at) => at > 0).length > 20));
});
