/* Where node's own options end in a command line: which word is the main module that
 * node would run. A wrapper of same_process = yes has to stand right before it, and
 * only node's table of options tells a value (`-C dev main.js`) from a main module.
 *
 * Source: src/node_options.cc and node_options-inl.h of Node 18, 20, 22 and 26;
 * tests/node/ compares this with the help and the behaviour of these very versions. */
#pragma once

#include <stddef.h>

/* Returns the index of the main module in argv, at least 1; 0 where there is none, or where one process can't hold a
 * wrapper and what node is asked for: -e, -p, -i, -c, -v, --test, --watch, `inspect`, standard input, a faulty line.
 *
 * argv[0] is the program, argc the number of words; what comes after them isn't read. A `--` before the main module
 * counts as an option. The words stay the caller's. Freestanding: no libc, no memory of its own, no recursion, no
 * relocations; bounded by the length of argv times that of the table. */
size_t node_args_main(char *const *argv, size_t argc);

/* The options that take the next word as their value, and those with which there is nothing to wrap: names in their
 * long form, each ended by a NUL, the list by an empty name. For tests. */
extern const char node_args_values[];
extern const char node_args_stops[];
