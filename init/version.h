/* The version of brood and broodctl, which are built and shipped together. */
#ifndef INIT_VERSION_H
#define INIT_VERSION_H

#define BROOD_VERSION "0.1.0"

#endif
