/* SPDX-License-Identifier: MIT */
/* Debian's build of the package makes this file: where modules in C would be, of which there are
 * none here. */
#define DEB_HOST_MULTIARCH "none"
