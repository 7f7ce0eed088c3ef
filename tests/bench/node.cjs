// What a wrapped Node process costs: `node empty.js`, started by a Node parent, plain, below brood with a wrapper
// module, and by spawn-wrap with the same one.
//
//     node.cjs ROUNDS BROOD CONFIG SPAWN_WRAP      SPAWN_WRAP: the package's directory
//
// All parents live at the same time and take turns, one child a turn, each round beginning with another one: what else
// the machine does hits all alike.
'use strict';

const path = require('path');
const { spawn } = require('child_process');

const [rounds, brood, config, spawnWrap] = process.argv.slice(2);
const here = (name) => path.join(__dirname, name);
const words = [here('parent.cjs'), here('empty.js'), here('wrapper.cjs')];
const WARM_UP = 3;

const WRAPPED = 3; // the exit status that wrapper.cjs makes: so it is known to have run

class Way {
    constructor(name, status, program, args, variables = {}) {
        this.name = name;
        this.status = String(status);
        this.milliseconds = [];
        const env = { ...process.env, ...variables };
        this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
        this.answers = require('readline').createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    }

    async run() {
        this.child.stdin.write('\n');
        const { value } = await this.answers.next();
        const [status, duration] = (value || 'no answer').split(' ');
        if (status !== this.status) throw new Error(`${this.name}: ${value}, not exit status ${this.status}`);
        return Number(duration) / 1e6;
    }

    summarize() {
        const sorted = this.milliseconds.sort((a, b) => a - b);
        this.median = sorted[Math.floor(sorted.length / 2)];
        this.minimum = sorted[0];
    }

    // goals: [[way to compare with, its name, at most so many times its median]]
    print(goals) {
        const columns = [this.name.padEnd(24), this.median.toFixed(2).padStart(7), this.minimum.toFixed(2).padStart(8)];
        for (const [base, name, goal] of goals) {
            const ratio = this.median / base.median;
            columns.push(`  ${ratio.toFixed(2)} (${(this.minimum / base.minimum).toFixed(2)}) of ${name}`);
            if (goal) columns.push(`  ${goal} ${ratio <= goal ? 'met' : 'MISSED'}`);
        }
        console.log(columns.join(' '));
    }
}

async function main() {
    const node = process.execPath;
    const plain = new Way('plain', 0, node, words);
    const other = new Way('under spawn-wrap', WRAPPED, node, words, { BENCH_SPAWN_WRAP: spawnWrap });
    const ours = new Way('under brood', WRAPPED, brood, ['-q', '-c', config, '--', node, ...words]);
    const ways = [plain, other, ours];
    for (let i = -WARM_UP; i < Number(rounds); i++) {
        for (let j = 0; j < ways.length; j++) {
            const way = ways[(i + WARM_UP + j) % ways.length];
            const duration = await way.run();
            if (i >= 0) way.milliseconds.push(duration);
        }
    }
    ways.forEach((way) => way.child.stdin.end());
    ways.forEach((way) => way.summarize());
    const title = `milliseconds, ${process.version}`.padEnd(24);
    console.log(`${title}  median  minimum   times the median (times the minimum)   goal`);
    plain.print([]);
    other.print([[plain, 'plain']]);
    ours.print([[plain, 'plain', 1.1], [other, 'spawn-wrap', 0.75]]);
}

main().catch((error) => {
    console.error(`bench: cannot measure: ${error.message}`);
    process.exit(1);
});
