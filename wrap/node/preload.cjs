/* What context.preloadScript names. spawn-wrap patched child_process there; below brood every exec is wrapped
 * already, by PATH or by brood's preload library, so that a wrapper that still hands this file to --require gets
 * what it wants. */
'use strict';
