/* What brood prints under another program's name: its options, as they are there, and that it isn't that program.
 * Each ends with a newline. */
#ifndef INIT_PERSONALITY_TEXTS_H
#define INIT_PERSONALITY_TEXTS_H

extern const char tini_help[];
extern const char tini_version[]; /* docker info takes it apart: "tini version" and the rest up to " - " */
extern const char dumb_init_help[];
extern const char dumb_init_version[];

/* MIT, as in the file LICENSE. */
extern const char personality_license[];

#endif
