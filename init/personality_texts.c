/* What brood prints under another program's name: its options, as they are there, and that it isn't that program. Apart
 * from personality.c, which is code. */
#include "init/personality_texts.h"

#include "init/version.h"

#define STANDS_IN "(in fact brood " BROOD_VERSION ", called by that name)"
#define ITS_MANUAL "What else differs, and why: man brood, \"As tini or dumb-init\".\n"

/* clang-format off: this is how it looks on a terminal */
const char tini_version[] = "tini version 0.19.0 " STANDS_IN "\n";
const char tini_help[] = "tini version 0.19.0 " STANDS_IN "\n"
                         "\n"
                         "  tini [OPTIONS] [--] PROGRAM [ARG...]\n"
                         "\n"
                         "Options end at the first word that isn't one.\n"
                         "\n"
                         "  -s            adopt orphaned descendants; brood does so without it, too\n"
                         "  -g            forward signals to the program's process group, not to it alone\n"
                         "  -e EXIT_CODE  exit 0 in place of this status; may be repeated\n"
                         "  -p SIGNAL     be sent this signal when the parent ends\n"
                         "  -w            a warning for each orphan that is reaped\n"
                         "  -v            one level louder; may be repeated\n"
                         "  -l            print the license\n"
                         "  -h            print this\n"
                         "  --version     print the version, where it is the only word\n"
                         "\n"
                         "Variables: TINI_SUBREAPER and TINI_KILL_PROCESS_GROUP stand for -s and -g, set to\n"
                         "whatever; TINI_VERBOSITY is a level: 0 errors, 1 warnings (the default), 2 info,\n"
                         "3 debug.\n"
                         "\n" ITS_MANUAL;

const char dumb_init_version[] = "dumb-init v1.2.5 " STANDS_IN "\n";
const char dumb_init_help[] = "dumb-init v1.2.5 " STANDS_IN "\n"
                              "\n"
                              "  dumb-init [OPTIONS] [--] COMMAND [ARG...]\n"
                              "\n"
                              "  -c, --single-child  no session for the command, and signals to it alone\n"
                              "  -r, --rewrite S:R   forward signal R where S comes, nothing where R is 0; numbers or\n"
                              "                      names; may be repeated\n"
                              "  -v, --verbose       say what is done\n"
                              "  -h, --help          print this\n"
                              "  -V, --version       print the version\n"
                              "\n"
                              "Variables: DUMB_INIT_SETSID=0 stands for -c, DUMB_INIT_DEBUG=1 for -v.\n"
                              "\n" ITS_MANUAL;

const char personality_license[] = "MIT License\n"
                                   "\n"
                                   "Copyright (c) 2026 The brood authors\n"
                                   "\n"
                                   "Permission is hereby granted, free of charge, to any person obtaining a copy\n"
                                   "of this software and associated documentation files (the \"Software\"), to deal\n"
                                   "in the Software without restriction, including without limitation the rights\n"
                                   "to use, copy, modify, merge, publish, distribute, sublicense, and/or sell\n"
                                   "copies of the Software, and to permit persons to whom the Software is\n"
                                   "furnished to do so, subject to the following conditions:\n"
                                   "\n"
                                   "The above copyright notice and this permission notice shall be included in all\n"
                                   "copies or substantial portions of the Software.\n"
                                   "\n"
                                   "THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR\n"
                                   "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,\n"
                                   "FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE\n"
                                   "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER\n"
                                   "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,\n"
                                   "OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE\n"
                                   "SOFTWARE.\n";
/* clang-format on */
