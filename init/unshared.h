/* Memory that a forked child doesn't get. What brood knows of 10,000 workers is some megabytes; a fork that copied
 * their page tables, and each page again that is written before the child's exec, would cost more than everything else
 * in it. A child must not look at it. Source: madvise(2), MADV_DONTFORK. */
#ifndef INIT_UNSHARED_H
#define INIT_UNSHARED_H

#include <stddef.h>

/* Zeroed; NULL: there is none. Small pieces come from the heap and are shared as ever: one mapping more costs a fork
 * more than they do. */
void *unshared_alloc(size_t size);

/* The size that was asked for; takes NULL. */
void unshared_free(void *memory, size_t size);

#endif
