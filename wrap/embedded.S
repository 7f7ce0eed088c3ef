/* The programs and scripts that brood carries and writes into shim directories. BUILD is where make put the first two. */
    .section .rodata, "a"

.macro embed name, file
    .globl \name, \name\()_end
    .balign 16
\name:
    .incbin "\file"
\name\()_end:
    .byte 0
.endm

    embed embedded_shim, SHIM
    embed embedded_library, LIBRARY
    embed embedded_adapter, "wrap/node/adapter.cjs"
    embed embedded_preload_script, "wrap/node/preload.cjs"

    .section .note.GNU-stack, "", %progbits
